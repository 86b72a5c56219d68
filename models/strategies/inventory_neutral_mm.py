"""S12 InventoryNeutralMM: a bid and an ask about the mid in balanced flow, never more inventory than one quote.

Rule: while the flow of the trailing window is balanced, the symbol's VPIN is not high by its own history and no cascade is
alive, a post-only order rests on either side at half a spread from the mid that pays both maker's fees and what the price
moves while a quote waits. What was filled is quoted out alone: its price gives way with the age of the inventory, from the full
half spread on the far side to the fair price itself (the inventory term of Avellaneda and Stoikov, which grows with the time
inventory is held; here the remaining life is the time stop's). Quotes are renewed every 30 s, and at once when the mid has left
their centre or the flow tips over. A stop and a time stop close at the market.

Source: Avellaneda and Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8 (2008), with inventory
cut to one quote. It is falsified if markouts at 0.5 to 2 s of its fills are below minus its half spread in balanced flow: then
balance, as measured, does not protect from informed takers.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.intent import CANCEL, EXIT, HOLD, POST_ONLY, TOLD, Intent, nothing, place

# Phases.
IDLE: Final = 0
BID_SENT: Final = 1
QUOTING: Final = 2
PULLING: Final = 3
LEAVING: Final = 4

# Reasons.
NO_SIGNAL: Final = 0
BID: Final = 1
ASK: Final = 2
QUOTE_OUT: Final = 3
REFRESH: Final = 4
MID_MOVED: Final = 5
FILLED: Final = 6
FLOW_UNBALANCED: Final = 7
SPREAD_TOO_WIDE: Final = 8
BOOK_INVALID: Final = 9
WAITING: Final = 10
STOP: Final = 11
TIME_OUT: Final = 12
LEFT_OVER: Final = 13
SIGMA_UNKNOWN: Final = 14

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    BID: "BID",
    ASK: "ASK",
    QUOTE_OUT: "QUOTE_OUT",
    REFRESH: "REFRESH",
    MID_MOVED: "MID_MOVED",
    FILLED: "FILLED",
    FLOW_UNBALANCED: "FLOW_UNBALANCED",
    SPREAD_TOO_WIDE: "SPREAD_TOO_WIDE",
    BOOK_INVALID: "BOOK_INVALID",
    WAITING: "WAITING",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    LEFT_OVER: "LEFT_OVER",
    SIGMA_UNKNOWN: "SIGMA_UNKNOWN",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("sent", np.int64),  # quotes of this round
        ("quoted_ns", np.int64),
        ("held_since_ns", np.int64),  # 0 while flat
        ("centre", np.float64),
        ("held", np.float64),  # position at the last step
        ("last_mid", np.float64),
        ("last_ns", np.int64),
        ("variance_per_s", np.float64),
        ("seen_s", np.float64),
    ]
)


class Params(NamedTuple):
    """Parameters of S12. Give floats as floats."""

    least_half_spread_bps: float = 3.0  # above the maker's fee of 2 bps
    sigma_share: float = 0.5  # half spread over the move expected until the next refresh
    most_half_spread_bps: float = 25.0
    requote_bps: float = 2.0
    refresh_s: float = 30.0
    most_flow_imbalance: float = 0.3
    most_vpin_rank: float = 0.7
    most_spread_bps: float = 20.0
    sigma_time_constant_s: float = 600.0
    sigma_least_s: float = 60.0
    stop_bps: float = 30.0
    time_out_s: float = 600.0
    capital_share: float = 0.01


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("least_half_spread_bps", p.least_half_spread_bps, 1e-3, 1e3),
        ("sigma_share", p.sigma_share, 0.0, 100.0),
        ("most_half_spread_bps", p.most_half_spread_bps, p.least_half_spread_bps, 1e3),
        ("requote_bps", p.requote_bps, 1e-3, 1e3),
        ("refresh_s", p.refresh_s, 0.25, 3600.0),
        ("most_flow_imbalance", p.most_flow_imbalance, 0.0, 1.0),
        ("most_vpin_rank", p.most_vpin_rank, 0.0, 1.0),
        ("most_spread_bps", p.most_spread_bps, 1e-3, 1e4),
        ("sigma_time_constant_s", p.sigma_time_constant_s, 1.0, 1e7),
        ("sigma_least_s", p.sigma_least_s, 1e-3, p.sigma_time_constant_s),
        ("stop_bps", p.stop_bps, p.least_half_spread_bps, 200.0),
        ("time_out_s", p.time_out_s, 1.0, 86_400.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(
                f"inventory-neutral mm: expected {name} from {low:g} to {high:g}, was {value:g}"
            )
    return params


def new_state() -> np.record:
    """Return the state of a maker that has quoted nothing."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    state.last_mid = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _follow_sigma(market: Any, params: Params, state: Any) -> None:
    elapsed_s = 1e-9 * (market.tick_at_ns - state.last_ns)
    if elapsed_s > 0.0 and not math.isnan(market.mid) and not math.isnan(state.last_mid):
        move = math.log(market.mid / state.last_mid)
        before = math.exp(-elapsed_s / params.sigma_time_constant_s) * state.seen_s
        state.variance_per_s = (before * state.variance_per_s + move * move) / (before + elapsed_s)
        state.seen_s = before + elapsed_s
    state.last_mid = market.mid
    state.last_ns = market.tick_at_ns


