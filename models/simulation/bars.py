"""Bars (open, high, low, close) of a series and their aggregation to the venue's intervals.

Here belongs the arithmetic of bars. Where bars come from, and how they are written on a wire, does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

MINUTE_MS = 60_000
DAY_MS = 86_400_000
INTERVAL_MINUTES = {
    "1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "120": 120, "240": 240, "360": 360, "720": 720,
    "D": 1440, "W": 10_080, "M": 44_640,
}  # fmt: skip
_FIRST_MONDAY_MS = 4 * DAY_MS  # 1970-01-05


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns of bars in ascending time, all of one length.

    `volume` is in base coin and `turnover` in quote; both are None for series without trades (mark, index, premium).
    """

    ts_ms: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats | None = None
    turnover: Floats | None = None

    def __len__(self) -> int:
        return len(self.ts_ms)

    def part(self, first: int, last: int) -> Bars:
        """Rows ``first <= i < last``."""
        cut = slice(first, last)
        return Bars(
            self.ts_ms[cut],
            self.open[cut],
            self.high[cut],
            self.low[cut],
            self.close[cut],
            None if self.volume is None else self.volume[cut],
            None if self.turnover is None else self.turnover[cut],
        )


def no_bars(*, traded: bool) -> Bars:
    """Bars of a series without history; `traded` tells whether it would have volume columns."""
    none = np.empty(0, dtype=np.float64)
    return Bars(np.empty(0, dtype=np.int64), none, none, none, none, *((none, none) if traded else ()))


def bar_starts(ts_ms: Times, interval: str) -> Times:
    """Return opening time of the bar each instant belongs to.

    Parameters
    ----------
    ts_ms : ndarray of int64
        Instants, ms UTC.
    interval : str
        Venue's spelling: minutes, or ``D``, ``W`` (from Monday), ``M`` (calendar month).

    """
    if interval == "M":
        return (
            ts_ms.astype("datetime64[ms]").astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
        )
    if interval == "W":
        return (ts_ms - _FIRST_MONDAY_MS) // (7 * DAY_MS) * (7 * DAY_MS) + _FIRST_MONDAY_MS
    step = INTERVAL_MINUTES[interval] * MINUTE_MS
    return ts_ms // step * step


def bar_start(at_ms: int, interval: str) -> int:
    """Return opening time of the bar one instant belongs to; see `bar_starts`."""
    return int(bar_starts(np.array([at_ms], dtype=np.int64), interval)[0])


def aggregate(bars: Bars, interval: str) -> Bars:
    """Merge finer bars into bars of `interval`; the last may still be open.

    Parameters
    ----------
    bars : Bars
        Finer bars in ascending time; gaps are allowed.
    interval : str
        Venue's spelling of the coarser interval.

    """
    if not len(bars):
        return bars
    starts = bar_starts(bars.ts_ms, interval)
    first = np.flatnonzero(np.concatenate(([True], starts[1:] != starts[:-1])))
    last = np.concatenate((first[1:], [len(bars)])) - 1
    return Bars(
        starts[first],
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
        None if bars.volume is None else np.add.reduceat(bars.volume, first),
        None if bars.turnover is None else np.add.reduceat(bars.turnover, first),
    )
