"""Selects bars of a range from minutes: the rule of the venue's kline endpoints, shared by the generated markets.

Here belongs selection only; minutes come from the market.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.simulation.bars import INTERVAL_MINUTES, MINUTE_MS, Bars, aggregate, bar_start

Minutes = Callable[[int, int], Bars]
"""Minute bars ``first <= m < last``, counted from the market's first instant, as far as they are known now."""


def select_bars(
    minutes: Minutes, first_ms: int, interval: str, start_ms: int, end_ms: int, limit: int, now_ms: int
) -> Bars:
    """Bars of a range, newest `limit`, the open one included.

    Parameters
    ----------
    minutes : callable
    first_ms : int
        Opening of minute 0.
    interval : str
        Venue's spelling.
    start_ms, end_ms : int
        Both included.
    limit, now_ms : int

    """
    newest = bar_start(min(end_ms, now_ms), interval)
    step = INTERVAL_MINUTES[interval] * MINUTE_MS
    oldest = bar_start(max(start_ms, newest - limit * step, first_ms), interval)
    first = max(0, (oldest - first_ms) // MINUTE_MS)
    last = max(first, (newest + step - first_ms) // MINUTE_MS)
    found = aggregate(minutes(first, last), interval)
    keep_from = max(int(np.searchsorted(found.ts_ms, start_ms, side="left")), 0)
    keep_to = int(np.searchsorted(found.ts_ms, min(end_ms, now_ms), side="right"))
    return found.part(max(keep_from, keep_to - limit), keep_to)
