"""S18 OiMomentum: new positions with a rising price are followed, new positions with a falling price are bet to be squeezed.

Rule, over the last 15 minutes: open interest up by 0.5 % and mid up by 0.3 %: longs are being opened and are right, buy. Open
interest up by 0.5 % and mid down by 0.3 %: shorts are being opened late; once the mid is 0.1 % off the lowest of those 15
minutes, buy: a reversal forces them to buy back. Both ways are long, as the rule is. Stop 0.6 %, target 1.2 %, out after an
hour, 15 minutes between trades. Open interest is taken in base units, which a price move alone does not change, from the
strategy's own samples.

Source: Murphy, "Technical Analysis of the Financial Markets" (1999, ch. 7) for the table of price and open interest; Hong and
Yogo, "What does futures market interest tell us about the macroeconomy and asset prices?" (Journal of Financial Economics
105, 2012) for open interest that predicts returns. It is falsified if the mean move in the hour after either signal is no
larger than after equal moves of the mid with open interest unchanged; the two ways are to be judged apart, by their reasons.
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
from models.strategies.samples import add_sample, log_move, sample_at, samples_dtype

SAMPLE_NS: Final = 15_000_000_000
SAMPLES: Final = 256

# Reasons of its own.
FOLLOW: Final = OWN_REASONS
SQUEEZE: Final = OWN_REASONS + 1
STALE: Final = OWN_REASONS + 2
UNKNOWN_PAST: Final = OWN_REASONS + 3
NOT_TURNED: Final = OWN_REASONS + 4

REASON_NAMES: Final = {
    **TRADE_REASON_NAMES,
    FOLLOW: "FOLLOW",
    SQUEEZE: "SQUEEZE",
    STALE: "STALE",
    UNKNOWN_PAST: "UNKNOWN_PAST",
    NOT_TURNED: "NOT_TURNED",
}
"""Entries carry FOLLOW or SQUEEZE instead of ENTRY."""

STATE: Final = record_dtype(
    [
        *TOLD,
        *TRADE,
        ("mids", samples_dtype(SAMPLES)),
        ("interests", samples_dtype(SAMPLES)),
    ]
)


class Params(NamedTuple):
    """Parameters of S18. Give floats as floats."""

    lookback_s: float = 900.0
    least_interest_rise: float = 0.005
    least_move: float = 0.003
    turn: float = 0.001  # off the lowest sample of the lookback, before a squeeze is bet on
    most_interest_age_s: float = 400.0  # history comes every 300 s
    stop: float = 0.006
    target: float = 0.012
    time_out_s: float = 3600.0
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
        ("lookback_s", p.lookback_s, 15.0, 1e-9 * SAMPLE_NS * (SAMPLES - 1)),
        ("least_interest_rise", p.least_interest_rise, 1e-6, 1.0),
        ("least_move", p.least_move, 1e-6, 1.0),
        ("turn", p.turn, 0.0, 0.1),
        ("most_interest_age_s", p.most_interest_age_s, 1.0, 3600.0),
        ("stop", p.stop, 1e-5, 0.02),
        ("target", p.target, 1e-5, 1.0),
        ("time_out_s", p.time_out_s, 1.0, 604_800.0),
        ("cooldown_s", p.cooldown_s, 0.0, 604_800.0),
        ("fees_bps", p.fees_bps, -10.0, 100.0),
        ("least_edge", p.least_edge, 0.0, 100.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"oi momentum: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen neither price nor open interest."""
    return new_trade_state(STATE)


@njit(cache=True)
def interest_now(market: Any, params: Params) -> float:
    """Return the open interest (base) if it is fresh; NaN if not."""
    age_ns = market.tick_at_ns - market.open_interest_at_ns
    fresh = market.open_interest_at_ns > 0 and age_ns <= int(1e9 * params.most_interest_age_s)
    return float(market.open_interest) if fresh else math.nan


@njit(cache=True)
def _has_turned(market: Any, params: Params, state: Any) -> bool:
    """Say whether the mid is off the lowest sample of the lookback; holes do not count."""
    lowest = market.mid
    for back in range(int(1e9 * params.lookback_s) // SAMPLE_NS + 1):
        sample = sample_at(state.mids, market.tick_at_ns - back * SAMPLE_NS, SAMPLE_NS)
        if sample < lowest:
            lowest = sample
    return bool(market.mid >= lowest * (1.0 + params.turn))


@njit(cache=True)
def _enter(market: Any, params: Params, state: Any) -> Intent:
    if is_cooling(market, state, params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    interest = interest_now(market, params)
    if math.isnan(interest):
        return nothing(HOLD, STALE)
    at_ns, back_s = market.tick_at_ns, params.lookback_s
    rise = math.expm1(log_move(state.interests, at_ns, SAMPLE_NS, back_s, interest))
    move = math.expm1(log_move(state.mids, at_ns, SAMPLE_NS, back_s, market.mid))
    if math.isnan(rise) or math.isnan(move):
        return nothing(HOLD, UNKNOWN_PAST)
    if not (rise >= params.least_interest_rise and abs(move) >= params.least_move):
        return nothing(HOLD, NO_SIGNAL)
    if move < 0.0 and not _has_turned(market, params, state):
        return nothing(HOLD, NOT_TURNED)
    if not beats_costs(params.target, market.spread_bps, params.fees_bps, params.least_edge):
        return nothing(HOLD, COSTS)
    why = FOLLOW if move > 0.0 else SQUEEZE
    return begin(market, state, 1, params.capital_share, params.stop, params.target, params.time_out_s, why)


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
    add_sample(state.interests, market.tick_at_ns, SAMPLE_NS, interest_now(market, params))
    synchronise(market, state)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.phase == FLAT:
        return _enter(market, params, state)
    return manage(market, state, params.capital_share)
