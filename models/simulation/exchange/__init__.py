"""A derivatives exchange as a deterministic state: orders, matching, positions, wallet, funding.

It has no clock and no I/O: `engine.Exchange.advance` moves it through a market's time. Import the concrete modules.
"""
