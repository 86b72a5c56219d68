"""S1 FundingPressure: hold the side that receives a funding rate forecast to move, across one settlement.

Rule: if the forecast of the next settlement's rate lies above the last settled rate by more than a threshold,
go short 90 minutes before the settlement; mirrored, go long; leave 5 minutes after the settlement. Trade only
if the forecast distribution gives the move a probability above a minimum. One decision per settlement, at the
earliest instant of the entry window at which a forecast exists; beyond the window none is made.

A symbol whose funding interval is not longer than `entry_before_s` never enters: its entry instant lies
before the settlement it would follow, when the rate to compare with has not been settled.

Here belongs the decision alone: records and numbers in, numbers out. Size, orders, gates and the record of
trades belong elsewhere. `step` uses no Python objects, only fields of records and numbers, so that one
compiled loop can drive it (`funding_pressure_ticks.py` does); called from Python it stays plain Python.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

NANOSECONDS = 1_000_000_000

HOLD = 0
ENTER = 1
EXIT = 2

LONG = 1
SHORT = -1

# Why a step decided as it did; numbers, so that a compiled step can return them.
NO_CHANGE = 0
SIGNAL = 1
EXIT_TIME = 2
IN_POSITION = 3
ALREADY_DECIDED = 4
BEFORE_WINDOW = 5
AFTER_WINDOW = 6
NO_FORECAST = 7
BELOW_THRESHOLD = 8
LOW_CONFIDENCE = 9
NO_SETTLED_RATE = 10

REASON_NAMES = {
    NO_CHANGE: "NO_CHANGE",
    SIGNAL: "SIGNAL",
    EXIT_TIME: "EXIT_TIME",
    IN_POSITION: "IN_POSITION",
    ALREADY_DECIDED: "ALREADY_DECIDED",
    BEFORE_WINDOW: "BEFORE_WINDOW",
    AFTER_WINDOW: "AFTER_WINDOW",
    NO_FORECAST: "NO_FORECAST",
    BELOW_THRESHOLD: "BELOW_THRESHOLD",
    LOW_CONFIDENCE: "LOW_CONFIDENCE",
    NO_SETTLED_RATE: "NO_SETTLED_RATE",
}

MARKET = np.dtype(
    (
        np.record,
        [
            ("now_ns", np.int64),
            ("settlement_ns", np.int64),  # the next one
            ("forecast_settlement_ns", np.int64),  # the one the forecast is for; 0 without a forecast
            ("predicted", np.float64),
            ("current", np.float64),  # last settled rate; NaN if unknown
            ("probability_above", np.float64),  # of a rate above `current`, by the forecast
            ("probability_below", np.float64),
        ],
    )
)

STATE = np.dtype(
    (
        np.record,
        [
            ("side", np.int64),  # +1, -1, or 0 when flat
            ("settlement_ns", np.int64),  # the settlement the position is held for
            ("decided_settlement_ns", np.int64),  # the last settlement a decision was made for
        ],
    )
)


class Params(NamedTuple):
    """Parameters of S1; durations in seconds of market time, rates and shares as fractions."""

    threshold: float = 0.0001
    entry_before_s: int = 5400
    entry_window_s: int = 600
    exit_after_s: int = 300
    min_confidence: float = 0.6
    capital_share: float = 0.03


class Intent(NamedTuple):
    """What the strategy wants now.

    Attributes
    ----------
    action : int
        `HOLD`, `ENTER` or `EXIT`.
    side : int
        +1 long, -1 short: of the position to open or to close; 0 when holding.
    settlement_ns : int
        Settlement the decision is about.
    edge : float
        Forecast minus last settled rate; NaN where not computed.
    confidence : float
        Probability of the move by the forecast distribution; NaN where not computed.
    reason : int
        Code of `REASON_NAMES`.

    """

    action: int
    side: int
    settlement_ns: int
    edge: float
    confidence: float
    reason: int


def new_state() -> np.record:
    """Return the state of a flat strategy that has decided nothing."""
    return np.zeros(1, dtype=STATE)[0]  # type: ignore[no-any-return]


def new_market() -> np.record:
    """Return an empty market record: no settlement, no forecast, no settled rate."""
    market = np.zeros(1, dtype=MARKET)[0]
    market.predicted = np.nan
    market.current = np.nan
    market.probability_above = np.nan
    market.probability_below = np.nan
    return market  # type: ignore[no-any-return]


@register_jitable
def step(market: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, and advance the state.

    Parameters
    ----------
    market : record of dtype `MARKET`
        What is known now.
    params : Params
    state : record of dtype `STATE`
        Changed in place.

    Returns
    -------
    Intent

    """
    if state.side != 0:
        return _while_in_position(market, params, state)
    settlement = market.settlement_ns
    start = settlement - params.entry_before_s * NANOSECONDS
    if market.now_ns < start:
        return _hold(settlement, BEFORE_WINDOW)
    if state.decided_settlement_ns == settlement:
        return _hold(settlement, ALREADY_DECIDED)
    if market.now_ns > start + params.entry_window_s * NANOSECONDS:
        return _hold(settlement, AFTER_WINDOW)
    if market.forecast_settlement_ns != settlement:
        return _hold(settlement, NO_FORECAST)
    if np.isnan(market.current):
        return _hold(settlement, NO_SETTLED_RATE)
    return _decide(market, params, state)


@register_jitable
def _while_in_position(market: np.record, params: Params, state: np.record) -> Intent:
    settlement = state.settlement_ns
    if market.now_ns < settlement + params.exit_after_s * NANOSECONDS:
        return _hold(settlement, IN_POSITION)
    side = state.side
    state.side = 0
    state.settlement_ns = 0
    return Intent(EXIT, side, settlement, np.nan, np.nan, EXIT_TIME)


@register_jitable
def _decide(market: np.record, params: Params, state: np.record) -> Intent:
    settlement = market.settlement_ns
    state.decided_settlement_ns = settlement
    edge = market.predicted - market.current
    if market.predicted > market.current + params.threshold:
        side = SHORT
        confidence = market.probability_above
    elif market.predicted < market.current - params.threshold:
        side = LONG
        confidence = market.probability_below
    else:
        return Intent(HOLD, 0, settlement, edge, np.nan, BELOW_THRESHOLD)
    # Written so that an undefined confidence does not trade.
    if not confidence > params.min_confidence:
        return Intent(HOLD, 0, settlement, edge, confidence, LOW_CONFIDENCE)
    state.side = side
    state.settlement_ns = settlement
    return Intent(ENTER, side, settlement, edge, confidence, SIGNAL)


@register_jitable
def _hold(settlement_ns: int, reason: int) -> Intent:
    return Intent(HOLD, 0, settlement_ns, np.nan, np.nan, reason)
