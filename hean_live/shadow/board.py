"""What the loop knows beyond the streams, put by for the bank: funding terms and forecasts, one outlook a symbol.

The loop writes, the bank's thread reads: a record is replaced, never changed. What the executor does not know stays unknown:
spot, pairs and other venues (so the strategies on two markets do not trade in its shadows), sentiment. What does not belong
here: how forecasts are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hean_live.app.snapshot import Forecasted
from models.market.outlook import new_outlooks

if TYPE_CHECKING:
    from models.market.bybit_v5_market import Ticker


class OutlookBoard:
    """Newest outlooks of some symbols."""

    def __init__(self) -> None:
        self._forecasts: dict[str, Forecasted] = {}
        self._outlooks: dict[str, NDArray[np.void]] = {}

    def update(self, now_ns: int, tickers: Mapping[str, Ticker], news: Iterable[object]) -> None:
        """Take what a poll brought; in the loop's thread.

        Parameters
        ----------
        now_ns : int
            Market time.
        tickers : mapping of str to Ticker
        news : iterable
            Forecasts among it are kept, each until a newer one comes.

        """
        for forecast in news:
            if isinstance(forecast, Forecasted):
                self._forecasts[forecast.symbol] = forecast
        for symbol, ticker in tickers.items():
            self._outlooks[symbol] = _outlook(now_ns, ticker, self._forecasts.get(symbol))

    def newest(self, symbol: str) -> NDArray[np.void] | None:
        """Return the outlook of a symbol, None before the first; from any thread."""
        return self._outlooks.get(symbol)


def _outlook(now_ns: int, ticker: Ticker, forecast: Forecasted | None) -> NDArray[np.void]:
    rows = new_outlooks(1)
    rows["at_ns"] = now_ns
    rows["settlement_ns"] = ticker.next_funding_ns or 0
    for name, value in (
        ("interval_h", ticker.funding_interval_h),
        ("indicative_rate", ticker.funding_rate),
        ("upper_cap", ticker.funding_cap),
        ("lower_cap", None if ticker.funding_cap is None else -ticker.funding_cap),
    ):
        if value is not None:
            rows[name] = value
    if ticker.funding_rate is not None and ticker.funding_interval_h:
        rows["own_rate_per_h"] = ticker.funding_rate / ticker.funding_interval_h
    if forecast is not None:
        rows["forecast_settlement_ns"] = forecast.settlement_ns
        rows["forecast_at_ns"] = forecast.made_at_ns
        rows["predicted_rate"] = forecast.predicted
        rows["predicted_sd"] = (forecast.q95 - forecast.q05) / (2.0 * 1.6449)
        rows["current_rate"] = forecast.current
        rows["probability_above"] = forecast.probability_above
        rows["probability_below"] = forecast.probability_below
    return rows
