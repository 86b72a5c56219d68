"""S13 RebateFarmer: orders resting half a percent away on both sides, for who must trade now whatever the price.

Rule: a post-only bid 0.5 % below and an ask 0.5 % above the mid, moved when the mid has moved a tenth of a percent. What is
filled was sold or bought by someone in a hurry; the other side is taken back, and half the way to the old mid is asked for by a
resting reduce-only order. A stop as far again beyond, and a time stop, close at the market. Nothing is quoted while a trend is
on or a cascade is under way on our side: what comes that far then goes on.

The name is the trade's; on an account that pays 2 bps as a maker there is no rebate, and what is earned is the reversion of
spikes. Source: liquidity provision to forced and hurried flow, Nagel, "Evaporating liquidity", Review of Financial Studies 25
(2012). It is falsified if the mean markout of its fills at 120 s is below its costs: then what reaches half a percent is news.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.regimes.kernel import MARKDOWN, MARKUP
from models.strategies.intent import CANCEL, EXIT, HOLD, POST_ONLY, TOLD, Intent, nothing, place

# Phases.
IDLE: Final = 0
BID_SENT: Final = 1
QUOTING: Final = 2
PULLING: Final = 3
HOLDING: Final = 4
LEAVING: Final = 5

# Reasons.
NO_SIGNAL: Final = 0
BID: Final = 1
ASK: Final = 2
MID_MOVED: Final = 3
FILLED: Final = 4
TARGET_ORDER: Final = 5
STOP: Final = 6
TIME_OUT: Final = 7
TREND: Final = 8
BOOK_INVALID: Final = 9
WAITING: Final = 10
LEFT_OVER: Final = 11
COOLDOWN: Final = 12

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    BID: "BID",
    ASK: "ASK",
    MID_MOVED: "MID_MOVED",
    FILLED: "FILLED",
    TARGET_ORDER: "TARGET_ORDER",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    TREND: "TREND",
    BOOK_INVALID: "BOOK_INVALID",
    WAITING: "WAITING",
    LEFT_OVER: "LEFT_OVER",
    COOLDOWN: "COOLDOWN",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("filled_ns", np.int64),
        ("left_ns", np.int64),  # when the last position was left; 0 for never
        ("sent", np.int64),
        ("centre", np.float64),
    ]
)


class Params(NamedTuple):
    """Parameters of S13. Give floats as floats."""

    distance_bps: float = 50.0
    requote_bps: float = 10.0
    target_share: float = 0.5  # of the distance
    stop_bps: float = 50.0  # beyond the fill
    time_out_s: float = 1800.0
    cooldown_s: float = 60.0
    capital_share: float = 0.01  # of each order


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("distance_bps", p.distance_bps, 10.0, 1e3),
        ("requote_bps", p.requote_bps, 0.1, p.distance_bps),
        ("target_share", p.target_share, 0.01, 2.0),
        ("stop_bps", p.stop_bps, 1.0, 200.0),
        ("time_out_s", p.time_out_s, 1.0, 86_400.0),
        ("cooldown_s", p.cooldown_s, 0.0, 86_400.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"rebate farmer: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a maker that has quoted nothing."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _trends(market: Any) -> bool:
    # An unknown regime (NaN) is no trend: deep orders need no forecast, and stop and size bound what they lose.
    return bool(market.regime == MARKUP or market.regime == MARKDOWN)


@njit(cache=True)
def _pull(state: Any, reason: int) -> Intent:
    state.phase = PULLING
    return nothing(CANCEL, reason)


@njit(cache=True)
def _quote(params: Params, state: Any, side: int, reason: int) -> Intent:
    state.sent += 1
    price = state.centre * (1.0 - 1e-4 * side * params.distance_bps)
    return place(POST_ONLY, side, price, params.capital_share, 0, reason)


@njit(cache=True)
def _begin(market: Any, params: Params, state: Any) -> Intent:
    if state.left_ns != 0 and market.tick_at_ns - state.left_ns < int(1e9 * params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    if _trends(market):
        return nothing(HOLD, TREND)
    state.phase = BID_SENT
    state.centre = market.mid
    state.sent = 0
    return _quote(params, state, 1, BID)


@njit(cache=True)
def _keep(market: Any, params: Params, state: Any) -> Intent:
    if state.position != 0.0 or state.open_orders < state.sent:
        return _pull(state, FILLED)
    if _trends(market):
        return _pull(state, TREND)
    if 1e4 * abs(market.mid - state.centre) >= params.requote_bps * state.centre:
        return _pull(state, MID_MOVED)
    return nothing(HOLD, NO_SIGNAL)


@njit(cache=True)
def _hold(market: Any, params: Params, state: Any) -> Intent:
    side = 1 if state.position > 0.0 else -1
    if 1e4 * side * (market.mid - state.entry_price) <= -params.stop_bps * state.entry_price:
        state.phase = LEAVING
        return nothing(EXIT, STOP)
    if market.tick_at_ns - state.filled_ns >= int(1e9 * params.time_out_s):
        state.phase = LEAVING
        return nothing(EXIT, TIME_OUT)
    if state.open_orders == 0:
        move = 1e-4 * side * params.target_share * params.distance_bps
        return place(
            POST_ONLY, -side, state.entry_price * (1.0 + move), params.capital_share, 1, TARGET_ORDER
        )
    return nothing(HOLD, WAITING)


@njit(cache=True)
def _synchronise(market: Any, state: Any) -> None:
    """Move between phases by what is known of our orders."""
    if state.position != 0.0:
        if state.phase in (IDLE, PULLING) and state.open_orders == 0:
            state.phase = HOLDING
        if state.filled_ns == 0:
            state.filled_ns = market.tick_at_ns
        return
    state.filled_ns = 0
    if state.phase in (HOLDING, LEAVING) and state.open_orders == 0:
        state.phase = IDLE
        state.left_ns = market.tick_at_ns


@njit(cache=True)
def step(market: Any, outlook: Any, params: Params, state: Any) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Not asked.
    params : Params
    state : record of STATE
        Its `TOLD` fields up to date; changed in place.

    Returns
    -------
    Intent

    """
    _synchronise(market, state)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.phase == HOLDING:
        return _hold(market, params, state)
    if state.phase == LEAVING:
        if state.open_orders == 0 and state.position != 0.0:
            return nothing(EXIT, LEFT_OVER)
        return nothing(HOLD, WAITING)
    if state.phase == PULLING:
        if state.open_orders > 0:
            return nothing(HOLD, WAITING)
        state.phase = IDLE
    if state.phase == IDLE:
        return _begin(market, params, state)
    if state.phase == BID_SENT:
        state.phase = QUOTING
        if state.open_orders < state.sent:
            return _pull(state, FILLED)
        return _quote(params, state, -1, ASK)
    return _keep(market, params, state)
