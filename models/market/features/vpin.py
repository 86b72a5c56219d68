"""F3, true VPIN: mean order imbalance of the last n buckets of equal traded notional, from the taker's sides.

VPIN = mean of |Vb - Vs| / (Vb + Vs) over the last n complete buckets (Easley, López de Prado, O'Hara 2012, without their
bulk classification). A trade that overflows a bucket is split, its rest opens the next and may fill several. Before n
buckets are complete the value is undefined. Imbalances are summed as whole numbers of 2**-50, so a sum never drifts and
VPIN stays in [0, 1] whatever the number of trades.

The chance level depends on the trades per bucket (0.246 with ten equal coin flips, 0.080 with a hundred), so beside the
value there is its history: `rank` says which share of the last buckets' values lie below, `quantile` inverts it.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.features.records import record_dtype

MOST_BUCKETS: Final = 256
"""Largest n."""
HISTORY: Final = 4096
"""Values of VPIN, one a bucket, that ranks and quantiles look back on."""
_LEVELS: Final = 256
_ONE: Final = 1 << 50

VPIN: Final = record_dtype(
    [
        ("filled", np.float64),  # notional in the open bucket
        ("imbalance", np.float64),  # signed notional in the open bucket
        ("completed", np.int64),  # buckets closed so far
        ("total", np.int64),  # sum of `ring`
        ("ring", np.int64, (MOST_BUCKETS,)),  # |imbalance| share of the last n buckets, in 2**-50
    ]
)

VPIN_HISTORY: Final = record_dtype(
    [("seen", np.int64), ("ring", np.uint8, (HISTORY,)), ("counts", np.int32, (_LEVELS,))]
)


@njit(cache=True)
def _close(state: np.record, share: float, n: int) -> None:
    units = min(int(share * _ONE + 0.5), _ONE)
    slot = state.completed % n
    state.total += units - state.ring[slot]
    state.ring[slot] = units
    state.completed += 1


@njit(cache=True)
def _overflow(state: np.record, notional: float, side: int, bucket: float, n: int) -> int:
    room = bucket - state.filled
    _close(state, abs(state.imbalance + side * room) / bucket, n)
    rest = notional - room
    whole = int(rest / bucket)
    for _ in range(min(whole, n)):
        _close(state, 1.0, n)
    if whole > n:
        # Every slot holds a full bucket by now; only the place in the ring has to move on.
        state.completed += whole - n
    rest = min(max(rest - whole * bucket, 0.0), bucket)
    state.filled = rest
    state.imbalance = side * rest
    return 1 + whole


@njit(cache=True)
def update(state: np.record, notional: float, side: int, bucket: float, n: int) -> int:
    """Add one trade.

    Parameters
    ----------
    state : record of VPIN
    notional : float
        Price times size, not negative.
    side : int
        The taker's: +1 or -1.
    bucket : float
        Notional of a bucket; the same in every call.
    n : int
        Buckets averaged, 1 to `MOST_BUCKETS`; the same in every call.

    Returns
    -------
    int
        Buckets this trade closed.

    """
    filled = state.filled + notional
    if filled < bucket:
        state.filled = filled
        state.imbalance += side * notional
        return 0
    return _overflow(state, notional, side, bucket, n)


@njit(cache=True)
def value(state: np.record, n: int) -> float:
    """Return VPIN, 0 to 1; NaN before n buckets are complete."""
    if state.completed < n:
        return math.nan
    return float(state.total / (n * float(_ONE)))


@njit(cache=True)
def update_all(
    state: np.record, notionals: NDArray[np.float64], sides: NDArray[np.int8], bucket: float, n: int
) -> int:
    """Add every trade in order; returns the buckets closed."""
    closed = 0
    # The open bucket stays in registers: written back for every trade it would have to be read again for the next.
    filled, imbalance = state.filled, state.imbalance
    for i in range(len(notionals)):
        after = filled + notionals[i]
        if after < bucket:
            filled = after
            imbalance += sides[i] * notionals[i]
        else:
            state.filled = filled
            state.imbalance = imbalance
            closed += _overflow(state, notionals[i], sides[i], bucket, n)
            filled, imbalance = state.filled, state.imbalance
    state.filled = filled
    state.imbalance = imbalance
    return closed


@njit(cache=True)
def remember(history: np.record, vpin: float) -> None:
    """Add the value a bucket closed with to the history; NaN is passed over."""
    if math.isnan(vpin):
        return
    slot = history.seen % HISTORY
    if history.seen >= HISTORY:
        history.counts[history.ring[slot]] -= 1
    level = min(int(vpin * _LEVELS), _LEVELS - 1)
    history.ring[slot] = level
    history.counts[level] += 1
    history.seen += 1


@njit(cache=True)
def rank(history: np.record, vpin: float, least: int) -> float:
    """Return the share of remembered values below `vpin` (ties half), to 1/256 of VPIN; NaN before `least` values."""
    held = min(history.seen, HISTORY)
    if math.isnan(vpin) or held < max(least, 1):
        return math.nan
    level = min(int(vpin * _LEVELS), _LEVELS - 1)
    below = 0
    for i in range(level):
        below += history.counts[i]
    return float((below + 0.5 * history.counts[level]) / held)


@njit(cache=True)
def quantile(history: np.record, probability: float, least: int) -> float:
    """Return the value below which a share of the remembered ones lie, to 1/256; NaN before `least` values."""
    held = min(history.seen, HISTORY)
    if held < max(least, 1):
        return math.nan
    wanted = probability * held
    below = 0.0
    for i in range(_LEVELS):
        here = history.counts[i]
        if here > 0 and below + here >= wanted:
            return float((i + (wanted - below) / here) / _LEVELS)
        below += here
    return 1.0
