"""Every strategy in shadow on live data: the bank that backtests run, fed with the messages of the streams.

It places no order and knows no key. What it says, the engine is told as it is told a price.
"""
