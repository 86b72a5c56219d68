"""Strategies on two markets: phases, the second leg that mirrors the first, and leg risk.

The first leg is taken at the market. The second is always minus `ratio` times what is known of the first, so it
follows fills on the way in and on the way out, and a first leg that fails to fill opens no second one. When the
second leg cannot be had, or the other market's prices are too old, both are given up: the first leg is closed and
nothing is wanted of the second (`LEG_RISK`). What does not belong here: when to enter and when to leave.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.strategies.intent import EXIT, HOLD, LEG, MARKET_ORDER, TOLD, Intent, nothing, place

# Phases.
FLAT: Final = 0
ENTERING: Final = 1
HOLDING: Final = 2
EXITING: Final = 3

# Reasons all of them share; a strategy's own begin at `OWN_REASONS`.
NO_SIGNAL: Final = 0
ENTRY: Final = 1
WAITING: Final = 2
CONVERGED: Final = 3
STOP: Final = 4
TIME_OUT: Final = 5
LEG_RISK: Final = 6
BOOK_INVALID: Final = 7
LEFT_OVER: Final = 8
LEG_UNKNOWN: Final = 9
BELOW_COSTS: Final = 10
PRICES_APART: Final = 11
COOLING_DOWN: Final = 12
OWN_REASONS: Final = 20

SHARED_REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    ENTRY: "ENTRY",
    WAITING: "WAITING",
    CONVERGED: "CONVERGED",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    LEG_RISK: "LEG_RISK",
    BOOK_INVALID: "BOOK_INVALID",
    LEFT_OVER: "LEFT_OVER",
    LEG_UNKNOWN: "LEG_UNKNOWN",
    BELOW_COSTS: "BELOW_COSTS",
    PRICES_APART: "PRICES_APART",
    COOLING_DOWN: "COOLING_DOWN",
}

TWO_LEGS: Final = [
    *TOLD,
    *LEG,
    ("phase", np.int64),
    ("side", np.int64),  # of the first leg
    ("ratio", np.float64),  # base of the second leg per base of the first
    ("given_up", np.int64),  # 1 once nothing is wanted of the second leg any more
    ("entered_ns", np.int64),
    ("left_ns", np.int64),  # when it last became flat in both, or an entry came to nothing; 0 before
]


def new_two_legs(dtype: np.dtype[np.record]) -> np.record:
    """Return the state of a strategy flat in both markets; `dtype` begins with `TWO_LEGS`."""
    state = np.zeros(1, dtype=dtype)[0]
    state.entry_price = np.nan
    state.leg_price = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def synchronise(state: np.record, at_ns: int) -> None:
    """Move between phases by what is known of both legs, and say what is wanted of the second; first thing in a step."""
    if state.phase == ENTERING:
        if state.position != 0.0:
            state.phase = HOLDING
        elif state.open_orders == 0:
            # Nothing came of it; a rest keeps it from being tried at every tick.
            state.phase = FLAT
            state.left_ns = at_ns
    elif state.phase == HOLDING and state.position == 0.0:
        # Closed by someone else.
        state.phase = EXITING
    if (
        state.phase == EXITING
        and state.position == 0.0
        and state.leg_position == 0.0
        and state.open_orders == 0
    ):
        state.phase = FLAT
        state.left_ns = at_ns
    gone = state.phase == FLAT or state.given_up == 1
    state.leg_wanted = 0.0 if gone else -state.ratio * state.position


@njit(cache=True)
def is_fresh(bid: float, ask: float, seen_ns: int, at_ns: int, age_s: float) -> bool:
    """Return whether the other market's touch is known, is no older than `age_s`, and is not crossed."""
    return bool(seen_ns > 0 and at_ns - seen_ns <= int(1e9 * age_s) and bid > 0.0 and ask >= bid)


@njit(cache=True)
def spread_of(bid: float, ask: float) -> float:
    """Return the bid-ask spread of the other market's touch, a fraction of its price."""
    return float(2.0 * (ask - bid) / (ask + bid))


@njit(cache=True)
def leg_at_risk(state: np.record, seen_ns: int, at_ns: int, most_pending_s: float, stale_s: float) -> bool:
    """Return whether the second leg has differed too long from what is wanted, or its prices are too old to judge it."""
    return bool(state.leg_pending_s > most_pending_s or at_ns - seen_ns > int(1e9 * stale_s))


@njit(cache=True)
def enter(state: np.record, at_ns: int, side: int, ratio: float, share: float) -> Intent:
    """Take the first leg at the market; the second follows what is known of it."""
    state.phase = ENTERING
    state.side = side
    state.ratio = ratio
    state.given_up = 0
    state.entered_ns = at_ns
    return place(MARKET_ORDER, side, math.nan, share, 0, ENTRY)


@njit(cache=True)
def leave(state: np.record, reason: int) -> Intent:
    """Close the first leg; the second follows it, or is given up at once for `LEG_RISK`."""
    state.phase = EXITING
    if reason == LEG_RISK:
        state.given_up = 1
        state.leg_wanted = 0.0
    return nothing(EXIT, reason)


@njit(cache=True)
def wait(market: np.record, state: np.record) -> Intent:
    """Wait for orders under way; an exit that came back unfilled is tried again."""
    if state.phase == EXITING and state.open_orders == 0 and state.position != 0.0 and market.valid != 0:
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
