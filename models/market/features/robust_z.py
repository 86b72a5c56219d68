"""Robust z-scores over hours: (x - median) / (1.4826 * MAD + epsilon), streaming, in bounded memory.

A window of W is held as `BLOCKS` histograms of W/16 each on logarithmic bins (`log_bins.py`), on a fixed grid of time:
the oldest block leaves whole, so the observations held reach back between 15/16 W and W. Against the exact median m and
the exact MAD of just those observations, with a = 1/128 and the bins' `unit`, the values returned hold

    |m' - m|     <= a / (1 - a) * max(|lower middle|', |upper middle|') + unit
    |MAD' - MAD| <= a / (1 - a) * (|m'| + MAD') + |m' - m| + unit

as long as no observation exceeds 2**32 units in size. `error_bound` returns both right sides. A single
observation costs two increments; a score walks the bins between the quartiles.

A value is scored against the past alone: score first, observe after. Where 1.4826 * MAD + epsilon is zero the score is
undefined (NaN), never a huge number. Features that are zero most of the time need an epsilon in their own unit.

What does not belong here: which feature has which window, floor or epsilon.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.features.log_bins import BINS, RELATIVE_ERROR, bin_of, middle_of
from models.market.features.records import record_dtype

NORMAL: Final = 1.4826
"""MAD to standard deviation of a normal distribution, as SYSTEMS.md F6 writes it (exact: 1.482602218505602)."""
BLOCKS: Final = 16

ROBUST: Final = record_dtype(
    [
        ("count", np.int64),
        ("pointer", np.int64),  # bin of the lower median when last asked
        ("below", np.int64),  # observations in bins under `pointer`
        ("block", np.int64),  # number of the newest block since the epoch
        ("total", np.int32, (BINS,)),
        ("blocks", np.int32, (BLOCKS, BINS)),
    ]
)


@njit(cache=True)
def median_mad(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the exact median and MAD; of an even number, the mean of the middle two."""
    median = float(np.median(values))
    return median, float(np.median(np.abs(values - median)))


@njit(cache=True)
def score(x: float, median: float, mad: float, epsilon: float) -> float:
    """Return (x - median) / (1.4826 * mad + epsilon), NaN where the denominator is zero."""
    scale = NORMAL * mad + epsilon
    if not scale > 0.0:
        return math.nan
    return (x - median) / scale


@njit(cache=True)
def _forget(state: np.record, slot: int) -> None:
    total = state.total
    leaving = state.blocks[slot]
    removed = 0
    for i in range(BINS):
        if leaving[i] != 0:
            total[i] -= leaving[i]
            removed += leaving[i]
            leaving[i] = 0
    if removed > 0:
        state.count -= removed
        state.pointer = 0
        state.below = 0


@njit(cache=True)
def advance(state: np.record, now_ns: int, window_ns: int) -> None:
    """Drop the blocks that have left the window by `now_ns`; time never runs backwards."""
    block = now_ns // max(window_ns // BLOCKS, 1)
    if block <= state.block:
        return
    for step in range(min(block - state.block, BLOCKS)):
        _forget(state, (block - step) % BLOCKS)
    state.block = block


@njit(cache=True)
def observe(state: np.record, now_ns: int, x: float, window_ns: int, unit: float) -> None:
    """Add one observation.

    Parameters
    ----------
    state : record of ROBUST
    now_ns : int
    x : float
        Not-a-number is passed over.
    window_ns : int
    unit : float
        Sizes under it count as zero; see `log_bins`.

    """
    advance(state, now_ns, window_ns)
    if math.isnan(x):
        return
    i = bin_of(x, unit)
    state.total[i] += 1
    state.blocks[state.block % BLOCKS, i] += 1
    state.count += 1
    if i < state.pointer:
        state.below += 1


@njit(cache=True)
def seek(state: np.record, rank: int) -> int:
    """Move the pointer to the bin that holds the observation of a rank (0 is the smallest)."""
    total = state.total
    p = state.pointer
    below = state.below
    while below > rank:
        p -= 1
        below -= total[p]
    while below + total[p] <= rank:
        below += total[p]
        p += 1
    state.pointer = p
    state.below = below
    return int(p)


@njit(cache=True)
def _middle_bins(state: np.record) -> tuple[int, int]:
    lower = seek(state, (state.count - 1) // 2)
    upper = lower
    if state.below + state.total[lower] <= state.count // 2:
        upper += 1
        while state.total[upper] == 0:
            upper += 1
    return lower, upper


@njit(cache=True)
def _mad(total: NDArray[np.int32], count: int, median: float, start: int, unit: float) -> float:
    """Walk outwards from the median, nearest bin first, to the middle of the distances."""
    left, right = start, start + 1
    seen, lower = 0, -1.0
    while True:
        while left >= 0 and total[left] == 0:
            left -= 1
        while right < BINS and total[right] == 0:
            right += 1
        to_left = median - middle_of(left, unit) if left >= 0 else math.inf
        to_right = middle_of(right, unit) - median if right < BINS else math.inf
        if to_left <= to_right:
            distance = to_left
            seen += total[left]
            left -= 1
        else:
            distance = to_right
            seen += total[right]
            right += 1
        if lower < 0.0 and seen > (count - 1) // 2:
            lower = distance
        if seen > count // 2:
            return 0.5 * (lower + distance)


@njit(cache=True)
def location_scale(state: np.record, unit: float) -> tuple[float, float]:
    """Return median and MAD of the observations held, NaN without any."""
    if state.count == 0:
        return math.nan, math.nan
    lower, upper = _middle_bins(state)
    median = 0.5 * (middle_of(lower, unit) + middle_of(upper, unit))
    return median, _mad(state.total, state.count, median, lower, unit)


@njit(cache=True)
def robust_z(state: np.record, x: float, epsilon: float, unit: float, least_count: int) -> float:
    """Score a value against the observations held.

    Parameters
    ----------
    state : record of ROBUST
    x : float
    epsilon : float
        Added to the scale; in the unit of `x`.
    unit : float
        The one the observations were added with.
    least_count : int
        NaN while fewer observations are held.

    Returns
    -------
    float

    """
    if math.isnan(x) or state.count < max(least_count, 1):
        return math.nan
    median, mad = location_scale(state, unit)
    return score(x, median, mad, epsilon)


@njit(cache=True)
def error_bound(state: np.record, unit: float) -> tuple[float, float]:
    """Return the largest possible errors of median and MAD as `location_scale` gives them now."""
    lower, upper = _middle_bins(state)
    median, mad = location_scale(state, unit)
    relative = RELATIVE_ERROR / (1.0 - RELATIVE_ERROR)
    widest = max(abs(middle_of(lower, unit)), abs(middle_of(upper, unit)))
    of_median = relative * widest + unit
    return of_median, relative * (abs(median) + mad) + of_median + unit
