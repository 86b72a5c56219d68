"""S15 CorrelationArb: the spread of a co-integrated pair comes back to its mean.

Rule: with log(own) = alpha + beta log(partner) + spread, as fitted on earlier closes (`pairs.py`), enter against a
spread at least `entry_z` of its standard deviations away, unless it is beyond `stop_z` already, while the
Engle-Granger p-value is below `most_pvalue`, beta is plausible, half of a deviation is expected back within
`most_half_life_s`, and the way to `exit_z` is worth more than four takers' fees, both spreads and `least_edge`. The
partner is held at beta times the notional, the larger leg at `capital_share`. Leave at `exit_z`, stop at `stop_z`,
after `time_out_half_lives` half-lives, when the newest fit no longer calls it a pair, or for `LEG_RISK`. The terms of
the entry judge its exit: a refit moves no stop. After a trade the spread must have been within `exit_z` before
another begins.

Source: Engle and Granger (1987); Gatev, Goetzmann and Rouwenhorst, Pairs Trading (2006); Vidyamurthy, Pairs Trading
(2004). Falsified if spreads of pairs chosen by the p-value do not revert out of sample faster than those of pairs
that were refused.

Here belongs the decision alone; fitting is in `pairs.py`, legs and phases in `two_legs.py`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.intent import HOLD, Intent, nothing
from models.strategies.two_legs import (
    BELOW_COSTS,
    BOOK_INVALID,
    CONVERGED,
    FLAT,
    HOLDING,
    LEG_RISK,
    LEG_UNKNOWN,
    NO_SIGNAL,
    OWN_REASONS,
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

NO_PAIR: Final = OWN_REASONS
NOT_BACK_YET: Final = OWN_REASONS + 1
REASON_NAMES: Final = {**SHARED_REASON_NAMES, NO_PAIR: "NO_PAIR", NOT_BACK_YET: "NOT_BACK_YET"}

STATE: Final = record_dtype(
    [
        *TWO_LEGS,
        ("spent", np.int64),  # 1 after an entry until the spread has been back
        ("alpha", np.float64),  # the terms of the entry
        ("beta", np.float64),
        ("sigma", np.float64),
        ("time_out_s", np.float64),
        ("way", np.float64),  # what the entry expects of the spread, a fraction of the own leg's notional
        ("partner_spread", np.float64),  # at the entry, a fraction of the partner's price
    ]
)


class Params(NamedTuple):
    """Parameters of S15. Give floats as floats."""

    entry_z: float = 2.0
    exit_z: float = 0.5
    stop_z: float = 4.0
    most_pvalue: float = 0.05
    lost_pvalue: float = 0.2  # of a newer fit: no pair any more
    least_beta: float = 0.2
    most_beta: float = 5.0
    most_half_life_s: float = 86_400.0
    time_out_half_lives: float = 3.0
    own_fee: float = 0.00055  # taker, fraction
    partner_fee: float = 0.00055
    least_edge: float = 0.0005  # fraction of the own leg's notional, after costs
    quote_age_s: float = 75.0  # oldest price of the partner to enter on
    stale_s: float = 120.0  # and to hold on
    most_pending_s: float = 10.0
    capital_share: float = 0.02  # R1; of the larger leg


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("entry_z", p.entry_z, 0.1, 100.0),
        ("exit_z", p.exit_z, 0.0, p.entry_z),
        ("stop_z", p.stop_z, p.entry_z, 100.0),
        ("most_pvalue", p.most_pvalue, 1e-9, 1.0),
        ("lost_pvalue", p.lost_pvalue, p.most_pvalue, 1.0),
        ("least_beta", p.least_beta, 1e-3, p.most_beta),
        ("most_beta", p.most_beta, 1e-3, 100.0),
        ("most_half_life_s", p.most_half_life_s, 1.0, 1e8),
        ("time_out_half_lives", p.time_out_half_lives, 0.1, 100.0),
        ("own_fee", p.own_fee, -0.001, 0.01),
        ("partner_fee", p.partner_fee, -0.001, 0.01),
        ("least_edge", p.least_edge, 0.0, 0.1),
        ("quote_age_s", p.quote_age_s, 1e-3, p.stale_s),
        ("stale_s", p.stale_s, 1e-3, 3600.0),
        ("most_pending_s", p.most_pending_s, 1e-3, 3600.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"correlation arb: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a strategy flat in both markets."""
    return new_two_legs(STATE)


