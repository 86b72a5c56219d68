"""The rehearsal: a day of live trading on the local testnet in minutes, with its accidents, and the account added up at the end.

Import the concrete modules; nothing is re-exported here.
"""
