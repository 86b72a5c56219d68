"""Where orders and market data come from and go to; the only place that imports pybit.

Import concrete modules directly; nothing is re-exported.
"""
