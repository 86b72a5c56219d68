"""Learning loops: what the executor's own trades, blocks and forecasts say about how to trade next.

Import the concrete modules; nothing is re-exported here.
"""
