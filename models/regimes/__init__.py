"""Market regimes from prices alone.

Import the concrete modules; nothing is re-exported here.
"""
