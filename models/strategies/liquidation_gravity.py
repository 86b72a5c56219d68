"""S3 LiquidationGravity: go with the move once it has broken through a cluster of estimated liquidations.

Rule: while the mid travels toward a cluster of F12 that is at most 0.5 % away and worth at least ten seconds of average
volume, prepare: remember the cluster's price. When the mid is 0.05 % beyond it, enter with the move. Target 0.3 % from there,
stop 0.15 %; leave when the cascade ends: when one was seen alive on our side and is over, when one begins on the other side,
or 300 s after the entry. A mid that is already far beyond the cluster is not chased, and a cascade alive on the other side
forbids the entry. Travel is the mid's move over the last minute; what was prepared is forgotten when travel turns, when the
mid is too far away again, or after ten minutes.

The price of a cluster must be remembered, because the map empties a bin as soon as the price touches it.

Source: Osler, "Stop-loss orders and price cascades in currency markets" (Journal of International Money and Finance 24,
2005): moves through levels where stop orders cluster are fast and go on. It is falsified if the mean move in the 300 s after
such a break is no larger than after crossing a price of the same distance without a cluster: then F12 marks nothing.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.intent import HOLD, TOLD, Intent, nothing
from models.strategies.one_trade import (
    BOOK_INVALID,
    COOLDOWN,
    COSTS,
    ENTRY,
    FLAT,
    HOLDING,
    NO_SIGNAL,
    OWN_REASONS,
    TRADE,
    TRADE_REASON_NAMES,
    beats_costs,
    begin,
    is_cooling,
    leave,
    manage,
    new_trade_state,
    synchronise,
)
from models.strategies.samples import add_sample, log_move, samples_dtype

SAMPLE_NS: Final = 1_000_000_000
SAMPLES: Final = 640

# Reasons of its own.
PREPARED: Final = OWN_REASONS
TOO_FAR: Final = OWN_REASONS + 1
TOO_SMALL: Final = OWN_REASONS + 2
TURNED: Final = OWN_REASONS + 3
TOO_LATE: Final = OWN_REASONS + 4
CASCADE_AGAINST: Final = OWN_REASONS + 5
CASCADE_OVER: Final = OWN_REASONS + 6

REASON_NAMES: Final = {
    **TRADE_REASON_NAMES,
    PREPARED: "PREPARED",
    TOO_FAR: "TOO_FAR",
    TOO_SMALL: "TOO_SMALL",
    TURNED: "TURNED",
    TOO_LATE: "TOO_LATE",
    CASCADE_AGAINST: "CASCADE_AGAINST",
    CASCADE_OVER: "CASCADE_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        *TRADE,
        ("cluster_side", np.int64),  # direction toward the cluster prepared for; 0 for none
        ("cluster_price", np.float64),
        ("prepared_ns", np.int64),
        ("cascade_seen", np.int64),  # 1 once a cascade was alive on the trade's side
        ("mids", samples_dtype(SAMPLES)),
    ]
)


class Params(NamedTuple):
    """Parameters of S3. Give floats as floats."""

    most_distance: float = 0.005
    least_cluster_s: float = 10.0  # its notional in seconds of the symbol's average volume
    break_through: float = 0.0005
    most_break: float = 0.0015  # beyond that it is too late
    travel_s: float = 60.0
    least_travel: float = 0.0003
    most_prepared_s: float = 600.0
    target: float = 0.003
    stop: float = 0.0015
    time_out_s: float = 300.0
    cooldown_s: float = 60.0
    fees_bps: float = 7.5  # in as taker, out as maker
    least_edge: float = 2.0  # target over costs
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
        ("most_distance", p.most_distance, 1e-5, 0.2),
        ("least_cluster_s", p.least_cluster_s, 0.0, 1e6),
        ("break_through", p.break_through, 0.0, 0.1),
        ("most_break", p.most_break, p.break_through, 0.1),
        ("travel_s", p.travel_s, 1.0, 1e-9 * SAMPLE_NS * (SAMPLES - 1)),
        ("least_travel", p.least_travel, 0.0, 0.1),
        ("most_prepared_s", p.most_prepared_s, 1.0, 86_400.0),
        ("target", p.target, 1e-5, 0.2),
        ("stop", p.stop, 1e-5, 0.02),
        ("time_out_s", p.time_out_s, 1.0, 86_400.0),
        ("cooldown_s", p.cooldown_s, 0.0, 86_400.0),
        ("fees_bps", p.fees_bps, -10.0, 100.0),
        ("least_edge", p.least_edge, 0.0, 100.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"liquidation gravity: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no price."""
    state = new_trade_state(STATE)
    state.cluster_price = np.nan
    return state


