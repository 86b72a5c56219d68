"""Assets of group `features`: the funding feature table, made by the functions the executor also calls.

Import the concrete modules; nothing is re-exported here.
"""
