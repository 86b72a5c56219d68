"""Names of what first steps read of the lake's bars: assets of Dagster, datasets and marts of the lake. Names alone.

Apart from those who read them, for the definitions know them without loading NumPy.
"""

from __future__ import annotations

from typing import Final

PERP: Final = "raw_bybit__5m_perp_klines"
SPOT: Final = "raw_bybit__5m_spot_klines"
INTEREST: Final = "raw_bybit__5m_open_interest"
OTHER_PERP: Final = "raw_binance__5m_perp_klines"
RATES: Final = "mart_bybit__settlement_funding"
EVERY_VENUE: Final = "mart_market__funding_panel"
MOOD: Final = "mart_sentiment__fear_greed"
FORECASTS: Final = "forecast_funding__out_of_sample"
