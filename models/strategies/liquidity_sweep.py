"""S10 LiquiditySweep: when the mid runs the stops beyond a swing level and comes back, trade the way back.

Rule, on bars of a minute: a low is a swing low when it is below the lows of the five bars on either side of it, and known
only once those have closed; the newest one counts, for four hours. When the mid runs at least 5 bps below it and is back
above it within three minutes, buy: the stops that rested there have been run and nobody followed. A run of more than 50 bps
or one that lasts is a breakout, and the level is forgotten. Stop 2 bps beyond the run's lowest mid, target twice the stop's
distance, out after half an hour; 15 minutes between trades. Swing highs the other way round. A target worth less than twice
what the trade costs is left alone.

Source: Osler, "Currency Orders and Exchange Rate Dynamics" (Journal of Finance 58, 2003): stop orders cluster just beyond,
and take-profit orders at, salient levels, so that moves are fast there or turn; as a rule to trade, "Turtle Soup" of Connors
and Raschke, "Street Smarts" (1995). It is falsified if the target is reached before the stop no more often than the one-third
that a random walk gives.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.bars import add_mid, bars_dtype, bars_kept, place_of
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

MOST_BARS: Final = 64

# Levels, and the side that is traded when one has been swept.
LOW: Final = 0
HIGH: Final = 1

# Reasons of its own.
SWEPT: Final = OWN_REASONS
BROKEN: Final = OWN_REASONS + 1

REASON_NAMES: Final = {**TRADE_REASON_NAMES, SWEPT: "SWEPT", BROKEN: "BROKEN"}

STATE: Final = record_dtype(
    [
        *TOLD,
        *TRADE,
        ("level", np.float64, (2,)),  # swing low and swing high, quote; NaN for none
        ("known_ns", np.int64, (2,)),  # since when
        ("swept_ns", np.int64, (2,)),  # since when the mid is beyond it; 0 while it is not
        ("extreme", np.float64, (2,)),  # farthest mid beyond it
        ("bars", bars_dtype(MOST_BARS)),
    ]
)


class Params(NamedTuple):
    """Parameters of S10. Give floats as floats."""

    bar_ns: int = 60_000_000_000
    wing_bars: int = 5
    most_age_s: float = 14_400.0
    least_run: float = 0.0005
    most_run: float = 0.005
    most_run_s: float = 180.0
    stop_beyond: float = 0.0002  # beyond the run's extreme
    target_multiple: float = 2.0  # of the stop's distance
    time_out_s: float = 1800.0
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
        ("bar_ns", p.bar_ns, 1_000_000_000, 86_400_000_000_000),
        ("wing_bars", p.wing_bars, 1, (MOST_BARS - 1) // 2),
        ("most_age_s", p.most_age_s, 1.0, 6_048_000.0),
        ("least_run", p.least_run, 0.0, 0.02),
        ("most_run", p.most_run, p.least_run, 0.02 - p.stop_beyond),
        ("most_run_s", p.most_run_s, 0.25, 86_400.0),
        ("stop_beyond", p.stop_beyond, 0.0, 0.01),
        ("target_multiple", p.target_multiple, 0.1, 100.0),
        ("time_out_s", p.time_out_s, 1.0, 604_800.0),
        ("cooldown_s", p.cooldown_s, 0.0, 604_800.0),
        ("fees_bps", p.fees_bps, -10.0, 100.0),
        ("least_edge", p.least_edge, 0.0, 100.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"liquidity sweep: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no bar."""
    state = new_trade_state(STATE)
    state.level[:] = state.extreme[:] = np.nan
    return state


