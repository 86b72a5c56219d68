"""Gates between a signal and an order (G1 to G13): a small pure function each, composed in one visible order.

Import the concrete modules; nothing is re-exported here. `order.pass_gates` is the entry.
"""