@njit(cache=True)
def half_spread_bps(params: Params, variance_per_s: float) -> float:
    """Return the distance of a quote from the mid: a share of the move expected until the refresh, within its bounds."""
    wide = 1e4 * params.sigma_share * math.sqrt(variance_per_s * params.refresh_s)
    return float(min(max(wide, params.least_half_spread_bps), params.most_half_spread_bps))


@njit(cache=True)
def refusal(market: Any, params: Params) -> int:
    """Say why nothing may be quoted now, `NO_SIGNAL` when it may; what is undefined refuses."""
    if not market.spread_bps <= params.most_spread_bps:
        return SPREAD_TOO_WIDE
    balanced = (
        abs(market.flow_imbalance) <= params.most_flow_imbalance
        and market.vpin_rank <= params.most_vpin_rank
        and not abs(market.cascade_side) > 0.0
    )
    return NO_SIGNAL if balanced else FLOW_UNBALANCED


@njit(cache=True)
def _pull(state: Any, reason: int) -> Intent:
    state.phase = PULLING
    return nothing(CANCEL, reason)


@njit(cache=True)
def _quote_out(market: Any, params: Params, state: Any) -> Intent:
    """Quote the inventory out alone; the older it is, the nearer to the mid."""
    side = 1 if state.position > 0.0 else -1
    age = 1e-9 * (market.tick_at_ns - state.held_since_ns) / params.time_out_s
    distance = half_spread_bps(params, state.variance_per_s) * max(0.0, 1.0 - 2.0 * age)
    state.phase = QUOTING
    state.sent = 1
    state.centre = market.mid
    state.quoted_ns = market.tick_at_ns
    price = market.mid * (1.0 + 1e-4 * side * distance)
    return place(POST_ONLY, -side, price, params.capital_share, 1, QUOTE_OUT)


@njit(cache=True)
def _begin(market: Any, params: Params, state: Any) -> Intent:
    if state.position != 0.0:
        return _quote_out(market, params, state)
    if state.seen_s < params.sigma_least_s:
        return nothing(HOLD, SIGMA_UNKNOWN)
    reason = refusal(market, params)
    if reason != NO_SIGNAL:
        return nothing(HOLD, reason)
    state.phase = BID_SENT
    state.sent = 1
    state.centre = market.mid
    state.quoted_ns = market.tick_at_ns
    price = state.centre * (1.0 - 1e-4 * half_spread_bps(params, state.variance_per_s))
    return place(POST_ONLY, 1, price, params.capital_share, 0, BID)


@njit(cache=True)
def _second(params: Params, state: Any) -> Intent:
    state.phase = QUOTING
    if state.position > 0.0:
        return _pull(state, FILLED)
    state.sent = 2
    price = state.centre * (1.0 + 1e-4 * half_spread_bps(params, state.variance_per_s))
    return place(POST_ONLY, -1, price, params.capital_share, 0, ASK)


@njit(cache=True)
def _keep(market: Any, params: Params, state: Any) -> Intent:
    if state.open_orders < state.sent:
        return _pull(state, FILLED)
    if state.position == 0.0:
        reason = refusal(market, params)
        if reason != NO_SIGNAL:
            return _pull(state, reason)
    if 1e4 * abs(market.mid - state.centre) >= params.requote_bps * state.centre:
        return _pull(state, MID_MOVED)
    if market.tick_at_ns - state.quoted_ns >= int(1e9 * params.refresh_s):
        return _pull(state, REFRESH)
    return nothing(HOLD, NO_SIGNAL)


@njit(cache=True)
def _must_leave(market: Any, params: Params, state: Any) -> int:
    if state.position == 0.0:
        return NO_SIGNAL
    side = 1.0 if state.position > 0.0 else -1.0
    if 1e4 * side * (market.mid - state.entry_price) <= -params.stop_bps * state.entry_price:
        return STOP
    if market.tick_at_ns - state.held_since_ns >= int(1e9 * params.time_out_s):
        return TIME_OUT
    return NO_SIGNAL


@njit(cache=True)
def _blind(state: Any) -> Intent:
    if state.open_orders > 0 and state.phase != PULLING and state.phase != LEAVING:
        return _pull(state, BOOK_INVALID)
    return nothing(HOLD, BOOK_INVALID)


@njit(cache=True)
def _leave(state: Any) -> Intent:
    if state.open_orders > 0:
        return nothing(HOLD, WAITING)
    if state.position != 0.0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    state.phase = IDLE
    return nothing(HOLD, NO_SIGNAL)


@njit(cache=True)
def _look_at_inventory(market: Any, state: Any) -> None:
    if state.position == 0.0:
        state.held_since_ns = 0
    elif state.held == 0.0 or state.held * state.position < 0.0:
        state.held_since_ns = market.tick_at_ns
    state.held = state.position


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
    _follow_sigma(market, params, state)
    _look_at_inventory(market, state)
    if market.valid == 0:
        return _blind(state)
    if state.phase == LEAVING:
        return _leave(state)
    reason = _must_leave(market, params, state)
    if reason != NO_SIGNAL:
        state.phase = LEAVING
        return nothing(EXIT, reason)
    if state.phase == PULLING:
        if state.open_orders > 0:
            return nothing(HOLD, WAITING)
        state.phase = IDLE
    if state.phase == IDLE:
        return _begin(market, params, state)
    if state.phase == BID_SENT:
        return _second(params, state)
    return _keep(market, params, state)
