"""The compiled loop of a bank: one tape, one book, one market record, and every strategy's account.

Event by event it does for each strategy what the loops of `models.simulation.backtest` do for one, in the same order: a bank of
one gives the same orders and fills. Features are computed once for all. What runs for every event sees records alone; sessions,
tuples of arrays, are touched only where something happens.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from models.market.book import apply
from models.market.outlook import newest
from models.market.step import follow, on_tick, tick_due
from models.market.tape import TRADE
from models.simulation.backtest.orders import carry_out
from models.simulation.backtest.session import catch_up, is_busy, may_go_on
from models.simulation.bank.legs import leg_profit
from models.simulation.bank.second_legs import follow_legs, tell_legs
from models.simulation.bank.steps import step_of
from models.simulation.bank.trips import follow_trip
from models.simulation.fills.step import admit, concerns, due, react
from models.strategies.intent import HOLD


@njit(cache=True)
def _has_room(shared: Any) -> bool:
    for j in range(len(shared.active)):
        k = shared.active[j]
        limits = (shared.limits[k, 0], shared.limits[k, 1], shared.limits[k, 2], shared.limits[k, 3])
        if not may_go_on(shared.accounts[k], shared.counts[k], limits):
            return False
        if shared.trip_counts[k] >= shared.trips.shape[1]:
            return False
    return True


@njit(cache=True)
def _tick(
    own: Any, outlook: Any, sessions: Any, shared: Any, venue: Any, parameters: Any, params: Any, states: Any
) -> None:
    market = own.market
    at_ns, mid = market.tick_at_ns, market.mid
    for j in range(len(shared.active)):
        k = shared.active[j]
        known, counts, leg = shared.known[k], shared.counts[k], shared.legs[k]
        if is_busy(shared.accounts[k], counts, at_ns, mid):
            written = counts.equities
            catch_up(sessions[k], venue, parameters.run, at_ns, mid)
            if counts.equities > written:
                sessions[k].equities[written].equity += leg_profit(leg)
        trip = shared.open_trips[k]
        # Before the step, so that a trip's reasons are those of intents made before it began and ended.
        shared.trip_counts[k] = follow_trip(
            trip, known, leg, market, parameters.run.capital, shared.trips[k], shared.trip_counts[k]
        )
        tell_legs(k, leg, at_ns, states)
        intent = step_of(k, market, outlook, params, states, known, counts)
        follow_legs(k, leg, outlook, at_ns, states, parameters)
        if intent.action != HOLD:
            carry_out(sessions[k], venue, parameters.run, at_ns, mid, intent)
            trip.newest_reason = intent.reason


@njit(cache=True, nogil=True)
def run_bank(
    symbols: Any,
    sessions: Any,
    shared: Any,
    venue: Any,
    parameters: Any,
    params: Any,
    states: Any,
    outlooks: Any,
    events: Any,
    start: int,
) -> int:
    """Drive a bank over a stretch of tape.

    Parameters
    ----------
    symbols : array of SYMBOL, shape (1,)
        Changed in place, as `sessions`, `shared` and `states` are; all go on from where they are.
    sessions : tuple of Session
    shared : Shared
    venue : FillParameters
    parameters : BankParameters
    params : record of steps.PARAMS
    states : array of steps.STATES, shape (1,)
    outlooks : array of OUTLOOK
        The first row holds until the second's time, whatever its own.
    events : array of EVENT
    start : int
        First row to take.

    Returns
    -------
    int
        The row to go on from: ``len(events)``, or less when a record of a session is full or a ring was.

    """
    own = symbols[0]
    active, accounts = shared.active, shared.accounts
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(own.market, event.local_ts):
            if not _has_room(shared):
                return i
            on_tick(own.market, own.book, own.params)
            row = newest(outlooks, shared.outlook_row[0], own.market.tick_at_ns)
            shared.outlook_row[0] = row
            _tick(own, outlooks[row], sessions, shared, venue, parameters, params, states[0])
        for j in range(len(active)):
            if due(accounts[active[j]], event):
                admit(sessions[active[j]].simulator, venue, own.book, event)
        if event.kind != TRADE:
            apply(own.book, event)
        for j in range(len(active)):
            if concerns(accounts[active[j]], own.book, event, venue.leverage):
                react(sessions[active[j]].simulator, venue, own.book, event)
        follow(own.market, own.book, event, own.params)
    return len(events)
