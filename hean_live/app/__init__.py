"""The executor's application: a deterministic engine, and the loop that feeds it and carries out its commands.

Import concrete modules directly; nothing is re-exported.
"""
