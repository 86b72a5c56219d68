"""Funding: the venue's formula, features of it, forecasts and their evaluation.

Import the concrete modules; nothing is re-exported here.
"""
