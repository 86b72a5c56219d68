"""Market regimes: rules from closes for trades, a compiled step with hysteresis for the market record, a hidden Markov model.

Import the concrete modules; nothing is re-exported here.
"""
