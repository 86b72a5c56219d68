"""Studies that decide whether a strategy may trade, and the statistics under them.

Import the concrete modules; nothing is re-exported here.
"""
