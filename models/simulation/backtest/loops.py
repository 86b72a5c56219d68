"""The compiled loop tape, book, features, strategy, fills; one function per strategy.

A step passed as an argument would be compiled anew by every process; a loop that names it as a module global is cached. So
each strategy has its own `run_…` of the same twenty lines, with its step in the middle. They are not shared in a function of
their own either: handing session and venue, tuples of arrays, to a compiled function costs more than all an event does, because
every call counts references to each array. What runs for every event or tick sees records alone (`due`, `advance`, `follow`;
`may_go_on`, `is_busy`, `tell`) and says when the part with the whole session is needed.

One book serves venue and features: `advance` applies each event to it, `follow` brings the market up to the book.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from models.market.step import follow, on_tick, tick_due
from models.simulation.backtest.orders import carry_out
from models.simulation.backtest.session import catch_up, is_busy, limits_of, may_go_on, tell
from models.simulation.fills.step import admit, advance, due, react
from models.strategies import forced_flow_exhaustion, impact_reversion, two_sided_quotes
from models.strategies.intent import HOLD

_impact_reversion = impact_reversion.step
_forced_flow_exhaustion = forced_flow_exhaustion.step
_two_sided_quotes = two_sided_quotes.step


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
        The row to go on from: ``len(events)``, or less when a record of the session is full or a ring was.

    """
    own, state = symbols[0], states[0]
    account, counts, known = session.simulator.account[0], session.counts[0], session.known[0]
    limits = limits_of(session)
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(own.market, event.local_ts):
            if not may_go_on(account, counts, limits):
                return i
            on_tick(own.market, own.book, own.params)
            at_ns, mid = own.market.tick_at_ns, own.market.mid
            if is_busy(account, counts, at_ns, mid):
                catch_up(session, venue, parameters, at_ns, mid)
            tell(known, counts, state)
            intent = _impact_reversion(own.market, params, state)
            if intent.action != HOLD:
                carry_out(session, venue, parameters, at_ns, mid, intent)
        if due(account, event):
            admit(session.simulator, venue, own.book, event)
        if advance(account, own.book, event, venue.leverage):
            react(session.simulator, venue, own.book, event)
        follow(own.market, own.book, event, own.params)
    return len(events)


@njit(cache=True)
def run_forced_flow_exhaustion(
    symbols: Any, session: Any, venue: Any, parameters: Any, params: Any, states: Any, events: Any, start: int
) -> int:
    """Drive S6 over a stretch of tape; see `run_impact_reversion`."""
    own, state = symbols[0], states[0]
    account, counts, known = session.simulator.account[0], session.counts[0], session.known[0]
    limits = limits_of(session)
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(own.market, event.local_ts):
            if not may_go_on(account, counts, limits):
                return i
            on_tick(own.market, own.book, own.params)
            at_ns, mid = own.market.tick_at_ns, own.market.mid
            if is_busy(account, counts, at_ns, mid):
                catch_up(session, venue, parameters, at_ns, mid)
            tell(known, counts, state)
            intent = _forced_flow_exhaustion(own.market, params, state)
            if intent.action != HOLD:
                carry_out(session, venue, parameters, at_ns, mid, intent)
        if due(account, event):
            admit(session.simulator, venue, own.book, event)
        if advance(account, own.book, event, venue.leverage):
            react(session.simulator, venue, own.book, event)
        follow(own.market, own.book, event, own.params)
    return len(events)


@njit(cache=True)
def run_two_sided_quotes(
    symbols: Any, session: Any, venue: Any, parameters: Any, params: Any, states: Any, events: Any, start: int
) -> int:
    """Drive the two-sided quotes over a stretch of tape; see `run_impact_reversion`."""
    own, state = symbols[0], states[0]
    account, counts, known = session.simulator.account[0], session.counts[0], session.known[0]
    limits = limits_of(session)
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(own.market, event.local_ts):
            if not may_go_on(account, counts, limits):
                return i
            on_tick(own.market, own.book, own.params)
            at_ns, mid = own.market.tick_at_ns, own.market.mid
            if is_busy(account, counts, at_ns, mid):
                catch_up(session, venue, parameters, at_ns, mid)
            tell(known, counts, state)
            intent = _two_sided_quotes(own.market, params, state)
            if intent.action != HOLD:
                carry_out(session, venue, parameters, at_ns, mid, intent)
        if due(account, event):
            admit(session.simulator, venue, own.book, event)
        if advance(account, own.book, event, venue.leverage):
            react(session.simulator, venue, own.book, event)
        follow(own.market, own.book, event, own.params)
    return len(events)
