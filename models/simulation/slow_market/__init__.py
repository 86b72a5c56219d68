"""A coarse synthetic market, cheap enough for months of many symbols: planted effects, known truth.

What does not belong here: the fine-grained market of orders and makers (`order_flow`), strategies, fills.
"""
