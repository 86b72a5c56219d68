"""Assets of group `training`: out-of-sample forecasts of every candidate, and the bundle of the chosen one.

Import the concrete modules; nothing is re-exported here.
"""
