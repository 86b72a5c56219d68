"""Selection and merging of recorded bars and series by range, limit and clock.

Here belong functions of arrays; which files they come from does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hean_live.local_testnet.markets.base import Series
from models.simulation.bars import DAY_MS, INTERVAL_MINUTES, MINUTE_MS, Bars, aggregate, bar_starts

LENGTHS = (1, 5, 60)  # recorded bar lengths in minutes, finest first


def closed_bars(source: Bars, minutes: int, interval: str, window: tuple[int, int, int, int]) -> Bars:
    """Complete bars of `interval` made of recorded bars.

    Parameters
    ----------
    source : Bars
        Recorded bars.
    minutes : int
        Their length.
    interval : str
        Venue's spelling of a multiple of it.
    window : (int, int, int, int)
        start_ms, end_ms, limit, now_ms: openings within both ends, at most about `limit` newest, closed by now.

    Returns
    -------
    Bars
        A bar in which a recorded one is missing is left out: nobody saw its high and low.

    """
    start_ms, end_ms, limit, now_ms = window
    step_ms, span_ms = minutes * MINUTE_MS, INTERVAL_MINUTES[interval] * MINUTE_MS
    last = int(np.searchsorted(source.ts_ms, min(end_ms + span_ms, now_ms - step_ms), side="right"))
    first = int(np.searchsorted(source.ts_ms, start_ms, side="left"))
    while True:
        # Gaps make complete bars rarer than rows suggest: widen until there are enough or the range is used up.
        low = max(first, last - (limit + 2) * (span_ms // step_ms))
        part = source.part(low, last)
        found = aggregate(part, interval)
        if not len(found):
            return found
        _, counts = np.unique(bar_starts(part.ts_ms, interval), return_counts=True)
        complete = counts * step_ms == _lengths(found.ts_ms, interval)
        found = _rows(found, complete & (found.ts_ms >= start_ms) & (found.ts_ms <= end_ms))
        if len(found) >= limit or low == first:
            return found.part(max(0, len(found) - limit), len(found))
        limit *= 4


def _lengths(starts: NDArray[np.int64], interval: str) -> NDArray[np.int64]:
    if interval == "M":
        return bar_starts(starts + 32 * DAY_MS, "M") - starts
    return np.full(len(starts), INTERVAL_MINUTES[interval] * MINUTE_MS, dtype=np.int64)


def merged(preferred: Bars, other: Bars) -> Bars:
    """Bars of both in ascending time; where both have one, the preferred."""
    if not len(preferred) or not len(other):
        return preferred if len(preferred) else other
    extra = _rows(other, ~np.isin(other.ts_ms, preferred.ts_ms))
    order = np.argsort(np.concatenate((preferred.ts_ms, extra.ts_ms)), kind="stable")

    def join(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate((a, b))[order]

    volume = turnover = None
    if preferred.volume is not None and extra.volume is not None:
        volume = join(preferred.volume, extra.volume)
    if preferred.turnover is not None and extra.turnover is not None:
        turnover = join(preferred.turnover, extra.turnover)
    return Bars(
        np.concatenate((preferred.ts_ms, extra.ts_ms))[order],
        join(preferred.open, extra.open),
        join(preferred.high, extra.high),
        join(preferred.low, extra.low),
        join(preferred.close, extra.close),
        volume,
        turnover,
    )


def _rows(bars: Bars, keep: NDArray[np.bool_]) -> Bars:
    volume = None if bars.volume is None else bars.volume[keep]
    turnover = None if bars.turnover is None else bars.turnover[keep]
    return Bars(
        bars.ts_ms[keep], bars.open[keep], bars.high[keep], bars.low[keep], bars.close[keep], volume, turnover
    )


def window(series: Series | None, start_ms: int, end_ms: int, limit: int) -> Series:
    """Newest `limit` rows of a series within both ends; empty where there is no series."""
    if series is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
    first = int(np.searchsorted(series[0], start_ms, side="left"))
    last = int(np.searchsorted(series[0], end_ms, side="right"))
    cut = slice(max(first, last - limit), max(first, last))
    return series[0][cut], series[1][cut]
