"""The compiled loop tape, book, features, strategy, fills; one function per strategy.

A step passed as an argument would be compiled anew by every process; a loop that names it as a module global is cached. So
each strategy has its own `run_…` of a few lines; what they share is in `_take` and `session.py`.

One book serves venue and features: the fill model applies each event to it, and the market's own step then takes what is not
a level. Ends of messages and gaps pass it twice, which changes its counts of them and nothing else.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from models.market.step import on_event, on_tick, tick_due
from models.market.tape import BBO, TRADE
from models.simulation.backtest.session import before_step, carry_out, has_room
from models.simulation.fills.step import step as venue_step
from models.strategies import forced_flow_exhaustion, impact_reversion

_impact_reversion = impact_reversion.step
_forced_flow_exhaustion = forced_flow_exhaustion.step


@njit(cache=True)
def _take(own: Any, session: Any, venue: Any, event: Any) -> None:
    venue_step(session.simulator, venue, own.book, event)
    # Levels are in the book by now, and no feature looks before the message ends.
    if event.kind == TRADE or event.kind > BBO:
        on_event(own.market, own.book, event, own.params)


@njit(cache=True)
def run_impact_reversion(
    symbols: Any, session: Any, venue: Any, parameters: Any, params: Any, states: Any, events: Any, start: int
) -> int:
    """Drive S5 over a stretch of tape.

    Parameters
    ----------
    symbols : array of SYMBOL, shape (1,)
        Changed in place, as `session` and `states` are; all go on from where they are.
    session : Session
    venue : FillParameters
    parameters : BacktestParameters
    params : impact_reversion.Params
    states : array of impact_reversion.STATE, shape (1,)
    events : array of EVENT
    start : int
        First row to take.

    Returns
    -------
    int
        The row to go on from: ``len(events)``, or less when a record of the session is full.

    """
    own = symbols[0]
    state = states[0]
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(own.market, event.local_ts):
            if not has_room(session):
                return i
            on_tick(own.market, own.book, own.params)
            at_ns, mid = own.market.tick_at_ns, own.market.mid
            before_step(session, venue, parameters, at_ns, mid, state)
            intent = _impact_reversion(own.market, params, state)
            carry_out(session, venue, parameters, at_ns, mid, intent)
        _take(own, session, venue, event)
    return len(events)


@njit(cache=True)
def run_forced_flow_exhaustion(
    symbols: Any, session: Any, venue: Any, parameters: Any, params: Any, states: Any, events: Any, start: int
) -> int:
    """Drive S6 over a stretch of tape; see `run_impact_reversion`."""
    own = symbols[0]
    state = states[0]
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(own.market, event.local_ts):
            if not has_room(session):
                return i
            on_tick(own.market, own.book, own.params)
            at_ns, mid = own.market.tick_at_ns, own.market.mid
            before_step(session, venue, parameters, at_ns, mid, state)
            intent = _forced_flow_exhaustion(own.market, params, state)
            carry_out(session, venue, parameters, at_ns, mid, intent)
        _take(own, session, venue, event)
    return len(events)
