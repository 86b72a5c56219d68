"""Deterministic simulation of the executor against a venue and a network that fail: one seed, one history.

The engine, the loop, the order manager, the reconciler and the journal (real SQLite) are the real ones; clock, network,
market and venue are simulated. Import the concrete modules. Nothing here runs in the executor itself.
"""
