"""Assets of group `promotion`: moving the alias `champion`, and nothing else.

Import the concrete modules; nothing is re-exported here.
"""
