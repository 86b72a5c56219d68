"""What a tick-level strategy wants, and what it is told about its own orders: the shapes all of them share.

A strategy is a params tuple, a `STATE` record that begins with `TOLD`, and `step(market, outlook, params, state) -> Intent`.
Whoever drives it writes the `TOLD` fields before each step and carries the intent out. A strategy on two markets has `LEG`
after `TOLD`: it says what it wants to hold of the other market, and is told what it holds. Sizes are shares of capital,
prices quote: ticks, lots and order numbers are the driver's. What does not belong here: rules, and how an intent becomes
orders.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit

# Actions.
HOLD: Final = 0
PLACE: Final = 1
CANCEL: Final = 2
"""Cancel every open order."""
EXIT: Final = 3
"""Cancel every open order and close the position at the market."""

# Kinds of orders to place.
POST_ONLY: Final = 0
LIMIT: Final = 1
MARKET_ORDER: Final = 2

TOLD: Final = [
    ("position", np.float64),
    ("entry_price", np.float64),
    ("open_orders", np.int64),
]
"""Known position (base, signed), its mean entry price (quote; NaN when flat), and orders sent of which the end is not known."""

LEG: Final = [
    ("leg_position", np.float64),
    ("leg_price", np.float64),
    ("leg_pending_s", np.float64),
    ("leg_wanted", np.float64),
]
"""Second leg: position held in the other market (base, signed), its mean entry price (NaN when flat), for how long it has
differed from what is wanted (0 when it does not), and, written by the strategy itself, what it wants to hold (base, signed).
Base is of the other market's own instrument."""


class Intent(NamedTuple):
    """What the strategy wants now.

    Attributes
    ----------
    action : int
        `HOLD`, `PLACE`, `CANCEL` or `EXIT`.
    kind : int
        Of the orders to place: `POST_ONLY`, `LIMIT` or `MARKET_ORDER`.
    side : int
        +1 buy, -1 sell; 0 where nothing is placed.
    price : float
        Of the first order, quote; rounded to a tick away from the market. NaN for `MARKET_ORDER`.
    share : float
        Share of capital, positive, split evenly over the layers; ignored where `reduce_only` is 1: that is the whole position.
    layers : int
        Orders to place, each a tick behind the one before, the last one `deepest_ticks` behind the first.
    deepest_ticks : int
    reduce_only : int
    reason : int
        Code of the strategy's `REASON_NAMES`.

    """

    action: int
    kind: int
    side: int
    price: float
    share: float
    layers: int
    deepest_ticks: int
    reduce_only: int
    reason: int


@njit(cache=True)
def nothing(action: int, reason: int) -> Intent:
    """Return an intent that places no order: `HOLD`, `CANCEL` or `EXIT`."""
    return Intent(action, 0, 0, np.nan, 0.0, 0, 0, 0, reason)


@njit(cache=True)
def place(kind: int, side: int, price: float, share: float, reduce_only: int, reason: int) -> Intent:
    """Return an intent to place one order."""
    return Intent(PLACE, kind, side, price, share, 1, 0, reduce_only, reason)
