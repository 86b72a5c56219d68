"""Entering as maker: one post-only order kept at the touch until it fills, moved when the market has moved away.

A strategy has `MAKER_ENTRY` in its `STATE` and calls `keep_quoting` while it enters. Once anything has filled, the
rest is left where it is, so that never more is bought than was wanted. What does not belong here: when to begin and
when to give up.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.strategies.intent import CANCEL, HOLD, POST_ONLY, Intent, nothing, place

LEAST_GAP_NS: Final = 1_000_000_000
"""Between orders: one that was refused is not sent again at once."""

MAKER_ENTRY: Final = [("quoted", np.float64), ("quoted_ns", np.int64)]
"""Price of the order that rests, quote (NaN without one or while its cancel is under way), and when the newest one was sent."""


@njit(cache=True)
def keep_quoting(
    market: np.record, state: np.record, share: float, placed: int, moved: int, waiting: int
) -> Intent:
    """Place, move or leave the order of an entry on `state.side`; the book is valid.

    Parameters
    ----------
    market : record of MARKET
    state : record
        With `TOLD`, `MAKER_ENTRY` and `side`; changed in place.
    share : float
        Of capital.
    placed, moved, waiting : int
        Reasons to give.

    Returns
    -------
    Intent

    """
    touch = market.best_bid if state.side > 0 else market.best_ask
    if state.open_orders == 0 and state.position == 0.0:
        if state.quoted_ns != 0 and market.tick_at_ns - state.quoted_ns < LEAST_GAP_NS:
            return nothing(HOLD, waiting)
        state.quoted = touch
        state.quoted_ns = market.tick_at_ns
        return place(POST_ONLY, int(state.side), touch, share, 0, placed)
    if state.position == 0.0 and state.side * (touch - state.quoted) > 0.0:
        state.quoted = math.nan
        return nothing(CANCEL, moved)
    return nothing(HOLD, waiting)