@njit(cache=True)
def _travel(market: Any, params: Params, state: Any) -> int:
    """Return the direction of travel; 0 where it is unknown or too small."""
    move = log_move(state.mids, market.tick_at_ns, SAMPLE_NS, params.travel_s, market.mid)
    if not abs(move) >= params.least_travel:
        return 0
    return 1 if move > 0.0 else -1


@njit(cache=True)
def _prepare(market: Any, params: Params, state: Any, travel: int) -> Intent:
    if travel == 0:
        return nothing(HOLD, NO_SIGNAL)
    distance = market.cluster_above_distance if travel > 0 else market.cluster_below_distance
    notional = market.cluster_above_usd if travel > 0 else market.cluster_below_usd
    if not distance <= params.most_distance:
        return nothing(HOLD, TOO_FAR)
    if not notional >= params.least_cluster_s * market.usd_per_s:
        return nothing(HOLD, TOO_SMALL)
    state.cluster_side = travel
    state.cluster_price = market.mid * (1.0 + travel * distance)
    state.prepared_ns = market.tick_at_ns
    return nothing(HOLD, PREPARED)


@njit(cache=True)
def _forget(state: Any) -> None:
    state.cluster_side = 0
    state.cluster_price = math.nan


@njit(cache=True)
def _enter(market: Any, params: Params, state: Any, side: int, beyond: float) -> Intent:
    """Answer a break, once: what was prepared is forgotten already."""
    if beyond > params.most_break:
        return nothing(HOLD, TOO_LATE)
    if not market.cascade_side * side >= 0.0:
        return nothing(HOLD, CASCADE_AGAINST)
    if not beats_costs(params.target, market.spread_bps, params.fees_bps, params.least_edge):
        return nothing(HOLD, COSTS)
    state.cascade_seen = 0
    return begin(
        market, state, side, params.capital_share, params.stop, params.target, params.time_out_s, ENTRY
    )


@njit(cache=True)
def _await_break(market: Any, params: Params, state: Any, travel: int) -> Intent:
    side, level = int(state.cluster_side), float(state.cluster_price)
    beyond = side * (market.mid / level - 1.0)
    if beyond >= params.break_through:
        _forget(state)
        return _enter(market, params, state, side, beyond)
    if travel == -side:
        _forget(state)
        return nothing(HOLD, TURNED)
    too_old = market.tick_at_ns - state.prepared_ns > int(1e9 * params.most_prepared_s)
    if too_old or side * (level / market.mid - 1.0) > params.most_distance:
        _forget(state)
        return nothing(HOLD, TOO_FAR)
    return nothing(HOLD, PREPARED)


@njit(cache=True)
def _is_over(market: Any, state: Any) -> bool:
    alive = market.cascade_side * state.side
    if alive > 0.0:
        state.cascade_seen = 1
        return False
    return bool(alive < 0.0 or state.cascade_seen == 1)


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
    add_sample(state.mids, market.tick_at_ns, SAMPLE_NS, market.mid)
    synchronise(market, state)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.phase != FLAT:
        intent = manage(market, state, params.capital_share)
        # A stop is a stop even as a cascade ends.
        if state.phase == HOLDING and _is_over(market, state):
            return leave(state, CASCADE_OVER)
        return intent
    travel = _travel(market, params, state)
    if is_cooling(market, state, params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    if state.cluster_side == 0:
        return _prepare(market, params, state, travel)
    return _await_break(market, params, state, travel)
