"""S8 HFScalping: inside a range, a quarter percent back toward its middle, once five ticks say that the way back has begun.

Rule: in the RANGE regime, with the symbol's VPIN below 0.4 of its own history, when the mid is at least the target away from the
middle of the range's closes and has come back on balance over the last five ticks, with the touch's queue on that side, a
post-only order at the touch joins the way back. Target 25 bps by a resting reduce-only order, a stop, a time stop, and 30 s
between entries. An entry that does not fill within a few seconds is taken back.

Source: reversal of short-horizon returns as the reward of liquidity, Jegadeesh (Journal of Finance 45, 1990) and Nagel (Review of
Financial Studies 25, 2012), at the scale of minutes. It is falsified if its entries' mean markout at 120 s is not positive: then
the edge of a range is no better a place to buy than its middle.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.regimes.kernel import RANGE
from models.strategies.bars import add_mid, bars_dtype
from models.strategies.intent import CANCEL, EXIT, HOLD, POST_ONLY, TOLD, Intent, nothing, place
from models.strategies.ranges import range_of

TICKS: Final = 5
MOST_BARS: Final = 60

# Phases.
FLAT: Final = 0
ENTERING: Final = 1
HOLDING: Final = 2
EXITING: Final = 3

# Reasons.
NO_SIGNAL: Final = 0
ENTRY: Final = 1
NO_RANGE: Final = 2
TOXIC: Final = 3
TOO_NEAR: Final = 4
NOT_TURNED: Final = 5
QUEUE_AGAINST: Final = 6
COOLDOWN: Final = 7
UNFILLED: Final = 8
TARGET_ORDER: Final = 9
STOP: Final = 10
TIME_OUT: Final = 11
BOOK_INVALID: Final = 12
WAITING: Final = 13
LEFT_OVER: Final = 14

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    ENTRY: "ENTRY",
    NO_RANGE: "NO_RANGE",
    TOXIC: "TOXIC",
    TOO_NEAR: "TOO_NEAR",
    NOT_TURNED: "NOT_TURNED",
    QUEUE_AGAINST: "QUEUE_AGAINST",
    COOLDOWN: "COOLDOWN",
    UNFILLED: "UNFILLED",
    TARGET_ORDER: "TARGET_ORDER",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    BOOK_INVALID: "BOOK_INVALID",
    WAITING: "WAITING",
    LEFT_OVER: "LEFT_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("side", np.int64),
        ("sent_ns", np.int64),
        ("entered_ns", np.int64),  # 0 while flat
        ("ticks", np.int64),  # mids seen
        ("mids", np.float64, (TICKS + 1,)),
        ("low", np.float64),  # of the range, as of the newest complete bar
        ("high", np.float64),
        ("bars", bars_dtype(MOST_BARS)),
    ]
)


class Params(NamedTuple):
    """Parameters of S8. Give floats as floats."""

    target_bps: float = 25.0
    stop_bps: float = 20.0
    turn_bps: float = 0.5  # way back over five ticks
    most_vpin_rank: float = 0.4
    bar_ns: int = 60_000_000_000
    least_bars: int = 30
    quantile: float = 0.05
    fill_s: float = 10.0
    time_out_s: float = 1800.0
    cooldown_s: float = 30.0
    capital_share: float = 0.015


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("target_bps", p.target_bps, 5.0, 500.0),
        ("stop_bps", p.stop_bps, 1.0, 200.0),
        ("turn_bps", p.turn_bps, 0.0, p.target_bps),
        ("most_vpin_rank", p.most_vpin_rank, 0.0, 1.0),
        ("bar_ns", p.bar_ns, 1_000_000_000, 3_600_000_000_000),
        ("least_bars", p.least_bars, 4, MOST_BARS),
        ("quantile", p.quantile, 0.0, 0.4),
        ("fill_s", p.fill_s, 0.25, 3600.0),
        ("time_out_s", p.time_out_s, 1.0, 86_400.0),
        ("cooldown_s", p.cooldown_s, 0.0, 86_400.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"hf scalping: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no bar."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = state.low = state.high = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _remember(market: Any, params: Params, state: Any) -> None:
    if add_mid(state.bars, market.tick_at_ns, market.mid, params.bar_ns):
        state.low, state.high = range_of(state.bars, params.least_bars, params.quantile)
    if math.isnan(market.mid):
        # Five ticks in a row are meant: a hole begins them anew.
        state.ticks = 0
        return
    state.mids[state.ticks % (TICKS + 1)] = market.mid
    state.ticks += 1


@njit(cache=True)
def turned_bps(state: Any) -> float:
    """Return the mid's move over the last five ticks, bps; NaN before there are as many."""
    if state.ticks <= TICKS:
        return math.nan
    now = state.mids[(state.ticks - 1) % (TICKS + 1)]
    before = state.mids[state.ticks % (TICKS + 1)]
    return float(1e4 * (now / before - 1.0))


@njit(cache=True)
def _enter(market: Any, params: Params, state: Any) -> Intent:
    if state.sent_ns != 0 and market.tick_at_ns - state.sent_ns < int(1e9 * params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    low, high = state.low, state.high
    if market.regime != RANGE or math.isnan(low):
        return nothing(HOLD, NO_RANGE)
    if not market.vpin_rank < params.most_vpin_rank:
        return nothing(HOLD, TOXIC)
    middle = 0.5 * (low + high)
    away_bps = 1e4 * (market.mid / middle - 1.0)
    if not abs(away_bps) >= params.target_bps:
        return nothing(HOLD, TOO_NEAR)
    side = -1 if away_bps > 0.0 else 1
    if not side * turned_bps(state) >= params.turn_bps:
        return nothing(HOLD, NOT_TURNED)
    if not side * market.queue_imbalance > 0.0:
        return nothing(HOLD, QUEUE_AGAINST)
    state.phase = ENTERING
    state.side = side
    state.sent_ns = market.tick_at_ns
    price = market.best_bid if side > 0 else market.best_ask
    return place(POST_ONLY, side, price, params.capital_share, 0, ENTRY)


@njit(cache=True)
def _hold(market: Any, params: Params, state: Any) -> Intent:
    moved_bps = 1e4 * state.side * (market.mid / state.entry_price - 1.0)
    reason = NO_SIGNAL
    if moved_bps <= -params.stop_bps:
        reason = STOP
    elif market.tick_at_ns - state.entered_ns >= int(1e9 * params.time_out_s):
        reason = TIME_OUT
    if reason != NO_SIGNAL:
        state.phase = EXITING
        return nothing(EXIT, reason)
    if state.open_orders == 0:
        price = state.entry_price * (1.0 + 1e-4 * state.side * params.target_bps)
        return place(POST_ONLY, -state.side, price, params.capital_share, 1, TARGET_ORDER)
    return nothing(HOLD, WAITING)


@njit(cache=True)
def _synchronise(market: Any, state: Any) -> None:
    """Move between phases by what is known of our orders."""
    if state.position == 0.0 and state.open_orders == 0:
        state.phase = FLAT
        state.entered_ns = 0
    elif state.position != 0.0:
        if state.entered_ns == 0:
            state.entered_ns = market.tick_at_ns
        if state.phase == ENTERING and state.open_orders == 0:
            state.phase = HOLDING


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
    _synchronise(market, state)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.phase == FLAT:
        return _enter(market, params, state)
    if state.phase == ENTERING:
        if market.tick_at_ns - state.sent_ns >= int(1e9 * params.fill_s):
            return nothing(CANCEL, UNFILLED)
        return nothing(HOLD, WAITING)
    if state.phase == HOLDING:
        return _hold(market, params, state)
    if state.open_orders == 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
