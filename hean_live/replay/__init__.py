"""Deterministic replay: what reached the engine is written down at every poll, and can be decided on again.

Here belong the record of a poll's inputs, its files, and the comparison. The engine itself is `hean_live.app`'s; raw
market messages are the recorder's.
"""
