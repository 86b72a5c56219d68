"""F11, the cascade anomaly: 5 high-volume trades of one side in a row, alive for 300 s.

A trade is what one taker did: prints of one side with one time stamp are levels of one order, so their sizes add up and
they count once. Only high-volume trades (a multiple of the rolling median) make or break a run: the small ones between them are
passed over, for on a tick-by-tick tape they always come between. A high-volume trade of the other side, or a pause longer than
`most_gap_ns`, starts a new run. Every trade that finds the run complete renews the 300 s. OI_SPIKE is a plain test of
a z-score.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

CASCADE: Final = record_dtype(
    [
        ("side", np.int64),
        ("run", np.int64),
        ("last_ns", np.int64),
        ("alive_until_ns", np.int64),
        ("alive_side", np.int64),
        ("detected", np.int64),  # cascades so far
        (
            "order_ns",
            np.int64,
        ),  # the order under way: time, side, multiple so far, whether it has been counted
        ("order_side", np.int64),
        ("order_multiple", np.float64),
        ("order_counted", np.int64),
    ]
)


@njit(cache=True)
def on_trade(
    state: np.record,
    ts_ns: int,
    side: int,
    multiple: float,
    high_volume: float,
    trades: int,
    most_gap_ns: int,
    alive_ns: int,
) -> bool:
    """Take a print and say whether a cascade begins with it.

    Parameters
    ----------
    state : record of CASCADE
    ts_ns : int
    side : int
    multiple : float
        Of the median size, the print's own.
    high_volume : float
        Multiple from which a trade counts.
    trades : int
        Length of a run that makes a cascade.
    most_gap_ns, alive_ns : int

    """
    if math.isnan(multiple):
        return False
    if ts_ns != state.order_ns or side != state.order_side:
        state.order_ns = ts_ns
        state.order_side = side
        state.order_multiple = 0.0
        state.order_counted = 0
    so_far = float(state.order_multiple) + multiple
    state.order_multiple = so_far
    if state.order_counted != 0 or not so_far >= high_volume:
        return False
    state.order_counted = 1
    follows = side == state.side and ts_ns - state.last_ns <= most_gap_ns
    state.run = state.run + 1 if follows else 1
    state.side = side
    state.last_ns = ts_ns
    if state.run < trades:
        return False
    begins = ts_ns >= state.alive_until_ns or state.alive_side != side
    state.alive_until_ns = ts_ns + alive_ns
    state.alive_side = side
    state.detected += 1 if begins else 0
    return bool(begins)


@njit(cache=True)
def cascade_side(state: np.record, now_ns: int) -> int:
    """Return +1 or -1 while a cascade is alive, else 0."""
    return int(state.alive_side) if now_ns < state.alive_until_ns else 0


@njit(cache=True)
def is_oi_spike(z_oi: float, limit: float) -> bool:
    """Say whether open interest changes abruptly, either way; never on an undefined z."""
    return not math.isnan(z_oi) and abs(z_oi) > limit
