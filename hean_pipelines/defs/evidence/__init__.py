"""Assets of group `evidence`: one study each, with figures, a picture and a verdict.

Import the concrete modules; nothing is re-exported here.
"""
