"""S17 CrossExchangeFunding: the same perpetual on two venues, long where funding is low, short where it is high.

Rule: when the rates of the two venues differ by more than 3 bps, compared per hour because their intervals differ,
and what both positions are expected to receive at the settlements of the hold, each at its own times, exceeds the
costs of four takers' fills and both spreads by `least_edge`: long the low one, short the high one. A rate seen counts
in full at its next settlement and fades by `half_life_h` at later ones. Leave when the difference is down to
`exit_spread_per_h` or has turned, when the prices have moved apart by `stop_divergence`, after `hold_s`, or for
`LEG_RISK`.

Source: the venues' funding formulas as they publish them; `half_life_h` was measured, see
`docs/strategies/cross_exchange_funding.md`. Falsified if what is received between entry and exit does not exceed
costs and the change of the price difference, on recorded funding of both venues.

Both accounts need capital of their own: where only one venue is configured this is a shadow. Here belongs the
decision alone; legs and phases are in `two_legs.py`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.intent import HOLD, Intent, nothing
from models.strategies.receipts import expected_funding
from models.strategies.two_legs import (
    BELOW_COSTS,
    BOOK_INVALID,
    CONVERGED,
    COOLING_DOWN,
    FLAT,
    HOLDING,
    LEG_RISK,
    LEG_UNKNOWN,
    NO_SIGNAL,
    PRICES_APART,
    SHARED_REASON_NAMES,
    STOP,
    TIME_OUT,
    TWO_LEGS,
    enter,
    is_fresh,
    leave,
    leg_at_risk,
    new_two_legs,
    spread_of,
    synchronise,
    wait,
)

REASON_NAMES: Final = dict(SHARED_REASON_NAMES)

STATE: Final = record_dtype([*TWO_LEGS, ("entry_gap", np.float64)])


class Params(NamedTuple):
    """Parameters of S17; rates, fees and shares are fractions. Give floats as floats."""

    least_spread_per_h: float = 0.0003
    exit_spread_per_h: float = 0.00005
    least_edge: float = 0.0002  # of what is received beyond costs
    half_life_h: float = 4.0
    hold_s: float = 86_400.0
    own_fee: float = 0.00055  # taker
    other_fee: float = 0.00055  # taker
    most_gap: float = 0.02  # of the prices at entry: beyond it the two are not the same thing
    stop_divergence: float = 0.005
    cooldown_s: float = 3600.0  # after a trade, or an entry that came to nothing
    quote_age_s: float = 75.0  # oldest price of the other venue to enter on
    stale_s: float = 120.0  # and to hold on
    most_pending_s: float = 10.0
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
        ("least_spread_per_h", p.least_spread_per_h, 1e-7, 0.01),
        ("exit_spread_per_h", p.exit_spread_per_h, -0.01, p.least_spread_per_h),
        ("least_edge", p.least_edge, 0.0, 0.1),
        ("half_life_h", p.half_life_h, 0.01, 1e4),
        ("hold_s", p.hold_s, 1.0, 30 * 86_400.0),
        ("own_fee", p.own_fee, -0.001, 0.01),
        ("other_fee", p.other_fee, -0.001, 0.01),
        ("most_gap", p.most_gap, 1e-6, 0.1),
        ("stop_divergence", p.stop_divergence, 1e-6, 0.1),
        ("cooldown_s", p.cooldown_s, 0.0, 86_400.0),
        ("quote_age_s", p.quote_age_s, 1e-3, p.stale_s),
        ("stale_s", p.stale_s, 1e-3, 3600.0),
        ("most_pending_s", p.most_pending_s, 1e-3, 3600.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(
                f"cross-exchange funding: expected {name} from {low:g} to {high:g}, was {value:g}"
            )
    return params


def new_state() -> np.record:
    """Return the state of a strategy flat on both venues."""
    return new_two_legs(STATE)


@njit(cache=True)
def _gap(market: np.record, outlook: np.record) -> float:
    return math.log(market.mid / (0.5 * (outlook.other_bid + outlook.other_ask)))


@njit(cache=True)
def receipts_of(market: np.record, outlook: np.record, params: Params, side: int) -> float:
    """Return what both positions are expected to receive over the hold, a fraction of one leg's notional.

    `side` is that of the own venue. NaN where a rate, an interval or a settlement is not known.
    """
    now = market.tick_at_ns
    until = now + int(1e9 * params.hold_s)
    own = expected_funding(
        outlook.own_rate_per_h, outlook.settlement_ns, outlook.interval_h, now, until, params.half_life_h
    )
    other = expected_funding(
        outlook.other_rate_per_h,
        outlook.other_settlement_ns,
        outlook.other_interval_h,
        now,
        until,
        params.half_life_h,
    )
    return side * (other - own)


@njit(cache=True)
def costs_of(market: np.record, outlook: np.record, params: Params) -> float:
    """Return the costs of four fills as taker, a fraction of one leg's notional: fees, and each venue's spread once."""
    other_spread = spread_of(outlook.other_bid, outlook.other_ask)
    return float(2.0 * (params.own_fee + params.other_fee) + 1e-4 * market.spread_bps + other_spread)


@njit(cache=True)
def _look(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now = market.tick_at_ns
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.left_ns != 0 and now - state.left_ns < int(1e9 * params.cooldown_s):
        return nothing(HOLD, COOLING_DOWN)
    if not is_fresh(outlook.other_bid, outlook.other_ask, outlook.other_at_ns, now, params.quote_age_s):
        return nothing(HOLD, LEG_UNKNOWN)
    spread = outlook.own_rate_per_h - outlook.other_rate_per_h
    # Written so that what is undefined does not trade.
    if not abs(spread) > params.least_spread_per_h:
        return nothing(HOLD, NO_SIGNAL)
    gap = _gap(market, outlook)
    if not abs(gap) <= params.most_gap:
        return nothing(HOLD, PRICES_APART)
    side = -1 if spread > 0.0 else 1
    edge = receipts_of(market, outlook, params, side) - costs_of(market, outlook, params)
    if not edge > params.least_edge:
        return nothing(HOLD, BELOW_COSTS)
    state.entry_gap = gap
    return enter(state, now, side, 1.0, params.capital_share)


@njit(cache=True)
def _hold(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now = market.tick_at_ns
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if leg_at_risk(state, outlook.other_at_ns, now, params.most_pending_s, params.stale_s):
        return leave(state, LEG_RISK)
    if state.side * (_gap(market, outlook) - state.entry_gap) <= -params.stop_divergence:
        return leave(state, STOP)
    if now - state.entered_ns >= int(1e9 * params.hold_s):
        return leave(state, TIME_OUT)
    # An unknown rate is no reason to leave: the hold has an end of its own.
    if state.side * (outlook.other_rate_per_h - outlook.own_rate_per_h) <= params.exit_spread_per_h:
        return leave(state, CONVERGED)
    return nothing(HOLD, NO_SIGNAL)


@njit(cache=True)
def step(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Its rates per hour, settlements and intervals of both venues, and the other venue's touch.
    params : Params
    state : record of STATE
        Its `TOLD` and `LEG` fields up to date; changed in place, `leg_wanted` with it.

    Returns
    -------
    Intent

    """
    synchronise(state, market.tick_at_ns)
    if state.phase == FLAT:
        return _look(market, outlook, params, state)
    if state.phase == HOLDING:
        return _hold(market, outlook, params, state)
    return wait(market, state)
