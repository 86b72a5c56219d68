"""F15 on the live path: the regime of a window of bars as a compiled step, with hysteresis and a minimum dwell.

Evidence of the window: trend efficiency (Kaufman), permutation entropy (Bandt and Pompe), volatility and volume of the
newer half over the older, Hurst exponent. A regime is entered at its threshold and kept until its figure has fallen
below the (lower) threshold of leaving; and whatever the figures say, it is kept for a least number of bars. Only
UNKNOWN is left at once.

`rules.py` labels trades from closes alone, without memory; a fitted model is `hmm.py`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.features.records import record_dtype
from models.regimes import rules

UNKNOWN: Final = 0
MARKUP: Final = 1
MARKDOWN: Final = 2
RANGE: Final = 3
DISTRIBUTION: Final = 4
HIGH_ENTROPY: Final = 5

REGIME_NAMES: Final = {
    UNKNOWN: rules.UNKNOWN,
    MARKUP: rules.IMPULSE_UP,
    MARKDOWN: rules.IMPULSE_DOWN,
    RANGE: rules.RANGE,
    DISTRIBUTION: rules.DISTRIBUTION,
    HIGH_ENTROPY: rules.HIGH_ENTROPY,
}
"""The codes' names are those of `rules.py`."""

MOST_ORDER: Final = 6

REGIME_STATE: Final = record_dtype([("regime", np.int64), ("dwelt", np.int64), ("changes", np.int64)])
"""Regime now, bars since it was entered, changes so far."""


class RegimeKernelParams(NamedTuple):
    """Thresholds to enter and to leave; the meaning of the first four is that of `rules.RegimeParams`."""

    bars: int = 96
    trend_efficiency: float = 0.35
    volatile: float = 1.5
    entropy: float = 0.985
    leave_trend_efficiency: float = 0.25
    leave_volatile: float = 1.2
    leave_entropy: float = 0.97
    noise_hurst: float = 0.375
    distribution_volume: float = 1.0
    least_dwell_bars: int = 10


class Evidence(NamedTuple):
    """What a window of bars shows; NaN where undefined.

    Attributes
    ----------
    direction : int
        Sign of last close minus first.
    efficiency : float
        0 to 1.
    entropy : float
        Normalised, order 3, 0 to 1.
    volatility_ratio, volume_ratio : float
        Newer half over older half.
    hurst : float

    """

    direction: int
    efficiency: float
    entropy: float
    volatility_ratio: float
    volume_ratio: float
    hurst: float


@njit(cache=True)
def efficiency_ratio(closes: NDArray[np.float64]) -> float:
    """Return distance travelled over path length, 0 to 1; NaN where the price never moved."""
    path = 0.0
    for i in range(1, len(closes)):
        path += abs(closes[i] - closes[i - 1])
    return abs(closes[-1] - closes[0]) / path if path > 0.0 else math.nan


@njit(cache=True)
def permutation_entropy(values: NDArray[np.float64], order: int, delay: int) -> float:
    """Return the normalised permutation entropy, 0 to 1; ties rank by position.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    order : int
        2 to `MOST_ORDER`.
    delay : int

    Returns
    -------
    float
        NaN with no window of that order.

    """
    windows = len(values) - (order - 1) * delay
    if windows < 1:
        return math.nan
    patterns = 1
    for i in range(2, order + 1):
        patterns *= i
    counts = np.zeros(patterns, dtype=np.int64)
    for start in range(windows):
        code = 0
        for i in range(order):
            smaller = 0
            for j in range(i + 1, order):
                if values[start + j * delay] < values[start + i * delay]:
                    smaller += 1
            code = code * (order - i) + smaller
        counts[code] += 1
    entropy = 0.0
    for count in counts:
        if count > 0:
            share = count / windows
            entropy -= share * math.log2(share)
    return abs(entropy) / math.log2(patterns)


@njit(cache=True)
def realised_volatility(closes: NDArray[np.float64]) -> float:
    """Return the root of the sum of squared log returns."""
    total = 0.0
    for i in range(1, len(closes)):
        step = math.log(closes[i] / closes[i - 1])
        total += step * step
    return math.sqrt(total)


@njit(cache=True)
def _ratio(newer: float, older: float) -> float:
    return newer / older if older > 0.0 else math.nan


@njit(cache=True)
def evidence_of(closes: NDArray[np.float64], volumes: NDArray[np.float64], hurst: float) -> Evidence:
    """Measure a window of bars, the newest last."""
    half = len(closes) // 2
    older = realised_volatility(closes[: half + 1]) / math.sqrt(half)
    newer = realised_volatility(closes[half:]) / math.sqrt(len(closes) - 1 - half)
    older_volume, newer_volume = float(np.mean(volumes[:half])), float(np.mean(volumes[half:]))
    return Evidence(
        int(np.sign(closes[-1] - closes[0])),
        efficiency_ratio(closes),
        permutation_entropy(closes, 3, 1),
        _ratio(newer, older),
        _ratio(newer_volume, older_volume),
        hurst,
    )


@njit(cache=True)
def _limit(kept: bool, leave: float, enter: float) -> float:
    return leave if kept else enter


@njit(cache=True)
def classify(evidence: Evidence, now: int, params: RegimeKernelParams) -> int:
    """Return the regime the evidence speaks for; the regime of now is held to its lower threshold.

    A trend needs efficiency and a Hurst exponent that does not say NOISE (an undefined one does not).
    DISTRIBUTION is a rise of volatility without progress, on volume that has not fallen.
    """
    if math.isnan(evidence.efficiency):
        return UNKNOWN
    trending = MARKUP if evidence.direction > 0 else MARKDOWN
    efficient = evidence.efficiency >= _limit(
        now == trending, params.leave_trend_efficiency, params.trend_efficiency
    )
    if efficient and not evidence.hurst < params.noise_hurst:
        return trending
    volatile = _limit(now == DISTRIBUTION, params.leave_volatile, params.volatile)
    if evidence.volatility_ratio >= volatile and not evidence.volume_ratio < params.distribution_volume:
        return DISTRIBUTION
    if evidence.entropy >= _limit(now == HIGH_ENTROPY, params.leave_entropy, params.entropy):
        return HIGH_ENTROPY
    return RANGE


@njit(cache=True)
def step(state: np.record, evidence: Evidence, params: RegimeKernelParams) -> int:
    """Take the evidence of one more bar and return the regime, changed only after the least dwell.

    Parameters
    ----------
    state : record of REGIME_STATE
    evidence : Evidence
    params : RegimeKernelParams

    """
    now = int(state.regime)
    found = classify(evidence, now, params)
    dwelt = int(state.dwelt) + 1
    if found != now and (now == UNKNOWN or dwelt >= params.least_dwell_bars):
        state.regime = found
        state.dwelt = 0
        state.changes += 1
        return found
    state.dwelt = dwelt
    return now
