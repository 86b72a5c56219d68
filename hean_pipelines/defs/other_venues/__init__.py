"""Data of Binance, OKX, CoinGlass and sentiment: histories from files and REST, and snapshots. Wiring and its tables."""
