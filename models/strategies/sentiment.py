"""S16 Sentiment: against the crowd's mood at its extremes, once the price has stopped following it. A trial allocation.

Rule: Fear & Greed at or below `fear` and the mid up by at least `turn` over the last `lookback_bars` bars: long; at
or above `greed` and down as much: short. A text score that still shouts with the crowd (against the trade by more
than `most_text_against`) forbids it; an unknown or old one says nothing. The target must be worth `cost_multiple`
round trips as taker. Leave at the target, at the stop, when the mood is back between `calm_from` and `calm_to`, after
`hold_s`. One signal a day, `cooldown_s` between signals, and a quarter of the usual capital.

Source: noise traders push prices away and extremes of their mood come before reversals (De Long, Shleifer, Summers
and Waldmann 1990; Baker and Wurgler 2006, for shares). That it holds for this index and these markets is not shown:
the index is made partly of volatility and momentum, so it looks back at the very price. Falsified if the return after
extremes is not better than after any other turn of the price of that size.

Here belongs the decision alone.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.bars import add_mid, bars_dtype, bars_kept, place_of
from models.strategies.cadence import CADENCE, may_signal, note_signal
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, TOLD, Intent, nothing, place

BARS: Final = 96

# Phases.
FLAT: Final = 0
ENTERING: Final = 1
HOLDING: Final = 2
EXITING: Final = 3

# Reasons.
NO_SIGNAL: Final = 0
NO_MOOD: Final = 1
NO_TURN: Final = 2
TEXT_AGAINST: Final = 3
BELOW_COSTS: Final = 4
COOLING_DOWN: Final = 5
ENTRY: Final = 6
WAITING: Final = 7
TARGET: Final = 8
STOP: Final = 9
MOOD_GONE: Final = 10
TIME_OUT: Final = 11
BOOK_INVALID: Final = 12
LEFT_OVER: Final = 13

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    NO_MOOD: "NO_MOOD",
    NO_TURN: "NO_TURN",
    TEXT_AGAINST: "TEXT_AGAINST",
    BELOW_COSTS: "BELOW_COSTS",
    COOLING_DOWN: "COOLING_DOWN",
    ENTRY: "ENTRY",
    WAITING: "WAITING",
    TARGET: "TARGET",
    STOP: "STOP",
    MOOD_GONE: "MOOD_GONE",
    TIME_OUT: "TIME_OUT",
    BOOK_INVALID: "BOOK_INVALID",
    LEFT_OVER: "LEFT_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("side", np.int64),
        ("entered_ns", np.int64),
        ("cadence", CADENCE),
        ("bars", bars_dtype(BARS)),
    ]
)


class Params(NamedTuple):
    """Parameters of S16. Give floats as floats."""

    fear: float = 20.0
    greed: float = 80.0
    calm_from: float = 45.0
    calm_to: float = 55.0
    most_age_s: float = 129_600.0  # of the index, which is made once a day
    turn: float = 0.01  # fraction
    bar_ns: int = 900_000_000_000
    lookback_bars: int = 16
    most_text_against: float = 0.5
    text_age_s: float = 21_600.0
    target: float = 0.03
    stop: float = 0.02  # R1
    taker_fee: float = 0.00055
    cost_multiple: float = 5.0
    hold_s: float = 172_800.0
    cooldown_s: float = 86_400.0
    capital_share: float = 0.005  # a trial: a quarter of R1


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("fear", p.fear, 0.0, p.calm_from),
        ("greed", p.greed, p.calm_to, 100.0),
        ("calm_from", p.calm_from, 0.0, p.calm_to),
        ("calm_to", p.calm_to, 0.0, 100.0),
        ("most_age_s", p.most_age_s, 1.0, 7 * 86_400.0),
        ("turn", p.turn, 1e-6, 0.5),
        ("bar_ns", p.bar_ns, 1_000_000_000, 86_400_000_000_000),
        ("lookback_bars", p.lookback_bars, 1, BARS - 1),
        ("most_text_against", p.most_text_against, 0.0, 1.0),
        ("text_age_s", p.text_age_s, 1.0, 7 * 86_400.0),
        ("target", p.target, 1e-4, 0.5),
        ("stop", p.stop, 1e-4, 0.02),
        ("taker_fee", p.taker_fee, -0.001, 0.01),
        ("cost_multiple", p.cost_multiple, 1.0, 1000.0),
        ("hold_s", p.hold_s, 1.0, 30 * 86_400.0),
        ("cooldown_s", p.cooldown_s, 0.0, 30 * 86_400.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"sentiment: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no bar."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def side_of_mood(outlook: np.record, at_ns: int, params: Params) -> int:
    """Return the side against the crowd: +1 in fear, -1 in greed, 0 between them or where the index is unknown or old."""
    if outlook.fear_greed_at_ns == 0 or at_ns - outlook.fear_greed_at_ns > int(1e9 * params.most_age_s):
        return 0
    if outlook.fear_greed <= params.fear:
        return 1
    if outlook.fear_greed >= params.greed:
        return -1
    return 0


@njit(cache=True)
def move_of(market: np.record, params: Params, state: np.record) -> float:
    """Return the move of the mid since the close `lookback_bars` bars ago, a fraction; NaN before there was one."""
    if bars_kept(state.bars) <= params.lookback_bars:
        return math.nan
    before = state.bars.closes[place_of(state.bars, params.lookback_bars)]
    return float(market.mid / before - 1.0)


@njit(cache=True)
def _text_against(outlook: np.record, side: int, at_ns: int, params: Params) -> bool:
    fresh = outlook.text_score_at_ns > 0 and (
        at_ns - outlook.text_score_at_ns <= int(1e9 * params.text_age_s)
    )
    return bool(fresh and side * outlook.text_score < -params.most_text_against)


@njit(cache=True)
def _look(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    now = market.tick_at_ns
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    side = side_of_mood(outlook, now, params)
    if side == 0:
        return nothing(HOLD, NO_MOOD)
    # Written so that an undefined move does not trade.
    if not side * move_of(market, params, state) >= params.turn:
        return nothing(HOLD, NO_TURN)
    if _text_against(outlook, side, now, params):
        return nothing(HOLD, TEXT_AGAINST)
    costs = 2.0 * params.taker_fee + 1e-4 * market.spread_bps
    if not params.target >= params.cost_multiple * costs:
        return nothing(HOLD, BELOW_COSTS)
    if not may_signal(state.cadence, now, int(1e9 * params.cooldown_s), 1):
        return nothing(HOLD, COOLING_DOWN)
    note_signal(state.cadence, now)
    state.phase = ENTERING
    state.side = side
    state.entered_ns = now
    return place(MARKET_ORDER, side, math.nan, params.capital_share, 0, ENTRY)


@njit(cache=True)
def _exit_reason(market: np.record, outlook: np.record, params: Params, state: np.record) -> int:
    moved = state.side * (market.mid / state.entry_price - 1.0)
    if moved <= -params.stop:
        return STOP
    if moved >= params.target:
        return TARGET
    if market.tick_at_ns - state.entered_ns >= int(1e9 * params.hold_s):
        return TIME_OUT
    if params.calm_from <= outlook.fear_greed <= params.calm_to:
        return MOOD_GONE
    return NO_SIGNAL


@njit(cache=True)
def _hold(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    reason = _exit_reason(market, outlook, params, state)
    if reason == NO_SIGNAL:
        return nothing(HOLD, NO_SIGNAL)
    state.phase = EXITING
    return nothing(EXIT, reason)


@njit(cache=True)
def step(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Its Fear & Greed index and text score.
    params : Params
    state : record of STATE
        Its `TOLD` fields up to date; changed in place.

    Returns
    -------
    Intent

    """
    add_mid(state.bars, market.tick_at_ns, market.mid, params.bar_ns)
    if state.phase == ENTERING:
        if state.position != 0.0:
            state.phase = HOLDING
        elif state.open_orders == 0:
            state.phase = FLAT
    elif state.phase >= HOLDING and state.position == 0.0 and state.open_orders == 0:
        state.phase = FLAT
    if state.phase == FLAT:
        return _look(market, outlook, params, state)
    if state.phase == HOLDING:
        return _hold(market, outlook, params, state)
    if state.phase == EXITING and state.open_orders == 0 and state.position != 0.0 and market.valid != 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
