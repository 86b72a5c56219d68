"""S9 MomentumTrader: follow breakouts of the mid's channel while the regime is a trend the same way.

Rule, on bars of five minutes: when the mid leaves the channel of the last 20 bars' highs and lows in the direction of a
trending regime (markup up, markdown down), go with it. Stop two mean true ranges away. Leave when the mid leaves the channel
of the last ten bars on the other side, when the regime has become the opposite trend, at the stop, or after six hours. The
size is what loses a fixed share of capital at the stop, so that it falls as volatility rises; at most 2 % of capital. Where
two mean true ranges are less than twice what the trade costs, none is made. Ten minutes between trades.

Source: Moskowitz, Ooi and Pedersen, "Time series momentum" (Journal of Financial Economics 104, 2012) for the effect and for
positions scaled by volatility; the 20/10 channel with a stop of two ranges is Donchian's, as traded by the Turtles (Faith,
"Way of the Turtle", 2007). It is falsified if its breakouts in trending regimes earn no more before costs than the same
breakouts elsewhere, or nothing at all: then the regime, or the trend, is hindsight.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.regimes.kernel import MARKDOWN, MARKUP
from models.strategies.bars import add_mid, bars_dtype, bars_kept, place_of
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

MOST_BARS: Final = 128

# Reasons of its own.
NO_TREND: Final = OWN_REASONS
WARMING_UP: Final = OWN_REASONS + 1
CHANNEL: Final = OWN_REASONS + 2
REGIME_TURNED: Final = OWN_REASONS + 3

REASON_NAMES: Final = {
    **TRADE_REASON_NAMES,
    NO_TREND: "NO_TREND",
    WARMING_UP: "WARMING_UP",
    CHANNEL: "CHANNEL",
    REGIME_TURNED: "REGIME_TURNED",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        *TRADE,
        ("share", np.float64),  # of the trade under way
        (
            "high",
            np.float64,
        ),  # of the bars a breakout leaves, as of the newest complete bar; NaN before there are enough
        ("low", np.float64),
        ("exit_high", np.float64),  # of the bars a trade is left by
        ("exit_low", np.float64),
        ("mean_range", np.float64),  # mean true range, fraction of the newest close
        ("bars", bars_dtype(MOST_BARS)),
    ]
)


class Params(NamedTuple):
    """Parameters of S9. Give floats as floats."""

    bar_ns: int = 300_000_000_000
    entry_bars: int = 20
    exit_bars: int = 10
    range_bars: int = 20
    stop_ranges: float = 2.0
    most_stop: float = 0.02  # R1
    time_out_s: float = 21_600.0
    cooldown_s: float = 600.0
    fees_bps: float = 11.0  # in and out as taker
    least_edge: float = 2.0  # stop distance over costs
    capital_at_risk: float = 0.0001  # share of capital lost at the stop
    capital_share: float = 0.02  # R1; the largest


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
        ("entry_bars", p.entry_bars, 2, MOST_BARS),
        ("exit_bars", p.exit_bars, 1, p.entry_bars),
        ("range_bars", p.range_bars, 1, MOST_BARS - 1),
        ("stop_ranges", p.stop_ranges, 0.1, 100.0),
        ("most_stop", p.most_stop, 1e-4, 0.02),
        ("time_out_s", p.time_out_s, 1.0, 6_048_000.0),
        ("cooldown_s", p.cooldown_s, 0.0, 604_800.0),
        ("fees_bps", p.fees_bps, -10.0, 100.0),
        ("least_edge", p.least_edge, 0.0, 100.0),
        ("capital_at_risk", p.capital_at_risk, 1e-9, 0.01),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"momentum trader: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no bar."""
    state = new_trade_state(STATE)
    state.high = state.low = state.exit_high = state.exit_low = state.mean_range = np.nan
    return state


@njit(cache=True)
def channel_of(bars: Any, count: int) -> tuple[float, float]:
    """Return the lowest low and the highest high of the newest `count` complete bars; NaN, NaN before there are as many."""
    if bars_kept(bars) < count:
        return math.nan, math.nan
    low, high = math.inf, -math.inf
    for back in range(count):
        at = place_of(bars, back)
        low = min(low, bars.lows[at])
        high = max(high, bars.highs[at])
    return low, high


@njit(cache=True)
def mean_true_range(bars: Any, count: int) -> float:
    """Return the plain mean of the newest `count` bars' true ranges (Wilder 1978), quote; NaN before there are enough.

    A true range reaches from the lower of low and last close to the higher of high and last close.
    """
    if bars_kept(bars) < count + 1:
        return math.nan
    total = 0.0
    for back in range(count):
        at, last_close = place_of(bars, back), bars.closes[place_of(bars, back + 1)]
        total += max(bars.highs[at], last_close) - min(bars.lows[at], last_close)
    return float(total / count)


@njit(cache=True)
def _remember(market: Any, params: Params, state: Any) -> None:
    bars = state.bars
    if add_mid(bars, market.tick_at_ns, market.mid, params.bar_ns):
        state.low, state.high = channel_of(bars, params.entry_bars)
        state.exit_low, state.exit_high = channel_of(bars, params.exit_bars)
        state.mean_range = mean_true_range(bars, params.range_bars) / bars.closes[place_of(bars, 0)]


@njit(cache=True)
def _enter(market: Any, params: Params, state: Any) -> Intent:
    if is_cooling(market, state, params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    if market.regime == MARKUP:
        side = 1
    elif market.regime == MARKDOWN:
        side = -1
    else:
        return nothing(HOLD, NO_TREND)
    if not (state.high > 0.0 and state.mean_range > 0.0):
        return nothing(HOLD, WARMING_UP)
    left = market.mid > state.high if side > 0 else market.mid < state.low
    if not left:
        return nothing(HOLD, NO_SIGNAL)
    stop = min(params.stop_ranges * state.mean_range, params.most_stop)
    if not beats_costs(stop, market.spread_bps, params.fees_bps, params.least_edge):
        return nothing(HOLD, COSTS)
    state.share = min(params.capital_at_risk / stop, params.capital_share)
    return begin(market, state, side, state.share, stop, math.nan, params.time_out_s, ENTRY)


@njit(cache=True)
def _own_exit(market: Any, state: Any) -> int:
    """Return a reason of its own to leave, `NO_SIGNAL` for none."""
    if state.side > 0:
        if market.mid < state.exit_low:
            return CHANNEL
        return REGIME_TURNED if market.regime == MARKDOWN else NO_SIGNAL
    if market.mid > state.exit_high:
        return CHANNEL
    return REGIME_TURNED if market.regime == MARKUP else NO_SIGNAL


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
    if state.phase == FLAT:
        return _enter(market, params, state)
    intent = manage(market, state, state.share)
    if state.phase == HOLDING:
        reason = _own_exit(market, state)
        if reason != NO_SIGNAL:
            return leave(state, reason)
    return intent
