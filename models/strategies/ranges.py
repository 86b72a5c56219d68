"""The range the mid has been in: quantiles of the closes a strategy keeps. What it is good for is the strategies' business."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from models.strategies.bars import bars_kept, place_of


@njit(cache=True)
def range_of(bars: Any, least: int, quantile: float) -> tuple[float, float]:
    """Return the low and high quantile of the closes kept.

    Parameters
    ----------
    bars : record of `bars_dtype`
    least : int
        Complete bars without which there is no range.
    quantile : float
        Left out at either end; linear between closes, as `numpy.quantile`.

    Returns
    -------
    (float, float)
        Quote; NaN, NaN before `least` bars.

    """
    kept = bars_kept(bars)
    if kept < least or kept < 2:
        return math.nan, math.nan
    closes = np.empty(kept)
    for back in range(kept):
        closes[back] = bars.closes[place_of(bars, back)]
    closes.sort()
    return _between(closes, quantile), _between(closes, 1.0 - quantile)


@njit(cache=True)
def _between(ordered: Any, quantile: float) -> float:
    at = quantile * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))
