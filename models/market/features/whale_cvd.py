"""F13, whale CVD: buys minus sells over a window, counted only in periods of more than 3 times the average volume.

A period is compared with the mean of the periods held when it closes, itself not among them. Whale intensity is
100 * |whale CVD| / volume of the window: 0 where big periods balance or are absent, 100 where all volume is in big
one-sided periods.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

MOST_PERIODS: Final = 1024

WHALE_CVD: Final = record_dtype(
    [
        ("closed", np.int64),
        ("open_volume", np.float64),
        ("open_signed", np.float64),
        ("volume", np.float64),  # sums over the window
        ("signed", np.float64),
        ("volumes", np.float64, (MOST_PERIODS,)),
        ("counted", np.float64, (MOST_PERIODS,)),  # signed volume of big periods, 0 of others
    ]
)


@njit(cache=True)
def add_trade(state: np.record, side: int, notional: float) -> None:
    """Add a trade to the open period."""
    state.open_volume += notional
    state.open_signed += side * notional


@njit(cache=True)
def _sum_anew(state: np.record, periods: int) -> None:
    volume, signed = 0.0, 0.0
    for i in range(periods):
        volume += state.volumes[i]
        signed += state.counted[i]
    state.volume = volume
    state.signed = signed


@njit(cache=True)
def close_period(state: np.record, periods: int, multiple: float) -> None:
    """Close the open period.

    Parameters
    ----------
    state : record of WHALE_CVD
    periods : int
        Periods in the window, 1 to `MOST_PERIODS`; the same in every call.
    multiple : float
        Of the average volume, from which a period counts.

    """
    held = min(state.closed, periods)
    big = held > 0 and state.open_volume * held > multiple * state.volume
    counted = state.open_signed if big else 0.0
    slot = state.closed % periods
    state.volume += state.open_volume - state.volumes[slot]
    state.signed += counted - state.counted[slot]
    state.volumes[slot] = state.open_volume
    state.counted[slot] = counted
    state.closed += 1
    state.open_volume = 0.0
    state.open_signed = 0.0
    if slot == periods - 1:
        _sum_anew(state, periods)


@njit(cache=True)
def whale_cvd(state: np.record, periods: int) -> float:
    """Return the whale CVD of the window, quote currency; NaN before the window is full."""
    return float(state.signed) if state.closed >= periods else math.nan


@njit(cache=True)
def whale_intensity(state: np.record, periods: int) -> float:
    """Return the intensity, 0 to 100; NaN before the window is full or where nothing traded in it."""
    if state.closed < periods or not state.volume > 0.0:
        return math.nan
    return float(min(100.0 * abs(state.signed) / state.volume, 100.0))
