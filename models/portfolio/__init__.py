"""Position sizing and what strategies earned by regime.

Import the concrete modules; nothing is re-exported here.
"""
