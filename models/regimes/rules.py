"""Market regime from closing prices, by rules.

Here belongs the label that trades and the regime matrix are keyed by. It uses what five-minute closes alone can tell: trend
efficiency (Kaufman 1995), realised volatility now against before, and permutation entropy (Bandt and Pompe 2002). Labels that
need order flow, volume or a fitted model do not belong here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

IMPULSE_UP = "IMPULSE_MARKUP"
IMPULSE_DOWN = "IMPULSE_MARKDOWN"
RANGE = "RANGE"
DISTRIBUTION = "DISTRIBUTION"
HIGH_ENTROPY = "HIGH_ENTROPY"
UNKNOWN = "UNKNOWN"

REGIMES: tuple[str, ...] = (IMPULSE_UP, IMPULSE_DOWN, RANGE, DISTRIBUTION, HIGH_ENTROPY, UNKNOWN)


@dataclass(frozen=True)
class RegimeParams:
    """Thresholds of the rules.

    Attributes
    ----------
    bars : int
        Closes looked at; fewer give ``UNKNOWN``.
    trend_efficiency : float
        From here on the move is a trend.
    volatile : float
        Volatility of the newer half against the older half from which prices are called unsettled.
    entropy : float
        Normalised permutation entropy of order 3 from which direction is called unpredictable.

    """

    bars: int = 96
    trend_efficiency: float = 0.35
    volatile: float = 1.5
    entropy: float = 0.985


def efficiency_ratio(closes: Floats) -> float:
    """Distance travelled over path length, 0 to 1; NaN where the price never moved (Kaufman 1995)."""
    path = float(np.abs(np.diff(closes)).sum())
    return abs(float(closes[-1] - closes[0])) / path if path > 0.0 else math.nan


def permutation_entropy(values: Floats, order: int = 3) -> float:
    """Normalised permutation entropy, 0 to 1 (Bandt and Pompe 2002); ties rank by position.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        At least `order` values.
    order : int

    Returns
    -------
    float

    """
    windows = np.lib.stride_tricks.sliding_window_view(values, order)
    ranks = np.argsort(windows, axis=1, kind="stable")
    codes = ranks @ (order ** np.arange(order))
    _, counts = np.unique(codes, return_counts=True)
    share = counts / counts.sum()
    entropy = -float((share * np.log2(share)).sum())
    return abs(entropy) / math.log2(math.factorial(order))


def classify_regime(closes: Floats, params: RegimeParams | None = None) -> str:
    """Label the market by its last closes.

    Parameters
    ----------
    closes : ndarray of float64, shape (n,)
        Five-minute closes in time order, the newest last; only closed bars.
    params : RegimeParams, optional

    Returns
    -------
    str
        One of `REGIMES`; ``UNKNOWN`` with fewer than ``params.bars`` closes or a price that never moved.

    """
    chosen = params or RegimeParams()
    window = np.asarray(closes, dtype=np.float64)[-chosen.bars :]
    if len(window) < chosen.bars or not np.all(window > 0.0):
        return UNKNOWN
    efficiency = efficiency_ratio(window)
    if math.isnan(efficiency):
        return UNKNOWN
    if efficiency >= chosen.trend_efficiency:
        return IMPULSE_UP if window[-1] > window[0] else IMPULSE_DOWN
    returns = np.diff(np.log(window))
    half = len(returns) // 2
    older, newer = float(returns[:half].std()), float(returns[half:].std())
    if older > 0.0 and newer / older >= chosen.volatile:
        return DISTRIBUTION
    return HIGH_ENTROPY if permutation_entropy(window) >= chosen.entropy else RANGE
