"""S2 FundingHarvester: hold the side that is paid, over the settlements of a hold, where that beats the costs.

Rule: in the last `entry_before_s` before a settlement (and not in its last `entry_close_s`), when a forecast of its
rate exists, take the side that receives it if what is expected over a hold of `hold_s`, the forecast at the next
settlement and less of it at each later one by `half_life_h`, exceeds the costs of the round trip by `least_edge`, and
the forecast gives the sign a probability above `min_confidence`. Enter post-only at the touch, follow the touch, give
up at `entry_close_s`. After each settlement stay only if the next one lies within the hold and is forecast to pay at
least `stay_rate`. Leave when the forecast turns against the position, at `stop`, after `hold_s`. 4 h between signals
of a symbol, 6 a day.

Source: carry in perpetual futures (He, Manela, Ross and von Wachter, Fundamentals of Perpetual Futures, 2022). The
position is not hedged: the price moves far more over a hold than funding pays, so the edge shows in many trades only.
Falsified if over recorded funding the mean of what is received less the adverse price move and the costs is not
positive.

Here belongs the decision alone.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.cadence import CADENCE, may_signal, note_signal
from models.strategies.intent import CANCEL, EXIT, HOLD, TOLD, Intent, nothing
from models.strategies.maker_entry import MAKER_ENTRY, keep_quoting
from models.strategies.receipts import expected_funding

# Phases.
FLAT: Final = 0
ENTERING: Final = 1
HOLDING: Final = 2
EXITING: Final = 3

# Reasons.
NO_SIGNAL: Final = 0
OUTSIDE_WINDOW: Final = 1
NO_FORECAST: Final = 2
LOW_CONFIDENCE: Final = 3
BELOW_COSTS: Final = 4
COOLING_DOWN: Final = 5
ENTRY: Final = 6
REQUOTE: Final = 7
WAITING: Final = 8
GAVE_UP: Final = 9
STAYING: Final = 10
FUNDING_TAKEN: Final = 11
RATE_TURNED: Final = 12
STOP: Final = 13
TIME_OUT: Final = 14
BOOK_INVALID: Final = 15
LEFT_OVER: Final = 16

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    OUTSIDE_WINDOW: "OUTSIDE_WINDOW",
    NO_FORECAST: "NO_FORECAST",
    LOW_CONFIDENCE: "LOW_CONFIDENCE",
    BELOW_COSTS: "BELOW_COSTS",
    COOLING_DOWN: "COOLING_DOWN",
    ENTRY: "ENTRY",
    REQUOTE: "REQUOTE",
    WAITING: "WAITING",
    GAVE_UP: "GAVE_UP",
    STAYING: "STAYING",
    FUNDING_TAKEN: "FUNDING_TAKEN",
    RATE_TURNED: "RATE_TURNED",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    BOOK_INVALID: "BOOK_INVALID",
    LEFT_OVER: "LEFT_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        *MAKER_ENTRY,
        ("phase", np.int64),
        ("side", np.int64),
        ("settlement_ns", np.int64),  # the one the position is held for
        ("signalled_ns", np.int64),
        ("cadence", CADENCE),
    ]
)


class Params(NamedTuple):
    """Parameters of S2; rates, fees and shares are fractions. Give floats as floats."""

    entry_before_s: float = 1800.0
    entry_close_s: float = 60.0
    hold_s: float = 28_800.0
    exit_after_s: float = 300.0  # after the settlement
    half_life_h: float = 8.0
    least_edge: float = 0.0002
    stay_rate: float = 0.0001
    min_confidence: float = 0.6
    maker_fee: float = 0.0002  # of the entry
    taker_fee: float = 0.00055  # of the exit
    stop: float = 0.01  # R1: fraction of the entry price
    cooldown_s: float = 14_400.0
    most_per_day: int = 6
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
        ("entry_before_s", p.entry_before_s, 1.0, 28_800.0),
        ("entry_close_s", p.entry_close_s, 0.0, p.entry_before_s),
        ("hold_s", p.hold_s, p.entry_before_s + p.exit_after_s, 7 * 86_400.0),
        ("exit_after_s", p.exit_after_s, 0.0, 3600.0),
        ("half_life_h", p.half_life_h, 0.01, 1e4),
        ("least_edge", p.least_edge, 0.0, 0.1),
        ("stay_rate", p.stay_rate, 0.0, 0.1),
        ("min_confidence", p.min_confidence, 0.0, 1.0),
        ("maker_fee", p.maker_fee, -0.001, 0.01),
        ("taker_fee", p.taker_fee, -0.001, 0.01),
        ("stop", p.stop, 1e-4, 0.02),
        ("cooldown_s", p.cooldown_s, 0.0, 7 * 86_400.0),
        ("most_per_day", p.most_per_day, 1, 1000),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"funding harvester: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has signalled nothing."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    state.quoted = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def costs_of(market: np.record, params: Params) -> float:
    """Return the costs of entering as maker and leaving as taker, a fraction of notional."""
    return float(params.maker_fee + params.taker_fee + 0.5e-4 * market.spread_bps)


@njit(cache=True)
def forecast_of(outlook: np.record, settlement_ns: int) -> float:
    """Return the forecast of a settlement's rate, NaN where the newest forecast is of another one."""
    return float(outlook.predicted_rate) if outlook.forecast_settlement_ns == settlement_ns else math.nan


