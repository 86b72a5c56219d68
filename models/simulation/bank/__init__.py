"""The bank of strategies: all of them at once over one tape, each with an account and a fill simulator of its own.

Backtest of one, tournament of all and the executor's shadows run the same compiled loop.
"""
