"""The fill model: when, where and how much of our own orders trade against a tape, and what that does to the account.

One compiled step over records, for backtest, shadow and local testnet alike. Import the concrete modules: `records` makes a
simulator, `requests` sends orders, `step` plays events, `reports` reads what came back. Rules and their agreement with
hftbacktest: ``docs/fill_model.md``.
"""