@njit(cache=True)
def swing_of(bars: Any, which: int, wing: int) -> float:
    """Return the swing level that the newest complete bar confirms.

    Parameters
    ----------
    bars : record of `bars_dtype`
    which : int
        `LOW` or `HIGH`.
    wing : int
        Bars on either side, all of which must be strictly less extreme.

    Returns
    -------
    float
        Quote; NaN where the bar `wing` bars back is no swing.

    """
    if bars_kept(bars) < 2 * wing + 1:
        return math.nan
    sign = 1.0 if which == LOW else -1.0
    level = bars.lows[place_of(bars, wing)] if which == LOW else bars.highs[place_of(bars, wing)]
    for back in range(2 * wing + 1):
        at = place_of(bars, back)
        other = bars.lows[at] if which == LOW else bars.highs[at]
        if back != wing and sign * (other - level) <= 0.0:
            return math.nan
    return float(level)


@njit(cache=True)
def _forget(state: Any, which: int) -> None:
    state.level[which] = math.nan
    state.extreme[which] = math.nan
    state.swept_ns[which] = 0


@njit(cache=True)
def _remember(market: Any, params: Params, state: Any) -> None:
    if not add_mid(state.bars, market.tick_at_ns, market.mid, params.bar_ns):
        return
    for which in range(2):
        level = swing_of(state.bars, which, params.wing_bars)
        # A run under way is seen to its end before another level counts.
        if not math.isnan(level) and state.swept_ns[which] == 0:
            state.level[which] = level
            state.known_ns[which] = market.tick_at_ns


@njit(cache=True)
def _follow(market: Any, params: Params, state: Any, which: int) -> int:
    """Follow a level for one tick and say what happened.

    Returns
    -------
    int
        `ENTRY` when it was swept and the mid is back (the level is forgotten, its extreme kept), `SWEPT` while the mid is beyond
        it, `BROKEN` when it was given up, else `NO_SIGNAL`.

    """
    level = state.level[which]
    if math.isnan(level):
        return NO_SIGNAL
    side = 1 if which == LOW else -1
    now_ns, mid = market.tick_at_ns, market.mid
    beyond = side * (1.0 - mid / level)
    if state.swept_ns[which] == 0:
        if now_ns - state.known_ns[which] > int(1e9 * params.most_age_s):
            _forget(state, which)
            return NO_SIGNAL
        if beyond <= 0.0:
            return NO_SIGNAL
        state.swept_ns[which] = now_ns
        state.extreme[which] = mid
    if side * (mid - state.extreme[which]) < 0.0:
        state.extreme[which] = mid
    depth = side * (1.0 - state.extreme[which] / level)
    if depth > params.most_run or now_ns - state.swept_ns[which] > int(1e9 * params.most_run_s):
        _forget(state, which)
        return BROKEN
    if beyond > 0.0:
        return SWEPT
    state.swept_ns[which] = 0
    if depth < params.least_run:
        # Touched, not run: the stops beyond it still rest there.
        return NO_SIGNAL
    state.level[which] = math.nan
    return ENTRY


@njit(cache=True)
def _enter(market: Any, params: Params, state: Any, which: int) -> Intent:
    if is_cooling(market, state, params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    side = 1 if which == LOW else -1
    stop_price = state.extreme[which] * (1.0 - side * params.stop_beyond)
    stop = side * (1.0 - stop_price / market.mid)
    target = params.target_multiple * stop
    if not beats_costs(target, market.spread_bps, params.fees_bps, params.least_edge):
        return nothing(HOLD, COSTS)
    return begin(market, state, side, params.capital_share, stop, target, params.time_out_s, ENTRY)


@njit(cache=True)
def _look(market: Any, params: Params, state: Any) -> Intent:
    low = _follow(market, params, state, LOW)
    high = _follow(market, params, state, HIGH)
    if state.phase != FLAT:
        # What is swept during a trade is used up with it.
        return manage(market, state, params.capital_share)
    if low == ENTRY:
        return _enter(market, params, state, LOW)
    if high == ENTRY:
        return _enter(market, params, state, HIGH)
    return nothing(HOLD, low if low != NO_SIGNAL else high)


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
    _remember(market, params, state)
    synchronise(market, state)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    return _look(market, params, state)
