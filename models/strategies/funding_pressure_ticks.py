"""S1 FundingPressure at alpha ticks: the rules of `funding_pressure.py`, carried out with a tick strategy's intents.

The decision, whether, when and which side, is `funding_pressure.step` itself, compiled: it is asked at every tick.
Here the entry is quoted post-only at the touch until the entry window is over, a price stop of R1 is added, and the
position is closed when the rules say EXIT. For the rules a position they entered lasts until their exit; if it never
filled, or was stopped out, nothing is held meanwhile and nothing is entered anew.

Source and falsification: as for `funding_pressure.py`; E1 measures whether the premium 90 minutes before carries the
rate. What does not belong here: the rules.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies import funding_pressure as rules
from models.strategies.intent import CANCEL, EXIT, HOLD, TOLD, Intent, nothing
from models.strategies.maker_entry import MAKER_ENTRY, keep_quoting

# Phases.
FLAT: Final = 0
ENTERING: Final = 1
HOLDING: Final = 2
EXITING: Final = 3

# Reasons: those of the rules, and then our own.
ENTRY: Final = 20
REQUOTE: Final = 21
WAITING: Final = 22
GAVE_UP: Final = 23
STOP: Final = 24
BOOK_INVALID: Final = 25
LEFT_OVER: Final = 26

REASON_NAMES: Final = {
    **rules.REASON_NAMES,
    ENTRY: "ENTRY",
    REQUOTE: "REQUOTE",
    WAITING: "WAITING",
    GAVE_UP: "GAVE_UP",
    STOP: "STOP",
    BOOK_INVALID: "BOOK_INVALID",
    LEFT_OVER: "LEFT_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        *MAKER_ENTRY,
        ("phase", np.int64),
        ("side", np.int64),
        ("give_up_ns", np.int64),  # end of the entry window
        ("asked", rules.MARKET),  # what the rules are asked
        ("rules", rules.STATE),
    ]
)

_step = rules.step


class Params(NamedTuple):
    """Parameters of S1 at ticks: those of the rules, and a stop. Give floats as floats."""

    threshold: float = 0.0001
    entry_before_s: int = 5400
    entry_window_s: int = 600
    exit_after_s: int = 300
    min_confidence: float = 0.6
    capital_share: float = 0.03  # S1's own limit
    stop: float = 0.02  # R1: fraction of the entry price


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("threshold", p.threshold, 0.0, 0.1),
        ("entry_before_s", p.entry_before_s, 1, 28_800),
        ("entry_window_s", p.entry_window_s, 1, p.entry_before_s),
        ("exit_after_s", p.exit_after_s, 0, 3600),
        ("min_confidence", p.min_confidence, 0.0, 1.0),
        ("capital_share", p.capital_share, 1e-9, 0.03),
        ("stop", p.stop, 1e-4, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(
                f"funding pressure at ticks: expected {name} from {low:g} to {high:g}, was {value:g}"
            )
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has decided nothing."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    state.quoted = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _ask(market: np.record, outlook: np.record, params: Params, state: np.record) -> rules.Intent:
    asked = state.asked
    asked.now_ns = market.tick_at_ns
    asked.settlement_ns = outlook.settlement_ns
    asked.forecast_settlement_ns = outlook.forecast_settlement_ns
    asked.predicted = outlook.predicted_rate
    asked.current = outlook.current_rate
    asked.probability_above = outlook.probability_above
    asked.probability_below = outlook.probability_below
    own = rules.Params(
        params.threshold,
        params.entry_before_s,
        params.entry_window_s,
        params.exit_after_s,
        params.min_confidence,
        params.capital_share,
    )
    return _step(asked, own, state.rules)


@njit(cache=True)
def _enter(market: np.record, params: Params, state: np.record) -> Intent:
    if market.tick_at_ns > state.give_up_ns:
        if state.open_orders == 0:
            state.phase = FLAT
            return nothing(HOLD, GAVE_UP)
        return nothing(CANCEL, GAVE_UP)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    return keep_quoting(market, state, params.capital_share, ENTRY, REQUOTE, WAITING)


@njit(cache=True)
def _hold(market: np.record, params: Params, state: np.record, reason: int) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.side * (market.mid / state.entry_price - 1.0) <= -params.stop:
        state.phase = EXITING
        return nothing(EXIT, STOP)
    if state.open_orders > 0 and market.tick_at_ns > state.give_up_ns:
        return nothing(CANCEL, GAVE_UP)
    return nothing(HOLD, reason)


@njit(cache=True)
def step(market: np.record, outlook: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Its next settlement, last settled rate and forecast.
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
    verdict = _ask(market, outlook, params, state)
    if verdict.action == rules.ENTER and state.phase == FLAT:
        before_s = params.entry_before_s - params.entry_window_s
        state.phase = ENTERING
        state.side = verdict.side
        state.give_up_ns = verdict.settlement_ns - before_s * rules.NANOSECONDS
    elif verdict.action == rules.EXIT and state.phase != FLAT:
        state.phase = EXITING
        return nothing(EXIT, verdict.reason)
    if state.phase == FLAT:
        return nothing(HOLD, verdict.reason)
    if state.phase == ENTERING:
        return _enter(market, params, state)
    if state.phase == HOLDING:
        return _hold(market, params, state, verdict.reason)
    if state.open_orders == 0 and state.position != 0.0 and market.valid != 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
