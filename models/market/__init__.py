"""What a venue says, as typed data: instruments and payload parsers.

Import the concrete modules; nothing is re-exported here.
"""
