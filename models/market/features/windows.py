"""Sums and means over trailing time, shared by the families: a ring of ticks, and a mean that forgets exponentially."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

MOST_TICKS: Final = 512

TICK_SUM: Final = record_dtype(
    [("seen", np.int64), ("total", np.float64), ("ring", np.float64, (MOST_TICKS,))]
)

FADING_MEAN: Final = record_dtype(
    [("last_ns", np.int64), ("first_ns", np.int64), ("weighted", np.float64), ("weight", np.float64)]
)


@njit(cache=True)
def add_tick(state: np.record, x: float, ticks: int) -> float:
    """Add a tick's amount and return the sum over the last `ticks` (1 to `MOST_TICKS`, the same in every call)."""
    slot = state.seen % ticks
    total = float(state.total) + x
    if state.seen >= ticks:
        total -= state.ring[slot]
    state.ring[slot] = x
    state.seen += 1
    if slot == ticks - 1:
        # Summed anew once a round, so that rounding cannot pile up.
        total = 0.0
        for i in range(ticks):
            total += state.ring[i]
    state.total = total
    return total


@njit(cache=True)
def add_fading(state: np.record, now_ns: int, x: float, weight: float, time_constant_s: float) -> None:
    """Add an observation with a weight to a mean whose past fades with a time constant."""
    if state.first_ns == 0:
        state.first_ns = now_ns
        state.last_ns = now_ns
    keep = math.exp(-1e-9 * (now_ns - state.last_ns) / time_constant_s)
    state.weighted = keep * state.weighted + weight * x
    state.weight = keep * state.weight + weight
    state.last_ns = now_ns


@njit(cache=True)
def fading_mean(state: np.record, least_s: float) -> float:
    """Return the mean; NaN before observations span `least_s` seconds."""
    if not state.weight > 0.0 or 1e-9 * (state.last_ns - state.first_ns) < least_s:
        return math.nan
    return float(state.weighted / state.weight)