@njit(cache=True)
def z_of(market: np.record, outlook: np.record, alpha: float, beta: float, sigma: float) -> float:
    """Return the spread of the mids, in standard deviations."""
    partner = 0.5 * (outlook.pair_bid + outlook.pair_ask)
    return (math.log(market.mid) - alpha - beta * math.log(partner)) / sigma


@njit(cache=True)
def costs_of(market: np.record, outlook: np.record, params: Params) -> float:
    """Return the costs of four fills as taker, a fraction of the own leg's notional: fees, and each market's spread once."""
    partner_spread = spread_of(outlook.pair_bid, outlook.pair_ask)
    own = 2.0 * params.own_fee + 1e-4 * market.spread_bps
    return float(own + outlook.pair_beta * (2.0 * params.partner_fee + partner_spread))


@njit(cache=True)
def is_pair(outlook: np.record, params: Params) -> bool:
    """Return whether the newest fit may be traded; what is undefined may not."""
    return bool(
        outlook.pair_pvalue < params.most_pvalue
        and params.least_beta <= outlook.pair_beta <= params.most_beta
        and outlook.pair_sigma > 0.0
        and 0.0 < outlook.pair_half_life_s <= params.most_half_life_s
        and not math.isnan(outlook.pair_alpha)
    )


@njit(cache=True)
def _look(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now = market.tick_at_ns
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if not is_fresh(outlook.pair_bid, outlook.pair_ask, outlook.pair_at_ns, now, params.quote_age_s):
        return nothing(HOLD, LEG_UNKNOWN)
    if not is_pair(outlook, params):
        return nothing(HOLD, NO_PAIR)
    z = z_of(market, outlook, outlook.pair_alpha, outlook.pair_beta, outlook.pair_sigma)
    if abs(z) <= params.exit_z:
        state.spent = 0
    if not params.entry_z <= abs(z) < params.stop_z:
        return nothing(HOLD, NO_SIGNAL)
    if state.spent == 1:
        return nothing(HOLD, NOT_BACK_YET)
    way = (abs(z) - params.exit_z) * outlook.pair_sigma
    if not way > costs_of(market, outlook, params) + params.least_edge:
        return nothing(HOLD, BELOW_COSTS)
    state.spent = 1
    state.alpha = outlook.pair_alpha
    state.beta = outlook.pair_beta
    state.sigma = outlook.pair_sigma
    state.time_out_s = params.time_out_half_lives * outlook.pair_half_life_s
    state.way = way
    state.partner_spread = spread_of(outlook.pair_bid, outlook.pair_ask)
    beta = float(outlook.pair_beta)
    ratio = beta * market.mid / (0.5 * (outlook.pair_bid + outlook.pair_ask))
    share = params.capital_share / max(1.0, beta)
    return enter(state, now, -1 if z > 0.0 else 1, ratio, share)


@njit(cache=True)
def _hold(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now = market.tick_at_ns
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if leg_at_risk(state, outlook.pair_at_ns, now, params.most_pending_s, params.stale_s):
        return leave(state, LEG_RISK)
    away = -state.side * z_of(market, outlook, state.alpha, state.beta, state.sigma)
    if away <= params.exit_z:
        return leave(state, CONVERGED)
    if away >= params.stop_z:
        return leave(state, STOP)
    if now - state.entered_ns >= int(1e9 * state.time_out_s):
        return leave(state, TIME_OUT)
    if outlook.pair_pvalue > params.lost_pvalue:
        return leave(state, NO_PAIR)
    return nothing(HOLD, NO_SIGNAL)


@njit(cache=True)
def step(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Its pair fields.
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
