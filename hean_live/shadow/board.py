"""What the loop knows beyond the streams, put by for the bank: funding terms, forecasts, other markets, one outlook a symbol.

The loop writes, the bank's thread reads: a record is replaced, never changed. What the executor does not know stays unknown, and
what has grown old becomes unknown again: prices carry the time they were seen, by which strategies judge them; terms of a pair,
volatility and mood are taken back here. What does not belong here: how forecasts are made, how other markets are asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hean_live.app.snapshot import Forecasted
from models.market.outlook import new_outlooks

if TYPE_CHECKING:
    from hean_live.app.alarms import Alarms
    from hean_live.other_markets.records import PastSeen, SpotSeen, VenueSeen
    from hean_live.other_markets.watch import OtherMarkets
    from models.market.bybit_v5_market import Ticker
    from models.market.mood import Mood

FRESH_NS: Final = 120_000_000_000
"""Age from which a rate of another venue is no longer measured: that at which strategies let go of its prices."""


class Spots(Protocol):
    """Who knows spot touches."""

    def newest(self, symbol: str) -> SpotSeen | None:
        """Return what was seen last."""


class Venues(Protocol):
    """Who knows the other venue."""

    def newest(self, symbol: str) -> VenueSeen | None:
        """Return what was seen last."""


class Pasts(Protocol):
    """Who knows pairs and volatility."""

    def newest(self, symbol: str) -> PastSeen | None:
        """Return what was made out last."""

    def partner(self, symbol: str) -> str:
        """Return the partner of a symbol, empty without one."""


@dataclass(frozen=True)
class Others:
    """Who is asked about what; None where nobody is.

    Attributes
    ----------
    spot, venue, past : Spots, Venues, Pasts or None
    mood : callable
        Returns the mood in use, None without one.
    past_valid_ns : int
        Age from which terms of a pair and volatility are unknown (market time).
    watch : OtherMarkets, optional
        The thread that asks them.

    """

    spot: Spots | None = None
    venue: Venues | None = None
    past: Pasts | None = None
    mood: Callable[[], Mood | None] = lambda: None
    past_valid_ns: int = 8 * 3_600_000_000_000
    watch: OtherMarkets | None = None


class OutlookBoard:
    """Newest outlooks of some symbols.

    Parameters
    ----------
    others : Others, optional
        Markets beside the own one; by default nothing is known of any.
    alarms : Alarms, optional
        Told which of them cannot be asked.
    symbols : sequence of str, optional
        Those that have outlooks; by default every one there is a ticker of, and a venue has hundreds.

    """

    def __init__(
        self,
        others: Others | None = None,
        alarms: Alarms | None = None,
        symbols: Sequence[str] | None = None,
    ) -> None:
        self._symbols = symbols
        self._others = others or Others()
        self._alarms = alarms
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
        for symbol in tickers if self._symbols is None else self._symbols:
            ticker = tickers.get(symbol)
            if ticker is None:
                continue
            rows = _outlook(now_ns, ticker, self._forecasts.get(symbol))
            _write_others(rows, self._others, symbol)
            self._outlooks[symbol] = rows
        self._report()

    def newest(self, symbol: str) -> NDArray[np.void] | None:
        """Return the outlook of a symbol, None before the first; from any thread."""
        return self._outlooks.get(symbol)

    def partner(self, symbol: str) -> str:
        """Return the partner of a symbol's pair, empty without one; from any thread."""
        return self._others.past.partner(symbol) if self._others.past else ""

    def funding_spreads(self) -> dict[str, float]:
        """Return how far apart funding of both venues is, a fraction per hour, of symbols where both are known and fresh."""
        spreads = {}
        for symbol, rows in self._outlooks.items():
            row = rows[0]
            apart = abs(float(row["own_rate_per_h"]) - float(row["other_rate_per_h"]))
            if not math.isnan(apart) and row["at_ns"] - row["other_at_ns"] <= FRESH_NS:
                spreads[symbol] = apart
        return spreads

    def close(self) -> None:
        """End the thread that asks other markets."""
        if self._others.watch is not None:
            self._others.watch.close()

    def _report(self) -> None:
        if self._alarms is None or self._others.watch is None:
            return
        for code, words in self._others.watch.problems().items():
            if words:
                self._alarms.raised(code, words)
            else:
                self._alarms.cleared(code)


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


def _write_others(rows: NDArray[np.void], others: Others, symbol: str) -> None:
    """Add what is known of other markets; the row holds from when the newest of it was seen."""
    row = rows[0]
    now_ns = int(row["at_ns"])
    spot = others.spot.newest(symbol) if others.spot else None
    if spot is not None:
        row["spot_bid"], row["spot_ask"], row["spot_at_ns"] = spot.bid, spot.ask, spot.at_ns
    venue = others.venue.newest(symbol) if others.venue else None
    if venue is not None:
        row["other_bid"], row["other_ask"], row["other_at_ns"] = venue.bid, venue.ask, venue.at_ns
        row["other_rate_per_h"], row["other_interval_h"] = venue.rate_per_h, venue.interval_h
        row["other_settlement_ns"] = venue.settlement_ns
    row["at_ns"] = max(now_ns, int(row["spot_at_ns"]), int(row["other_at_ns"]))
    past = others.past.newest(symbol) if others.past else None
    if past is not None and now_ns - past.at_ns <= others.past_valid_ns:
        row["implied_volatility"] = past.volatility
        if past.terms is not None:
            row["pair_alpha"], row["pair_beta"] = past.terms.alpha, past.terms.beta
            row["pair_sigma"], row["pair_pvalue"] = past.terms.sigma, past.terms.pvalue
            row["pair_half_life_s"] = past.terms.half_life_s
    mood = others.mood()
    if mood is not None and now_ns < mood.expires_ns:
        for name, reading in (("fear_greed", mood.fear_greed), ("text_score", mood.texts.get(symbol))):
            if reading is not None and reading.at_ns <= now_ns:
                row[name], row[f"{name}_at_ns"] = reading.value, reading.at_ns
