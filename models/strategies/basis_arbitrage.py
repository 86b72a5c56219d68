"""S14 BasisArbitrage: a perpetual too far from its spot market, held against it until the gap closes.

Rule: when the perpetual stands above spot by more than 0.05 % plus the costs of the whole trade (four takers' fees,
and the spread of each market once), sell the perpetual and buy spot; leave when the premium of the mids is down to
`exit_premium`. The mirror, perpetual below spot, needs spot sold that is not owned: only with `short_spot`, and its
loan is charged for the longest hold. Funding the trade would pay at the next settlement, at the venue's indicative
rate, counts as a cost where it falls into the longest hold; funding it would receive counts as nothing. Stop when the
premium has widened by `stop_widening`; out after `hold_s`; `LEG_RISK` when the spot leg fails or spot prices are
stale.

Source: funding exists to pull a perpetual to its index, and deviations beyond trading costs close (He, Manela, Ross
and von Wachter, Fundamentals of Perpetual Futures, 2022). Falsified if premiums beyond costs do not shrink before the
stop more often than they widen to it.

Here belongs the decision alone; legs and phases are in `two_legs.py`.
"""

from __future__ import annotations

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

STATE: Final = record_dtype([*TWO_LEGS, ("entry_premium", np.float64)])


class Params(NamedTuple):
    """Parameters of S14; premiums, fees and shares are fractions. Give floats as floats."""

    least_premium: float = 0.0005  # beyond costs
    exit_premium: float = 0.0001
    stop_widening: float = 0.005  # R1: of the notional, well below 1 % of capital at this share
    most_premium: float = 0.05  # beyond it the two are not the same thing
    perp_fee: float = 0.00055  # taker
    spot_fee: float = 0.001  # taker
    borrow_per_day: float = 0.0003
    short_spot: int = 0  # 1 where spot may be sold that is not owned
    hold_s: float = 86_400.0
    cooldown_s: float = 300.0  # after a trade, or an entry that came to nothing
    quote_age_s: float = 75.0  # oldest spot price to enter on
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
        ("least_premium", p.least_premium, 0.0, 0.1),
        ("exit_premium", p.exit_premium, -0.01, p.least_premium),
        ("stop_widening", p.stop_widening, 1e-6, 0.1),
        ("most_premium", p.most_premium, p.least_premium, 0.5),
        ("perp_fee", p.perp_fee, -0.001, 0.01),
        ("spot_fee", p.spot_fee, -0.001, 0.01),
        ("borrow_per_day", p.borrow_per_day, 0.0, 0.1),
        ("short_spot", p.short_spot, 0, 1),
        ("hold_s", p.hold_s, 1.0, 30 * 86_400.0),
        ("cooldown_s", p.cooldown_s, 0.0, 86_400.0),
        ("quote_age_s", p.quote_age_s, 1e-3, p.stale_s),
        ("stale_s", p.stale_s, 1e-3, 3600.0),
        ("most_pending_s", p.most_pending_s, 1e-3, 3600.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"basis arbitrage: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a strategy flat in both markets."""
    return new_two_legs(STATE)


@njit(cache=True)
def premium_of(market: np.record, outlook: np.record) -> float:
    """Return how far the mid of the perpetual stands above that of spot, a fraction."""
    return float(market.mid / (0.5 * (outlook.spot_bid + outlook.spot_ask)) - 1.0)


@njit(cache=True)
def costs_of(market: np.record, outlook: np.record, params: Params, side: int) -> float:
    """Return what the whole trade costs, a fraction of notional; `side` is that of the perpetual.

    Fees of four fills, each market's spread once, funding to be paid at the next settlement, the loan of spot sold.
    """
    spot_spread = spread_of(outlook.spot_bid, outlook.spot_ask)
    costs = 2.0 * (params.perp_fee + params.spot_fee) + 1e-4 * market.spread_bps + spot_spread
    within = outlook.settlement_ns - market.tick_at_ns <= int(1e9 * params.hold_s)
    if outlook.settlement_ns > market.tick_at_ns and within:
        paid = side * outlook.indicative_rate
        if paid > 0.0:
            costs += paid
    if side > 0:
        costs += params.borrow_per_day * params.hold_s / 86_400.0
    return float(costs)


@njit(cache=True)
def _look(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now = market.tick_at_ns
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.left_ns != 0 and now - state.left_ns < int(1e9 * params.cooldown_s):
        return nothing(HOLD, COOLING_DOWN)
    if not is_fresh(outlook.spot_bid, outlook.spot_ask, outlook.spot_at_ns, now, params.quote_age_s):
        return nothing(HOLD, LEG_UNKNOWN)
    premium = premium_of(market, outlook)
    side = -1 if premium > 0.0 else 1
    size = abs(premium)
    # Written so that what is undefined does not trade.
    if not size > params.least_premium or (side > 0 and params.short_spot == 0):
        return nothing(HOLD, NO_SIGNAL)
    if size > params.most_premium:
        return nothing(HOLD, PRICES_APART)
    if not size > params.least_premium + costs_of(market, outlook, params, side):
        return nothing(HOLD, BELOW_COSTS)
    state.entry_premium = size
    return enter(state, now, side, 1.0, params.capital_share)


@njit(cache=True)
def _hold(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now = market.tick_at_ns
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if leg_at_risk(state, outlook.spot_at_ns, now, params.most_pending_s, params.stale_s):
        return leave(state, LEG_RISK)
    size = -state.side * premium_of(market, outlook)
    if size <= params.exit_premium:
        return leave(state, CONVERGED)
    if size >= state.entry_premium + params.stop_widening:
        return leave(state, STOP)
    if now - state.entered_ns >= int(1e9 * params.hold_s):
        return leave(state, TIME_OUT)
    return nothing(HOLD, NO_SIGNAL)


@njit(cache=True)
def step(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Its spot prices, next settlement and indicative rate.
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
