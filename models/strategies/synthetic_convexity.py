"""S19 SyntheticConvexity: the delta of a long straddle, held in the perpetual. Research and shadow only.

Rule: when the market trends (finer Hurst exponent at least `least_hurst`), an implied volatility is known, and the
expected costs of hedging are a small share of the straddle's price, write down a straddle struck at the mid that
expires in `tenor_s`, and hold its delta times `capital_share` in the perpetual; trade only when what is held differs
from the delta by more than `band`. Close shortly before expiry, where gamma explodes, or when the hedge has lost
`stop_premiums` times the straddle's price.

What it earns and what it loses. No option is bought: no premium is paid, and none is owned. The position is the hedge
that would replicate one, and with strike K, price V at the volatility s assumed, and realised volatility r, it makes
before costs

    integral of delta dS = |S_T - K| - V - 1/2 integral of gamma S^2 (r^2 - s^2) dt.

It buys after rises and sells after falls. It earns when the price goes far in one direction for how much it moved on
the way, and loses up to V, and more where r > s, when the price moves much and arrives nowhere. Over prices without
trend its expectation is zero whatever r is, and costs make it negative: it changes the shape of outcomes (many small
losses, few large gains), it is no edge. Only trending can pay: hence the Hurst condition, and falsified if what it
makes after costs in windows that start so is not positive.

Source: Black and Scholes (1973), Black (1976); bands: Whalley and Wilmott (1997), here of a fixed width. Delta ends
at +1 or -1 and is nearly a martingale, so its squared moves sum to about 1: in steps of `band` that is about 1/`band`
notionals of turnover; with the closing one these are the costs judged at the start.

Here belongs the decision alone; the Greeks are in `option_greeks.py`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, TOLD, Intent, nothing, place
from models.strategies.option_greeks import YEAR_S, straddle

# Phases.
FLAT: Final = 0
RUNNING: Final = 1
EXITING: Final = 2

# Reasons.
NO_SIGNAL: Final = 0
NO_TREND: Final = 1
NO_VOLATILITY: Final = 2
BELOW_COSTS: Final = 3
RESTING: Final = 4
START: Final = 5
REBALANCE: Final = 6
WITHIN_BAND: Final = 7
WAITING: Final = 8
STOP: Final = 9
EXPIRED: Final = 10
BOOK_INVALID: Final = 11
LEFT_OVER: Final = 12

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    NO_TREND: "NO_TREND",
    NO_VOLATILITY: "NO_VOLATILITY",
    BELOW_COSTS: "BELOW_COSTS",
    RESTING: "RESTING",
    START: "START",
    REBALANCE: "REBALANCE",
    WITHIN_BAND: "WITHIN_BAND",
    WAITING: "WAITING",
    STOP: "STOP",
    EXPIRED: "EXPIRED",
    BOOK_INVALID: "BOOK_INVALID",
    LEFT_OVER: "LEFT_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("expiry_ns", np.int64),
        ("ended_ns", np.int64),
        ("ordered_ns", np.int64),
        ("strike", np.float64),
        ("volatility", np.float64),
        ("premium", np.float64),  # of the straddle at the start, fraction of the strike
        ("made", np.float64),  # by the hedge so far, fraction of the strike
        ("last_mid", np.float64),
        (
            "base_per_delta",
            np.float64,
        ),  # position that is a delta of 1, as fills have shown; 0 before the first
        ("before", np.float64),  # position when the order under way was sent
        ("ordered", np.float64),  # its delta, positive; 0 without one
        ("delta", np.float64),  # of the straddle now, and its other Greeks: to be looked at
        ("gamma", np.float64),
        ("vega", np.float64),
        ("theta", np.float64),
    ]
)


class Params(NamedTuple):
    """Parameters of S19. Give floats as floats."""

    tenor_s: float = 86_400.0
    close_before_s: float = 900.0
    band: float = 0.15  # of delta
    rebalance_gap_s: float = 5.0  # between orders
    least_hurst: float = 0.55
    least_volatility: float = 0.05  # a year
    most_volatility: float = 5.0
    taker_fee: float = 0.00055
    most_cost_share: float = 0.25  # of the straddle's price
    stop_premiums: float = 1.5
    rest_s: float = 3600.0  # after one has ended
    capital_share: float = 0.02  # R1: of a delta of 1


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("tenor_s", p.tenor_s, 60.0, 30 * 86_400.0),
        ("close_before_s", p.close_before_s, 1.0, 0.5 * p.tenor_s),
        ("band", p.band, 0.01, 0.9),
        ("rebalance_gap_s", p.rebalance_gap_s, 0.0, 3600.0),
        ("least_hurst", p.least_hurst, 0.0, 1.0),
        ("least_volatility", p.least_volatility, 1e-3, p.most_volatility),
        ("most_volatility", p.most_volatility, 1e-3, 100.0),
        ("taker_fee", p.taker_fee, -0.001, 0.01),
        ("most_cost_share", p.most_cost_share, 1e-6, 1.0),
        ("stop_premiums", p.stop_premiums, 0.01, 100.0),
        ("rest_s", p.rest_s, 0.0, 7 * 86_400.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"synthetic convexity: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a strategy that holds nothing."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def held_delta(state: np.record) -> float:
    """Return the delta held, as far as fills have shown what a delta of 1 is."""
    return float(state.position / state.base_per_delta) if state.base_per_delta > 0.0 else 0.0


@njit(cache=True)
def _learn(state: np.record) -> None:
    """See from an order that is over what a delta of 1 is; rounding to lots only ever makes it look smaller."""
    if state.open_orders == 0 and state.ordered > 0.0:
        shown = abs(state.position - state.before) / state.ordered
        state.base_per_delta = max(state.base_per_delta, shown)
        state.ordered = 0.0


@njit(cache=True)
def _look(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now, mid, volatility = market.tick_at_ns, market.mid, outlook.implied_volatility
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.ended_ns != 0 and now - state.ended_ns < int(1e9 * params.rest_s):
        return nothing(HOLD, RESTING)
    # Written so that what is undefined does not trade.
    if not market.hurst_finer >= params.least_hurst:
        return nothing(HOLD, NO_TREND)
    if not params.least_volatility <= volatility <= params.most_volatility:
        return nothing(HOLD, NO_VOLATILITY)
    premium = straddle(mid, mid, volatility, params.tenor_s / YEAR_S).price / mid
    costs = (params.taker_fee + 0.5e-4 * market.spread_bps) * (1.0 / params.band + 1.0)
    if not costs <= params.most_cost_share * premium:
        return nothing(HOLD, BELOW_COSTS)
    state.phase = RUNNING
    state.strike = mid
    state.volatility = volatility
    state.premium = premium
    state.expiry_ns = now + int(1e9 * params.tenor_s)
    state.made = 0.0
    state.last_mid = mid
    state.base_per_delta = 0.0
    state.ordered = 0.0
    return nothing(HOLD, START)


@njit(cache=True)
def _rebalance(market: np.record, params: Params, state: np.record) -> Intent:
    change = state.delta - held_delta(state)
    if abs(change) < params.band:
        return nothing(HOLD, WITHIN_BAND)
    if state.open_orders > 0 or market.tick_at_ns - state.ordered_ns < int(1e9 * params.rebalance_gap_s):
        return nothing(HOLD, WAITING)
    # A delta of 1 is the notional of `capital_share` at the strike; no order is larger than R1 allows.
    whole = params.capital_share * market.mid / state.strike
    share = min(whole * abs(change), params.capital_share)
    state.ordered_ns = market.tick_at_ns
    state.before = state.position
    state.ordered = share / whole
    return place(MARKET_ORDER, 1 if change > 0.0 else -1, math.nan, share, 0, REBALANCE)


@njit(cache=True)
def _run(market: np.record, params: Params, state: np.record) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    state.made += held_delta(state) * (market.mid - state.last_mid) / state.strike
    state.last_mid = market.mid
    left_s = 1e-9 * (state.expiry_ns - market.tick_at_ns)
    if left_s <= params.close_before_s or state.made <= -params.stop_premiums * state.premium:
        state.phase = EXITING
        return nothing(EXIT, EXPIRED if left_s <= params.close_before_s else STOP)
    greeks = straddle(market.mid, state.strike, state.volatility, left_s / YEAR_S)
    state.delta = greeks.delta
    state.gamma = greeks.gamma
    state.vega = greeks.vega
    state.theta = greeks.theta
    return _rebalance(market, params, state)


@njit(cache=True)
def step(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Its implied volatility, at the start only.
    params : Params
    state : record of STATE
        Its `TOLD` fields up to date; changed in place.

    Returns
    -------
    Intent

    """
    _learn(state)
    if state.phase == EXITING and state.position == 0.0 and state.open_orders == 0:
        state.phase = FLAT
        state.ended_ns = market.tick_at_ns
    if state.phase == FLAT:
        return _look(market, outlook, params, state)
    if state.phase == RUNNING:
        return _run(market, params, state)
    if state.open_orders == 0 and state.position != 0.0 and market.valid != 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
