"""Assets of group `learning`: what the executor's own trades teach.

Import the concrete modules; nothing is re-exported here.
"""
