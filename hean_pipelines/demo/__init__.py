"""The demo: the whole road from raw data to a trade and back, as a user would run it, command by command.

Import the concrete modules; nothing is re-exported here.
"""
