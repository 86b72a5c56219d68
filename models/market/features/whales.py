"""F9 and F10: whale trades against the rolling median trade, classes of participants, the impact of a whale.

A trade of at least 10 times the median of the last 1024 is a whale inflow, of at least 20 times a whale; the median is
exact but for the width of a logarithmic bin (1/128). Sizes are notionals.

An order that walks the book prints once per level. `order_multiple` takes the prints of one venue time and side as one order
and says how large it is so far: a whale is known at the print that makes it one, never earlier.

Classes are a rule of thumb: nothing on a public tape names a participant. Institutional: an inflow. Arbitrage: at least
twice the median, towards the index from a mid that stands off it. Market maker: up to five medians, within 100 ms after
a trade of the other side. Retail: the rest.

Impact of a whale: side * (mid after - mid before) in bps of the mid before, where "before" is the mid known when its
print arrived and "after" the mid at the first tick `delay` later. Its reversion is how far the mid has come back from
there at 0.5, 1, 2 and 5 s. What does not belong here: who acts on it.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.log_bins import BINS, bin_of, middle_of
from models.market.features.records import record_dtype
from models.market.features.robust_z import seek

TRADES: Final = 1024
"""Trades the median is taken of."""
NOTIONAL_UNIT: Final = 2.0**-6
"""Smallest notional told apart from zero; the largest is 6.7e7."""

NO_CLASS: Final = 0
RETAIL: Final = 1
MARKET_MAKER: Final = 2
ARBITRAGE: Final = 3
INSTITUTIONAL: Final = 4

CLASS_NAMES: Final = {
    NO_CLASS: "NO_CLASS",
    RETAIL: "RETAIL",
    MARKET_MAKER: "MARKET_MAKER",
    ARBITRAGE: "ARBITRAGE",
    INSTITUTIONAL: "INSTITUTIONAL",
}

TRADE_SIZES: Final = record_dtype(
    [
        ("seen", np.int64),
        ("pointer", np.int64),
        ("below", np.int64),
        (
            "order_ns",
            np.int64,
        ),  # the order under way: its venue time, side, notional, multiple before and with its last print
        ("order_side", np.int64),
        ("order_usd", np.float64),
        ("order_before", np.float64),
        ("order_now", np.float64),
        ("total", np.int32, (BINS,)),
        ("ring", np.uint16, (TRADES,)),
    ]
)

HORIZONS_NS: Final = (500_000_000, 1_000_000_000, 2_000_000_000, 5_000_000_000)
"""Times after the trade at which its reversion is read."""
_SLOTS: Final = 8

IMPACT: Final = record_dtype(
    [
        ("started", np.int64),  # whales followed so far
        ("latest", np.int64),  # number of the newest whale whose impact is known, plus one; 0 for none
        ("ts", np.int64, (_SLOTS,)),
        ("side", np.int64, (_SLOTS,)),
        ("stage", np.int64, (_SLOTS,)),  # 0 waits for the impact, 1 to 4 for a horizon, 5 done
        ("before", np.float64, (_SLOTS,)),
        ("after", np.float64, (_SLOTS,)),
        ("impact_bps", np.float64, (_SLOTS,)),
        ("reversion_bps", np.float64, (_SLOTS, 4)),
    ]
)


@njit(cache=True)
def size_multiple(state: np.record, notional: float, least_trades: int) -> float:
    """Return a trade's notional over the rolling median of the trades before it; NaN before `least_trades`."""
    held = min(state.seen, TRADES)
    if held < max(least_trades, 1):
        return math.nan
    median = middle_of(seek(state, (held - 1) // 2), NOTIONAL_UNIT)
    return notional / median if median > 0.0 else math.nan


@njit(cache=True)
def add_size(state: np.record, notional: float) -> None:
    """Add a trade to the sizes the median is taken of."""
    slot = state.seen % TRADES
    if state.seen >= TRADES:
        old = state.ring[slot]
        state.total[old] -= 1
        if old < state.pointer:
            state.below -= 1
    new = bin_of(notional, NOTIONAL_UNIT)
    state.ring[slot] = new
    state.total[new] += 1
    if new < state.pointer:
        state.below += 1
    state.seen += 1


@njit(cache=True)
def ends_order(state: np.record, exch_ns: int, side: int) -> bool:
    """Say whether the order under way is over with a print of this venue time and side; false where there is none."""
    return bool(state.order_usd > 0.0 and not (exch_ns == state.order_ns and side == state.order_side))


@njit(cache=True)
def order_multiple(state: np.record, exch_ns: int, side: int, notional: float, least_trades: int) -> float:
    """Take a print and return its order's notional so far over the rolling median of the orders before it.

    Prints of one venue time and side are one order; the median is then one of orders. Use this or `size_multiple` with
    `add_size`, not both.

    Parameters
    ----------
    state : record of TRADE_SIZES
    exch_ns : int
        Venue time of the print.
    side : int
    notional : float
    least_trades : int
        NaN before so many orders.

    """
    so_far = float(state.order_usd)
    is_over = ends_order(state, exch_ns, side)
    if is_over:
        add_size(state, so_far)
    if is_over or not so_far > 0.0:
        state.order_ns = exch_ns
        state.order_side = side
        state.order_now = 0.0
        so_far = 0.0
    state.order_usd = so_far + notional
    state.order_before = state.order_now
    state.order_now = size_multiple(state, so_far + notional, least_trades)
    return float(state.order_now)


@njit(cache=True)
def crosses(state: np.record, limit: float) -> bool:
    """Say whether the order under way has reached a multiple with its last print: true once an order."""
    return bool(state.order_now >= limit and not state.order_before >= limit)


@njit(cache=True)
def participant(
    multiple: float, side: int, since_previous_ns: int, previous_side: int, basis: float, least_basis: float
) -> int:
    """Return the class of a trade's taker.

    Parameters
    ----------
    multiple : float
        Of the median size; NaN gives `NO_CLASS`.
    side : int
    since_previous_ns : int
        Time since the trade before.
    previous_side : int
    basis : float
        (mid - index) / index; NaN where there is no index.
    least_basis : float
        Size of the basis from which closing it counts as arbitrage.

    """
    if math.isnan(multiple):
        return NO_CLASS
    if multiple >= 10.0:
        return INSTITUTIONAL
    if multiple >= 2.0 and -side * basis >= least_basis:
        return ARBITRAGE
    if multiple <= 5.0 and previous_side == -side and since_previous_ns <= 100_000_000:
        return MARKET_MAKER
    return RETAIL


@njit(cache=True)
def start_impact(state: np.record, ts_ns: int, side: int, mid: float) -> None:
    """Follow a whale trade; the ninth at once pushes out the oldest."""
    slot = state.started % _SLOTS
    state.ts[slot] = ts_ns
    state.side[slot] = side
    state.stage[slot] = 0
    state.before[slot] = mid
    state.after[slot] = math.nan
    state.impact_bps[slot] = math.nan
    for i in range(4):
        state.reversion_bps[slot, i] = math.nan
    state.started += 1


@njit(cache=True)
def _follow(state: np.record, number: int, now_ns: int, mid: float, delay_ns: int) -> None:
    slot = number % _SLOTS
    age = now_ns - state.ts[slot]
    if state.stage[slot] == 0 and age >= delay_ns:
        state.after[slot] = mid
        state.impact_bps[slot] = 1e4 * state.side[slot] * (mid - state.before[slot]) / state.before[slot]
        state.stage[slot] = 1
        state.latest = max(state.latest, number + 1)
    while 1 <= state.stage[slot] <= 4 and age >= HORIZONS_NS[state.stage[slot] - 1]:
        back = -state.side[slot] * (mid - state.after[slot])
        state.reversion_bps[slot, state.stage[slot] - 1] = 1e4 * back / state.before[slot]
        state.stage[slot] += 1


@njit(cache=True)
def follow_impacts(state: np.record, now_ns: int, mid: float, delay_ns: int) -> None:
    """Read the mid for every whale followed; an undefined mid is waited out.

    Parameters
    ----------
    state : record of IMPACT
    now_ns : int
    mid : float
    delay_ns : int
        From the print to the mid after; not longer than the first horizon.

    """
    if math.isnan(mid):
        return
    for number in range(max(state.started - _SLOTS, 0), state.started):
        if state.stage[number % _SLOTS] <= 4:
            _follow(state, number, now_ns, mid, delay_ns)
