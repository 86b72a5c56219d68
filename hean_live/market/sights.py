"""What is seen of each market beyond its ticker, taken from the compiled state at every tick.

The streams' thread writes; any other thread may read, for a row is replaced and never changed. Times are those of our
clock until `at_market_time` turns them into the venue's: an age is the same in both, and our clock alone knows how long
ago something was heard. What does not belong here: the features themselves, what a sight is used for.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from hean_live.market.markets import Markets
from models.execution.sight import MarketSight
from models.market.features.hurst import TRUE_TREND

SPREAD_SAMPLES: Final = 3600
"""Ticks the spread's median looks back on: 15 minutes of 250 ms."""
LEAST_SPREADS: Final = 40
LEAST_RETURNS: Final = 30
"""Fewer leave the median of the spread and sigma unknown."""
UNSEEN: Final = MarketSight(0, False, 0)
"""Before the first tick: no book, so nothing may be quoted or entered on it."""


class RollingMedian:
    """Exact median of the last values; not-a-numbers are passed over.

    Parameters
    ----------
    size : int
        How many are remembered.
    least : int
        Fewer have no median.

    """

    def __init__(self, size: int, least: int) -> None:
        self._size = size
        self._least = least
        self._values: deque[float] = deque()
        self._sorted: list[float] = []

    def take(self, value: float) -> None:
        """Remember a value, and forget the oldest beyond the size."""
        if math.isnan(value):
            return
        if len(self._values) == self._size:
            del self._sorted[bisect_left(self._sorted, self._values.popleft())]
        self._values.append(value)
        insort(self._sorted, value)

    @property
    def median(self) -> float:
        """The median, of an even number the mean of the middle two; NaN before enough values."""
        count = len(self._sorted)
        if count < self._least:
            return math.nan
        upper = count // 2
        return (self._sorted[upper] + self._sorted[(count - 1) // 2]) / 2.0


class SightBoard:
    """The newest sight of each symbol.

    Parameters
    ----------
    markets : Markets
        Read at each tick in the thread that owns it.

    """

    def __init__(self, markets: Markets) -> None:
        own = markets.state["market"]
        self._names = markets.names
        self._book_at, self._interest_at = own["book_at_ns"], own["open_interest_at_ns"]
        self._valid, self._spread, self._rank = own["valid"], own["spread_bps"], own["vpin_rank"]
        self._label = own["hurst_label_finer"]
        self._bars, self._closes = own["internal"]["bars"], own["internal"]["closes"]
        self._spreads = [RollingMedian(SPREAD_SAMPLES, LEAST_SPREADS) for _ in self._names]
        self._sigmas = [(-1, math.nan)] * len(self._names)
        self._rows = [UNSEEN] * len(self._names)

    def take(self, places: Sequence[int], _at_ns: int) -> None:
        """Look at the symbols whose tick has just been taken."""
        for place in places:
            self._look(place)

    def _look(self, place: int) -> None:
        spread_bps = float(self._spread[place])
        spreads = self._spreads[place]
        spreads.take(spread_bps)
        bars = int(self._bars[place])
        if self._sigmas[place][0] != bars:
            self._sigmas[place] = bars, sigma_of(self._closes[place], bars)
        self._rows[place] = MarketSight(
            book_at_ns=int(self._book_at[place]),
            book_valid=bool(self._valid[place] == 1),
            open_interest_at_ns=int(self._interest_at[place]),
            spread_bps=spread_bps,
            median_spread_bps=spreads.median,
            vpin_rank=float(self._rank[place]),
            is_trend=bool(self._label[place] == TRUE_TREND),
            sigma_minute=self._sigmas[place][1],
        )

    def rows(self) -> dict[str, MarketSight]:
        """Return the newest sight of every symbol, times of our clock; from any thread."""
        return dict(zip(self._names, self._rows, strict=True))


def sigma_of(closes: np.ndarray, bars: int) -> float:
    """Return the standard deviation of the mid's log return over one bar, a minute.

    Parameters
    ----------
    closes : ndarray of float64, shape (n,)
        Ring of the mids at the ends of the last bars; the newest is number `bars` - 1.
    bars : int
        Bars since the last hole.

    Returns
    -------
    float
        NaN before `LEAST_RETURNS` returns.

    """
    held = min(bars, len(closes))
    if held <= LEAST_RETURNS:
        return math.nan
    places = np.arange(bars - held, bars) % len(closes)
    return float(np.std(np.diff(np.log(closes[places])), ddof=1))


def at_market_time(
    rows: dict[str, MarketSight], market_ns: int, clock_ns: Callable[[], int] = time.time_ns
) -> dict[str, MarketSight]:
    """Turn times of our clock into the venue's: what is so old by our clock is as old at market time `market_ns`.

    What has never been heard stays at 0, older than anything.
    """
    ahead_ns = market_ns - clock_ns()
    return {
        symbol: replace(
            row,
            book_at_ns=row.book_at_ns + ahead_ns if row.book_at_ns else 0,
            open_interest_at_ns=row.open_interest_at_ns + ahead_ns if row.open_interest_at_ns else 0,
        )
        for symbol, row in rows.items()
    }
