"""Asset of group `report`: the HTML page as an asset.

Import the concrete modules; nothing is re-exported here.
"""
