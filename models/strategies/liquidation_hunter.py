"""S4 LiquidationHunter: follow a move that the cascade model expects to feed on forced orders.

Rule: when the model gives a liquidation cascade a probability above 0.7 and the mid has moved more than 1 % in the last 15
minutes, take the direction of that move with 2 % of capital. Stop 2 %, target 5 %, out after four hours at the latest. A
probability that nobody has renewed for ten minutes does not trade, and a move that was answered is not answered again: 15
minutes pass between trades.

Source: forced sales that lower the price and so force further sales, Brunnermeier and Pedersen, "Market Liquidity and Funding
Liquidity" (Review of Financial Studies 22, 2009). It is falsified if, after such signals, the mid reaches the target before
the stop no more often than after equal moves with a probability below 0.7: then the model adds nothing to the momentum.
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
    NO_SIGNAL,
    OWN_REASONS,
    TRADE,
    TRADE_REASON_NAMES,
    beats_costs,
    begin,
    is_cooling,
    manage,
    new_trade_state,
    synchronise,
)
from models.strategies.samples import add_sample, log_move, samples_dtype

SAMPLE_NS: Final = 5_000_000_000
SAMPLES: Final = 768

# Reasons of its own.
UNLIKELY: Final = OWN_REASONS
STALE: Final = OWN_REASONS + 1
MOMENTUM_UNKNOWN: Final = OWN_REASONS + 2

REASON_NAMES: Final = {
    **TRADE_REASON_NAMES,
    UNLIKELY: "UNLIKELY",
    STALE: "STALE",
    MOMENTUM_UNKNOWN: "MOMENTUM_UNKNOWN",
}

STATE: Final = record_dtype([*TOLD, *TRADE, ("mids", samples_dtype(SAMPLES))])


class Params(NamedTuple):
    """Parameters of S4. Give floats as floats."""

    least_probability: float = 0.7
    most_age_s: float = 600.0  # of the outlook
    momentum_s: float = 900.0
    least_momentum: float = 0.01
    stop: float = 0.02
    target: float = 0.05
    time_out_s: float = 14_400.0
    cooldown_s: float = 900.0
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
        ("least_probability", p.least_probability, 0.0, 1.0),
        ("most_age_s", p.most_age_s, 1.0, 86_400.0),
        ("momentum_s", p.momentum_s, 5.0, 1e-9 * SAMPLE_NS * (SAMPLES - 1)),
        ("least_momentum", p.least_momentum, 1e-5, 1.0),
        ("stop", p.stop, 1e-4, 0.02),
        ("target", p.target, 1e-4, 1.0),
        ("time_out_s", p.time_out_s, 1.0, 604_800.0),
        ("cooldown_s", p.cooldown_s, 0.0, 604_800.0),
        ("fees_bps", p.fees_bps, -10.0, 100.0),
        ("least_edge", p.least_edge, 0.0, 100.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"liquidation hunter: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no price."""
    return new_trade_state(STATE)


@njit(cache=True)
def _enter(market: Any, outlook: Any, params: Params, state: Any) -> Intent:
    if is_cooling(market, state, params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    # NaN fails these comparisons: what is unknown does not trade.
    if not outlook.cascade_probability > params.least_probability:
        return nothing(HOLD, UNLIKELY)
    if market.tick_at_ns - outlook.at_ns > int(1e9 * params.most_age_s):
        return nothing(HOLD, STALE)
    move = math.expm1(log_move(state.mids, market.tick_at_ns, SAMPLE_NS, params.momentum_s, market.mid))
    if math.isnan(move):
        return nothing(HOLD, MOMENTUM_UNKNOWN)
    if not abs(move) > params.least_momentum:
        return nothing(HOLD, NO_SIGNAL)
    if not beats_costs(params.target, market.spread_bps, params.fees_bps, params.least_edge):
        return nothing(HOLD, COSTS)
    side = 1 if move > 0.0 else -1
    return begin(
        market, state, side, params.capital_share, params.stop, params.target, params.time_out_s, ENTRY
    )


@njit(cache=True)
def step(market: Any, outlook: Any, params: Params, state: Any) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
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
    if state.phase == FLAT:
        return _enter(market, outlook, params, state)
    return manage(market, state, params.capital_share)
