"""Synthetic markets with known truth, and matching for the local testnet.

Import the concrete modules; nothing is re-exported here.
"""
