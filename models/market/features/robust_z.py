"""Robust z-scores over hours: (x - median) / (1.4826 * MAD + epsilon), streaming, in bounded memory.

A window of W is held as `BLOCKS` histograms of W/16 each on logarithmic bins (`log_bins.py`), on a fixed grid of time:
the oldest block leaves whole, so the observations held reach back between 15/16 W and W. Against the exact median m and
the exact MAD of just those observations, with a = 1/128 and the bins' `unit`, the values returned hold

    |m' - m|     <= a / (1 - a) * max(|lower middle|', |upper middle|') + unit
    |MAD' - MAD| <= a / (1 - a) * (|m'| + MAD') + |m' - m| + unit

as long as no observation exceeds 2**32 units in size. `error_bound` returns both right sides. A single
observation costs two increments. A score moves the bin of the median and the edges of the nearest half of the observations
from where the last score left them: a few bins, however far apart the quartiles lie.

A value is scored against the past alone: score first, observe after. Where 1.4826 * MAD + epsilon is zero the score is
undefined (NaN), never a huge number. Features that are zero most of the time need an epsilon in their own unit.

What does not belong here: which feature has which window, floor or epsilon.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros
from numpy.typing import NDArray

from models.market.features.log_bins import BINS, RELATIVE_ERROR, bin_of, middle_of
from models.market.features.records import record_dtype

NORMAL: Final = 1.4826
"""MAD to standard deviation of a normal distribution, as SYSTEMS.md F6 writes it (exact: 1.482602218505602)."""
BLOCKS: Final = 16
WORDS: Final = BINS // 64 + 1
_ONE: Final = np.uint64(1)
_NONE: Final = np.uint64(0)

ROBUST: Final = record_dtype(
    [
        ("count", np.int64),
        ("pointer", np.int64),  # bin of the lower median when last asked
        ("below", np.int64),  # observations in bins under `pointer`
        ("block", np.int64),  # number of the newest block since the epoch
        ("block_ends_ns", np.int64),
        (
            "left",
            np.int64,
        ),  # the bins between these two, without them, hold `inside` observations: those nearest
        ("right", np.int64),  # to the median when last asked
        ("inside", np.int64),
        ("occupied", np.uint64, (WORDS,)),  # a bit per bin that holds any
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
            if total[i] == 0:
                state.occupied[i >> 6] &= ~(_ONE << np.uint64(i & 63))
    if removed > 0:
        state.count -= removed
        state.pointer = 0
        state.below = 0
        state.left = 0
        state.right = 0


@njit(cache=True)
def advance(state: np.record, now_ns: int, window_ns: int) -> None:
    """Drop the blocks that have left the window by `now_ns`; time never runs backwards, `window_ns` never changes."""
    if now_ns < state.block_ends_ns:
        return
    width_ns = max(window_ns // BLOCKS, 1)
    block = now_ns // width_ns
    for step in range(min(block - state.block, BLOCKS)):
        _forget(state, (block - step) % BLOCKS)
    state.block = block
    state.block_ends_ns = (block + 1) * width_ns


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
    state.occupied[i >> 6] |= _ONE << np.uint64(i & 63)
    state.blocks[state.block % BLOCKS, i] += 1
    state.count += 1
    if i < state.pointer:
        state.below += 1
    if state.left < i < state.right:
        state.inside += 1


@njit(cache=True)
def seek(state: np.record, rank: int) -> int:
    """Move the pointer to the bin that holds the observation of a rank (0 is the smallest), bin by bin.

    For any record with `total`, `pointer` and `below`; it is quick where neighbouring bins are occupied.
    """
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
def _occupied_up(words: NDArray[np.uint64], i: int) -> int:
    """First occupied bin from `i` upwards, `BINS` when there is none."""
    number = i >> 6
    word = words[number] & (~_NONE << np.uint64(i & 63))
    while word == _NONE:
        number += 1
        if number >= WORDS:
            return BINS
        word = words[number]
    return int((number << 6) + np.int64(trailing_zeros(word)))  # type: ignore[call-arg]


@njit(cache=True)
def _occupied_down(words: NDArray[np.uint64], i: int) -> int:
    """First occupied bin from `i` downwards, -1 when there is none."""
    if i < 0:
        return -1
    number = i >> 6
    word = words[number] & (~_NONE >> np.uint64(63 - (i & 63)))
    while word == _NONE:
        number -= 1
        if number < 0:
            return -1
        word = words[number]
    return int((number << 6) + np.int64(63) - np.int64(leading_zeros(word)))  # type: ignore[call-arg]


@njit(cache=True)
def _middle_bins(state: np.record) -> tuple[int, int]:
    """Bins of the lower and the upper median: `seek` from one occupied bin to the next."""
    total, words, rank = state.total, state.occupied, (state.count - 1) // 2
    p, below = state.pointer, state.below
    while below > rank:
        p = _occupied_down(words, p - 1)
        below -= total[p]
    while below + total[p] <= rank:
        below += total[p]
        p = _occupied_up(words, p + 1)
    state.pointer, state.below = p, below
    if below + total[p] <= state.count // 2:
        return p, _occupied_up(words, p + 1)
    return p, p


@njit(cache=True)
def _distances(median: float, left: int, right: int, unit: float, absent: float) -> tuple[float, float]:
    """Distances of two bins from the median, `absent` for one of -1 or `BINS`."""
    to_left = median - middle_of(left, unit) if left >= 0 else absent
    to_right = middle_of(right, unit) - median if right < BINS else absent
    return to_left, to_right


@njit(cache=True)
def _farthest(words: NDArray[np.uint64], left: int, right: int, lower: int) -> tuple[int, int]:
    """Outermost occupied bins between two, to `lower` and from there on; -1 and `BINS` when there are none."""
    first, last = _occupied_up(words, left + 1), _occupied_down(words, right - 1)
    return (first if first <= lower else -1), (last if last > lower else BINS)


@njit(cache=True)
def _mad(state: np.record, median: float, lower: int, unit: float) -> float:
    """Move the edges until what lies between them is just more than half of the observations, the nearest ones.

    By distance from the median, the left of two equals first, the observations have an order; the middle of it is sought. Bins to
    `lower` are left of the median. The edges may start anywhere around it: what comes is the same.
    """
    total, words, half = state.total, state.occupied, state.count // 2
    left, right, inside = state.left, state.right, state.inside
    if not left <= lower < right:
        left, right, inside = lower, lower + 1, 0
    while True:
        outer = _occupied_down(words, left), _occupied_up(words, right)
        inner = _farthest(words, left, right, lower)
        to_left, to_right = _distances(median, outer[0], outer[1], unit, math.inf)
        from_left, from_right = _distances(median, inner[0], inner[1], unit, -1.0)
        next_is_left, last_is_left = to_left <= to_right, from_left > from_right
        nearest, farthest = min(to_left, to_right), max(from_left, from_right)
        early = nearest < farthest or (nearest == farthest and next_is_left and not last_is_left)
        if inside <= half or early:
            inside += total[outer[0]] if next_is_left else total[outer[1]]
            left, right = (outer[0] - 1, right) if next_is_left else (left, outer[1] + 1)
            continue
        before = inside - (total[inner[0]] if last_is_left else total[inner[1]])
        if before <= half:
            break
        inside = before
        left, right = (inner[0], right) if last_is_left else (left, inner[1])
    state.left, state.right, state.inside = left, right, inside
    if before <= (state.count - 1) // 2:
        return farthest
    # The middle two are in different bins: the one before is the farthest of what remains without the last.
    left, right = (inner[0], right) if last_is_left else (left, inner[1])
    first, last = _farthest(words, left, right, lower)
    from_left, from_right = _distances(median, first, last, unit, -1.0)
    return 0.5 * (max(from_left, from_right) + farthest)


@njit(cache=True)
def location_scale(state: np.record, unit: float) -> tuple[float, float]:
    """Return median and MAD of the observations held, NaN without any."""
    if state.count == 0:
        return math.nan, math.nan
    lower, upper = _middle_bins(state)
    median = 0.5 * (middle_of(lower, unit) + middle_of(upper, unit))
    return median, _mad(state, median, lower, unit)


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
