"""What makes orders safe: journal, client ids, order manager, reconciliation, kill switch, records of trades.

Import concrete modules directly; nothing is re-exported.
"""
