"""One trade at a time: in by a market order, out at a stop, a target or a time, whichever comes first.

A strategy has `TRADE` after `TOLD` in its `STATE`, calls `synchronise` at each tick, `begin` when its rule says so, and
`manage` while it is not `FLAT`. Stop and target are prices of the mid, fixed when the entry is sent, so that the spread paid
is no move against us. The target rests as a reduce-only maker order; the stop is watched at every tick with a valid book. An
exit that comes back unfilled is sent again. What does not belong here: when to begin, and reasons to leave of a strategy's
own (`leave`).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

from models.strategies.intent import CANCEL, EXIT, HOLD, MARKET_ORDER, POST_ONLY, Intent, nothing, place

# Phases.
FLAT: Final = 0
ENTERING: Final = 1
HOLDING: Final = 2
EXITING: Final = 3

# Reasons all such strategies share; their own begin at OWN_REASONS.
NO_SIGNAL: Final = 0
ENTRY: Final = 1
WAITING: Final = 2
BOOK_INVALID: Final = 3
COOLDOWN: Final = 4
COSTS: Final = 5
TARGET_ORDER: Final = 6
TARGET: Final = 7
STOP: Final = 8
TIME_OUT: Final = 9
LEFT_OVER: Final = 10
OWN_REASONS: Final = 16

TRADE_REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    ENTRY: "ENTRY",
    WAITING: "WAITING",
    BOOK_INVALID: "BOOK_INVALID",
    COOLDOWN: "COOLDOWN",
    COSTS: "COSTS",
    TARGET_ORDER: "TARGET_ORDER",
    TARGET: "TARGET",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    LEFT_OVER: "LEFT_OVER",
}

TRADE: Final = [
    ("phase", np.int64),
    ("side", np.int64),
    ("sent_ns", np.int64),  # of the entry
    ("until_ns", np.int64),  # the time exit
    ("ended_ns", np.int64),  # when it was flat again; 0 before the first trade
    ("entry_mid", np.float64),
    ("stop_price", np.float64),
    ("target_price", np.float64),  # NaN without a target
]
"""A `STATE` needs a field of its own after these: Numba takes a record that begins with all of another one for its subtype."""


def new_trade_state(dtype: np.dtype[np.record]) -> np.record:
    """Return a state of zeros that begins with `TOLD` and `TRADE`: flat, no trade yet."""
    state = np.zeros(1, dtype=dtype)[0]
    state.entry_price = state.entry_mid = state.stop_price = state.target_price = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def beats_costs(move: float, spread_bps: float, fees_bps: float, least_edge: float) -> bool:
    """Say whether a move (fraction) is at least `least_edge` times the fees of both sides and the spread; never on NaN."""
    return bool(1e4 * move >= least_edge * (fees_bps + spread_bps))


@njit(cache=True)
def is_cooling(market: Any, state: Any, cooldown_s: float) -> bool:
    """Say whether the last trade, or the last entry that did not fill, ended less than `cooldown_s` ago."""
    return bool(state.ended_ns != 0 and market.tick_at_ns - state.ended_ns < int(1e9 * cooldown_s))


@njit(cache=True)
def synchronise(market: Any, state: Any) -> None:
    """Move between phases by what is known of our orders; a position nobody asked for is to be closed."""
    if state.phase == FLAT:
        if state.position != 0.0:
            # A fill that came after its order was thought to have ended: it has no stop.
            state.phase = EXITING
        return
    if state.position == 0.0 and state.open_orders == 0:
        state.phase = FLAT
        state.ended_ns = market.tick_at_ns
    elif state.phase == ENTERING and state.position != 0.0:
        state.phase = HOLDING


@njit(cache=True)
def begin(
    market: Any,
    state: Any,
    side: int,
    share: float,
    stop: float,
    target: float,
    time_out_s: float,
    reason: int,
) -> Intent:
    """Return the entry of a trade and write down how it ends.

    Parameters
    ----------
    market : record of MARKET
        With a valid book.
    state : record
        With `TOLD` and `TRADE`, flat; changed in place.
    side : int
    share : float
        Of capital.
    stop, target : float
        Distance from the mid of now, fraction of it, positive; NaN for no target.
    time_out_s : float
        From now.
    reason : int
        To give: `ENTRY`, or one of the strategy's own.

    Returns
    -------
    Intent

    """
    mid = market.mid
    state.phase = ENTERING
    state.side = side
    state.sent_ns = market.tick_at_ns
    state.until_ns = market.tick_at_ns + int(1e9 * time_out_s)
    state.entry_mid = mid
    state.stop_price = mid * (1.0 - side * stop)
    state.target_price = mid * (1.0 + side * target)
    return place(MARKET_ORDER, side, math.nan, share, 0, reason)


@njit(cache=True)
def leave(state: Any, reason: int) -> Intent:
    """Return the exit of the trade under way."""
    state.phase = EXITING
    return nothing(EXIT, reason)


@njit(cache=True)
def _hold(market: Any, state: Any, share: float) -> Intent:
    side = state.side
    if side * (market.mid - state.stop_price) <= 0.0:
        return leave(state, STOP)
    if market.tick_at_ns >= state.until_ns:
        return leave(state, TIME_OUT)
    if state.open_orders > 0 or math.isnan(state.target_price):
        return nothing(HOLD, WAITING)
    if side * (market.mid - state.target_price) >= 0.0:
        return leave(state, TARGET)
    return place(POST_ONLY, -side, state.target_price, share, 1, TARGET_ORDER)


@njit(cache=True)
def manage(market: Any, state: Any, share: float) -> Intent:
    """Return what the trade under way wants now.

    Parameters
    ----------
    market : record of MARKET
        With a valid book.
    state : record
        With `TOLD` and `TRADE`, not flat, synchronised; changed in place.
    share : float
        Of capital, as at entry.

    Returns
    -------
    Intent

    """
    if state.phase == HOLDING:
        if state.position == 0.0:
            # The target filled; whatever is still open must not open anything.
            state.phase = EXITING
            return nothing(CANCEL, LEFT_OVER)
        return _hold(market, state, share)
    if state.phase == EXITING and state.open_orders == 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
