"""S5 ImpactReversion: trade against a whale's impact half a second after it.

Rule: a whale trade whose impact is above 1.5 bps, seen while the spread is below 2 bps, is answered 500 ms after its print
with an order against it. The position is closed when half the impact has come back, when a third of it has been added,
or after 5 s. One at a time per symbol: whales that come meanwhile are passed over. Target and stop are moves of the mid from
the mid at entry, so that the spread paid does not count as a move against us; the target also rests as a reduce-only order.

It answers single prints, so the impulse filters of the other strategies are not asked. Here belongs the decision alone.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.intent import CANCEL, EXIT, HOLD, MARKET_ORDER, POST_ONLY, TOLD, Intent, nothing, place

# Phases.
FLAT: Final = 0
ARMED: Final = 1
ENTERING: Final = 2
HOLDING: Final = 3
EXITING: Final = 4

# Reasons.
NO_SIGNAL: Final = 0
SIGNAL: Final = 1
WAITING: Final = 2
ENTRY: Final = 3
TARGET_ORDER: Final = 4
TARGET: Final = 5
STOP: Final = 6
TIME_OUT: Final = 7
BOOK_INVALID: Final = 8
TOO_LATE: Final = 9
LEFT_OVER: Final = 10

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    SIGNAL: "SIGNAL",
    WAITING: "WAITING",
    ENTRY: "ENTRY",
    TARGET_ORDER: "TARGET_ORDER",
    TARGET: "TARGET",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    BOOK_INVALID: "BOOK_INVALID",
    TOO_LATE: "TOO_LATE",
    LEFT_OVER: "LEFT_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("whale_ns", np.int64),  # print of the whale answered or passed over last
        ("side", np.int64),  # of the position wanted
        ("target_sent", np.int64),
        ("impact_bps", np.float64),
        ("entry_mid", np.float64),
        ("entered_ns", np.int64),
    ]
)


class Params(NamedTuple):
    """Parameters of S5. Give floats as floats."""

    least_impact_bps: float = 1.5
    most_spread_bps: float = 2.0
    entry_delay_ns: int = 500_000_000
    entry_window_ns: int = 500_000_000  # after the delay; a signal older than both is stale
    target_share: float = 0.5  # of the impact
    stop_share: float = 1.0 / 3.0
    time_out_ns: int = 5_000_000_000
    capital_share: float = 0.02  # R1


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("least_impact_bps", p.least_impact_bps, 1e-6, 1e4),
        ("most_spread_bps", p.most_spread_bps, 1e-6, 1e4),
        ("entry_delay_ns", p.entry_delay_ns, 0, 60_000_000_000),
        ("entry_window_ns", p.entry_window_ns, 1, 60_000_000_000),
        ("target_share", p.target_share, 1e-6, 10.0),
        ("stop_share", p.stop_share, 1e-6, 10.0),
        ("time_out_ns", p.time_out_ns, 1, 3_600_000_000_000),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"impact reversion: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no whale."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _synchronise(state: np.record) -> None:
    """Move between phases by what is known of our orders."""
    if state.phase == ENTERING:
        if state.position != 0.0:
            state.phase = HOLDING
        elif state.open_orders == 0:
            state.phase = FLAT
    elif state.phase >= HOLDING and state.position == 0.0 and state.open_orders == 0:
        state.phase = FLAT


@njit(cache=True)
def _look(market: np.record, params: Params, state: np.record) -> Intent:
    # NaN ages and impacts fail the comparisons: what is undefined does not trade.
    if not market.impact_age_s >= 0.0:
        return nothing(HOLD, NO_SIGNAL)
    whale_ns = market.tick_at_ns - round(1e9 * market.impact_age_s)
    if whale_ns <= state.whale_ns:
        return nothing(HOLD, NO_SIGNAL)
    state.whale_ns = whale_ns
    if not (market.impact_bps > params.least_impact_bps and market.spread_bps < params.most_spread_bps):
        return nothing(HOLD, NO_SIGNAL)
    state.phase = ARMED
    state.side = -int(market.impact_side)
    state.impact_bps = market.impact_bps
    return nothing(HOLD, SIGNAL)


@njit(cache=True)
def _enter(market: np.record, params: Params, state: np.record) -> Intent:
    age = market.tick_at_ns - state.whale_ns
    if age < params.entry_delay_ns:
        return nothing(HOLD, WAITING)
    if age > params.entry_delay_ns + params.entry_window_ns:
        state.phase = FLAT
        return nothing(HOLD, TOO_LATE)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    state.phase = ENTERING
    state.entry_mid = market.mid
    state.entered_ns = market.tick_at_ns
    state.target_sent = 0
    return place(MARKET_ORDER, state.side, math.nan, params.capital_share, 0, ENTRY)


@njit(cache=True)
def _exit_reason(market: np.record, params: Params, state: np.record) -> int:
    moved_bps = 1e4 * state.side * (market.mid - state.entry_mid) / state.entry_mid
    if moved_bps <= -params.stop_share * state.impact_bps:
        return STOP
    if moved_bps >= params.target_share * state.impact_bps:
        return TARGET
    if market.tick_at_ns - state.entered_ns >= params.time_out_ns:
        return TIME_OUT
    return NO_SIGNAL


@njit(cache=True)
def _hold(market: np.record, params: Params, state: np.record) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.position == 0.0:
        # The target filled; whatever is still open must not open anything.
        state.phase = EXITING
        return nothing(CANCEL, LEFT_OVER)
    reason = _exit_reason(market, params, state)
    if reason != NO_SIGNAL:
        state.phase = EXITING
        return nothing(EXIT, reason)
    if state.target_sent == 0 and state.open_orders == 0:
        state.target_sent = 1
        move = 1e-4 * state.side * params.target_share * state.impact_bps
        price = state.entry_mid * (1.0 + move)
        return place(POST_ONLY, -state.side, price, params.capital_share, 1, TARGET_ORDER)
    return nothing(HOLD, NO_SIGNAL)


@njit(cache=True)
def step(market: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    params : Params
    state : record of STATE
        Its `TOLD` fields up to date; changed in place.

    Returns
    -------
    Intent

    """
    _synchronise(state)
    if state.phase == FLAT:
        result = _look(market, params, state)
        if state.phase != ARMED:
            return result
    if state.phase == ARMED:
        return _enter(market, params, state)
    if state.phase == ENTERING:
        return nothing(HOLD, WAITING)
    if state.phase == HOLDING:
        return _hold(market, params, state)
    if state.open_orders == 0 and state.position != 0.0 and market.valid != 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