@njit(cache=True)
def _refusal(market: np.record, outlook: np.record, params: Params, state: np.record) -> int:
    """Say why nothing is entered now, `NO_SIGNAL` when it is; whatever is undefined refuses."""
    now, settlement = market.tick_at_ns, outlook.settlement_ns
    if not int(1e9 * params.entry_close_s) < settlement - now <= int(1e9 * params.entry_before_s):
        return OUTSIDE_WINDOW
    rate = forecast_of(outlook, settlement)
    if math.isnan(rate):
        return NO_FORECAST
    positive = outlook.probability_positive
    if not (positive if rate > 0.0 else 1.0 - positive) > params.min_confidence:
        return LOW_CONFIDENCE
    until = now + int(1e9 * params.hold_s)
    received = abs(
        expected_funding(
            rate / outlook.interval_h, settlement, outlook.interval_h, now, until, params.half_life_h
        )
    )
    if not received - costs_of(market, params) > params.least_edge:
        return BELOW_COSTS
    if not may_signal(state.cadence, now, int(1e9 * params.cooldown_s), params.most_per_day):
        return COOLING_DOWN
    return NO_SIGNAL


@njit(cache=True)
def _look(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    refusal = _refusal(market, outlook, params, state)
    if refusal != NO_SIGNAL:
        return nothing(HOLD, refusal)
    note_signal(state.cadence, market.tick_at_ns)
    state.phase = ENTERING
    state.side = -1 if outlook.predicted_rate > 0.0 else 1
    state.settlement_ns = outlook.settlement_ns
    state.signalled_ns = market.tick_at_ns
    return keep_quoting(market, state, params.capital_share, ENTRY, REQUOTE, WAITING)


@njit(cache=True)
def _has_turned(outlook: np.record, state: np.record) -> bool:
    return bool(state.side * forecast_of(outlook, state.settlement_ns) > 0.0)


@njit(cache=True)
def _enter(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    over = market.tick_at_ns >= state.settlement_ns - int(1e9 * params.entry_close_s)
    if over or _has_turned(outlook, state):
        if state.open_orders == 0:
            state.phase = FLAT
            return nothing(HOLD, GAVE_UP)
        return nothing(CANCEL, GAVE_UP if over else RATE_TURNED)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    return keep_quoting(market, state, params.capital_share, ENTRY, REQUOTE, WAITING)


@njit(cache=True)
def _after_settlement(market: np.record, outlook: np.record, params: Params, state: np.record) -> int:
    """Say why the position is left once its settlement is over; `STAYING` when it waits for the next one."""
    following = outlook.settlement_ns
    ends = state.signalled_ns + int(1e9 * params.hold_s)
    pays = -state.side * forecast_of(outlook, following) >= params.stay_rate
    if market.tick_at_ns < following <= ends and pays:
        state.settlement_ns = following
        return STAYING
    return FUNDING_TAKEN


@njit(cache=True)
def _exit_reason(market: np.record, outlook: np.record, params: Params, state: np.record) -> int:
    now = market.tick_at_ns
    if state.side * (market.mid / state.entry_price - 1.0) <= -params.stop:
        return STOP
    if now - state.signalled_ns >= int(1e9 * params.hold_s):
        return TIME_OUT
    if now >= state.settlement_ns + int(1e9 * params.exit_after_s):
        return _after_settlement(market, outlook, params, state)
    if now < state.settlement_ns and _has_turned(outlook, state):
        return RATE_TURNED
    return NO_SIGNAL


@njit(cache=True)
def _hold(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    reason = _exit_reason(market, outlook, params, state)
    if reason != NO_SIGNAL and reason != STAYING:
        state.phase = EXITING
        return nothing(EXIT, reason)
    if state.open_orders > 0 and market.tick_at_ns >= state.settlement_ns - int(1e9 * params.entry_close_s):
        return nothing(CANCEL, GAVE_UP)
    return nothing(HOLD, reason)


@njit(cache=True)
def step(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Its next settlement, interval and forecast.
    params : Params
    state : record of STATE
        Its `TOLD` fields up to date; changed in place.

    Returns
    -------
    Intent

    """
    if state.phase == ENTERING and state.position != 0.0:
        state.phase = HOLDING
    elif state.phase >= HOLDING and state.position == 0.0 and state.open_orders == 0:
        state.phase = FLAT
    if state.phase == FLAT:
        return _look(market, outlook, params, state)
    if state.phase == ENTERING:
        return _enter(market, outlook, params, state)
    if state.phase == HOLDING:
        return _hold(market, outlook, params, state)
    if state.open_orders == 0 and state.position != 0.0 and market.valid != 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
