"""A Bybit-v5-compatible venue on loopback: real HTTP, a synthetic or recorded market, a simulated account.

Import the concrete modules; nothing is re-exported here.
"""
