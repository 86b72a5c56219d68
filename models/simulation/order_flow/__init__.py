"""Tick-level synthetic market with known truth: trades, an L2 book, forced flow, whales, trends, funding.

Import the concrete modules; `generator` is where to start. Bars and funding universes live one folder up.
"""
