"""The executor: loads promoted bundles, trades them, journals everything.

Import concrete modules directly; nothing is re-exported, so importing the package has no side effects.
"""
