"""What becomes of an intent: orders and cancels on their way to the venue, and what is written down of them.

Batch loop and per-event path call `carry_out`. Here belongs the way from an intent to requests; what comes back is in
`session.py`.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from models.simulation.backtest.records import MOST_OPEN
from models.simulation.fills.records import ANY_TICK, GTC, IOC, POST_ONLY
from models.simulation.fills.requests import send_cancel, send_order
from models.strategies.intent import CANCEL, EXIT, HOLD, MARKET_ORDER, PLACE
from models.strategies.intent import POST_ONLY as INTENT_POST_ONLY

CANCEL_SENT = -1
"""`end` of an order of which the cancel is under way."""


@njit(cache=True)
def _send(
    session: Any,
    venue: Any,
    at_ns: int,
    side: int,
    tick: int,
    quantity: float,
    force: int,
    reduce: int,
    why: int,
) -> None:
    counts = session.counts[0]
    # Floats of lots: 0.003 / 0.001 is 2.9999999999999996.
    lots = math.floor(quantity / venue.lot_size + 1e-9)
    if lots < 1 or counts.open >= MOST_OPEN:
        counts.dropped += 1
        return
    row = counts.orders
    order = session.orders[row]
    order.at_ns = at_ns
    order.id = row + 1
    order.tick = tick
    order.quantity = lots * venue.lot_size
    order.side = side
    order.time_in_force = force
    order.reduce_only = reduce
    order.reason = why
    session.open[counts.open] = row
    counts.open += 1
    counts.orders += 1
    send_order(session.simulator, venue, at_ns, row + 1, side, tick, order.quantity, force, reduce)


@njit(cache=True)
def _cancel_all(session: Any, venue: Any, at_ns: int) -> None:
    for i in range(session.counts[0].open):
        order = session.orders[session.open[i]]
        # A market order cannot be cancelled any more, and one cancel is enough.
        if order.end != CANCEL_SENT and order.time_in_force != IOC:
            order.end = CANCEL_SENT
            send_cancel(session.simulator, venue, at_ns, order.id)


@njit(cache=True)
def _place(session: Any, venue: Any, parameters: Any, at_ns: int, mid: float, intent: Any) -> None:
    side = intent.side
    price = mid if intent.kind == MARKET_ORDER else intent.price
    if not price > 0.0:
        session.counts[0].dropped += 1
        return
    total = intent.share * parameters.capital / price
    if intent.reduce_only:
        total = abs(session.known[0].position)
    # Rounded away from the market, so that rounding makes no order more aggressive than it was meant.
    ticks = price / venue.tick_size
    tick = math.floor(ticks + 1e-6) if side > 0 else math.ceil(ticks - 1e-6)
    force = POST_ONLY if intent.kind == INTENT_POST_ONLY else GTC
    layers = intent.layers
    for k in range(layers):
        behind = k if k < layers - 1 else max(k, intent.deepest_ticks)
        at = tick - side * behind
        if intent.kind == MARKET_ORDER:
            at = side * ANY_TICK
            force = IOC
        _send(session, venue, at_ns, side, at, total / layers, force, intent.reduce_only, intent.reason)


@njit(cache=True)
def carry_out(session: Any, venue: Any, parameters: Any, at_ns: int, mid: float, intent: Any) -> None:
    """Turn an intent into requests, and write it down unless it is to hold.

    Parameters
    ----------
    session : Session
    venue : FillParameters
    parameters : BacktestParameters
    at_ns : int
        The tick; the requests leave at it.
    mid : float
        NaN while the book is invalid: then nothing is placed, also not to exit.
    intent : Intent

    """
    if intent.action == HOLD:
        return
    counts = session.counts[0]
    row = session.intents[counts.intents]
    row.at_ns = at_ns
    row.action = intent.action
    row.kind = intent.kind
    row.side = intent.side
    row.price = intent.price
    row.share = intent.share
    row.layers = intent.layers
    row.reduce_only = intent.reduce_only
    row.reason = intent.reason
    counts.intents += 1
    # The mid is undefined exactly while the book is invalid: then orders may be taken back, none may be placed.
    blind = math.isnan(mid)
    if intent.action == PLACE:
        if blind:
            counts.dropped += intent.layers
        else:
            _place(session, venue, parameters, at_ns, mid, intent)
    elif intent.action in (CANCEL, EXIT):
        _cancel_all(session, venue, at_ns)
        position = session.known[0].position
        if intent.action == EXIT and position != 0.0 and not blind:
            side = -1 if position > 0.0 else 1
            _send(session, venue, at_ns, side, side * ANY_TICK, abs(position), IOC, 1, intent.reason)
