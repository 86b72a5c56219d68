"""F9, retail flow: the signed share of small orders, over the window of F13.

A retail order is one no larger than a multiple of the rolling median order (`whales.order_multiple`), by default the median
itself: what is small is the symbol's own, as what is large is for whales. An order counts once it is over, when the next one
begins: how large it becomes is not known before, and the first print of a large one is often small.

As the classes of F9 this is a rule of thumb: nothing on a public tape names a participant, and a large order sent in
slices counts as many small ones. What does not belong here: who acts on it.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype
from models.market.features.whale_cvd import MOST_PERIODS

RETAIL_FLOW: Final = record_dtype(
    [
        ("periods_closed", np.int64),
        ("open_orders", np.int64),
        ("open_usd", np.float64),
        ("open_signed_usd", np.float64),
        ("orders", np.int64),  # sums over the window
        ("usd", np.float64),
        ("signed_usd", np.float64),
        ("orders_ring", np.int64, (MOST_PERIODS,)),
        ("usd_ring", np.float64, (MOST_PERIODS,)),
        ("signed_ring", np.float64, (MOST_PERIODS,)),
    ]
)


@njit(cache=True)
def add_order(state: np.record, multiple: float, side: int, notional: float, most_multiple: float) -> None:
    """Add an order that is over to the open period, if it is small.

    Parameters
    ----------
    state : record of RETAIL_FLOW
    multiple : float
        Of the median order; NaN, where that is not known yet, counts as no retail.
    side : int
    notional : float
    most_multiple : float
        Up to and with which an order is small.

    """
    if multiple <= most_multiple:
        state.open_orders += 1
        state.open_usd += notional
        state.open_signed_usd += side * notional


@njit(cache=True)
def _sum_anew(state: np.record, periods: int) -> None:
    usd, signed = 0.0, 0.0
    for i in range(periods):
        usd += state.usd_ring[i]
        signed += state.signed_ring[i]
    state.usd = usd
    state.signed_usd = signed


@njit(cache=True)
def close_period(state: np.record, periods: int) -> None:
    """Close the open period; `periods` are in the window, 1 to `MOST_PERIODS`, the same in every call."""
    slot = state.periods_closed % periods
    state.orders += state.open_orders - state.orders_ring[slot]
    state.usd += state.open_usd - state.usd_ring[slot]
    state.signed_usd += state.open_signed_usd - state.signed_ring[slot]
    state.orders_ring[slot] = state.open_orders
    state.usd_ring[slot] = state.open_usd
    state.signed_ring[slot] = state.open_signed_usd
    state.periods_closed += 1
    state.open_orders = 0
    state.open_usd = 0.0
    state.open_signed_usd = 0.0
    if slot == periods - 1:
        # Summed anew once a round, so that rounding cannot pile up.
        _sum_anew(state, periods)


@njit(cache=True)
def retail_imbalance(state: np.record, periods: int) -> float:
    """Return (buys - sells) / (buys + sells) of small orders, -1 to 1; NaN before the window is full or without any in it."""
    if state.periods_closed < periods or state.orders == 0 or not state.usd > 0.0:
        return math.nan
    return float(max(-1.0, min(1.0, state.signed_usd / state.usd)))
