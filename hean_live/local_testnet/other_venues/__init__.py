"""Public data of other venues, as they would report the same market: Binance USD-M, OKX, CoinGlass, the Fear & Greed index.

Served beside Bybit's paths by the same server, for nothing clashes: every base address may be the local testnet's. Here belong
paths, formats and refusals of those venues. How they differ in numbers is `models.simulation.other_venues`.
"""
