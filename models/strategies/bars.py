"""Bars of the mid that a strategy keeps for itself: open, high, low, close of the last periods, in its own state record.

A strategy that looks at bars embeds `bars_dtype(n)` in its `STATE` and calls `add_mid` at each tick; it says whether a bar
was completed. Bars are aligned to multiples of their period since the epoch; one without a valid mid is left out, and the
first, begun in the middle, is not counted. What does not belong here: what the bars mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.features.records import record_dtype


def bars_dtype(bars: int) -> np.dtype[np.record]:
    """Return the dtype of a ring of the last `bars` complete bars and the one under way.

    Parameters
    ----------
    bars : int

    Returns
    -------
    dtype
        `opens`, `highs`, `lows`, `closes` are rings (quote); `count` is the number of complete bars so far.

    """
    return record_dtype(
        [
            ("period", np.int64),  # number of the bar under way; 0 before the first mid
            ("whole", np.int64),  # 1 if the bar under way was seen from its beginning
            ("count", np.int64),
            ("open", np.float64),
            ("high", np.float64),
            ("low", np.float64),
            ("close", np.float64),
            ("opens", np.float64, (bars,)),
            ("highs", np.float64, (bars,)),
            ("lows", np.float64, (bars,)),
            ("closes", np.float64, (bars,)),
        ]
    )


@njit(cache=True)
def _keep(bars: Any) -> None:
    at = bars.count % len(bars.closes)
    bars.opens[at] = bars.open
    bars.highs[at] = bars.high
    bars.lows[at] = bars.low
    bars.closes[at] = bars.close
    bars.count += 1


@njit(cache=True)
def add_mid(bars: Any, at_ns: int, mid: float, bar_ns: int) -> bool:
    """Take the mid of a tick.

    Parameters
    ----------
    bars : record of `bars_dtype`
        Changed in place.
    at_ns : int
        Never decreasing.
    mid : float
        NaN is passed over.
    bar_ns : int
        Length of a bar.

    Returns
    -------
    bool
        Whether a bar was completed: it is the newest one now.

    """
    if np.isnan(mid):
        return False
    period = at_ns // bar_ns
    completed = False
    if period != bars.period:
        if bars.whole == 1:
            _keep(bars)
            completed = True
        bars.whole = 1 if bars.period != 0 else 0
        bars.period = period
        bars.open = mid
        bars.high = mid
        bars.low = mid
    bars.high = max(bars.high, mid)
    bars.low = min(bars.low, mid)
    bars.close = mid
    return completed


@njit(cache=True)
def bars_kept(bars: Any) -> int:
    """Return how many complete bars can be read."""
    return int(min(bars.count, len(bars.closes)))


@njit(cache=True)
def place_of(bars: Any, back: int) -> int:
    """Return the place in the rings of the bar `back` bars before the newest complete one (0: the newest).

    The caller has seen to ``back < bars_kept(bars)``.
    """
    return int((bars.count - 1 - back) % len(bars.closes))
