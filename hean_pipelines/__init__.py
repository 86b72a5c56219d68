"""The Dagster shell: wiring of sources, lake, warehouse, training and promotion.

Import concrete modules directly; nothing is re-exported, so importing the package has no side effects.
"""
