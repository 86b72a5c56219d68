"""Requests of ours: how they are sent, when they arrive, and what the venue does with them.

Requests and reports each keep their order, as on one connection. Here belong new, cancel and amend; matching is elsewhere.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from models.market.book import best_ask, best_bid, is_valid, size_at
from models.simulation.fills.account import enough_margin
from models.simulation.fills.latency import entry_latency_ns
from models.simulation.fills.matching import crosses, enter, remove, watch
from models.simulation.fills.records import (
    ACCEPTED,
    AMEND,
    AMEND_REJECTED,
    AMENDED,
    ANY_TICK,
    BAD_QUANTITY,
    BOOK_INVALID,
    CANCEL,
    CANCEL_REJECTED,
    CANCELLED,
    DUPLICATE,
    GTC,
    NEW,
    NO_MARGIN,
    NO_REASON,
    NOT_REDUCING,
    NOT_THERE,
    POST_ONLY,
    REJECTED,
    TOO_MANY,
    WOULD_TAKE,
)
from models.simulation.fills.reports import report


@njit(cache=True)
def _pass(sim: Any) -> None:
    """Leave the oldest request behind."""
    a = sim.account[0]
    a.requests_done += 1
    if a.requests_done < a.requests_sent:
        a.next_arrival_ns = sim.requests[a.requests_done & (sim.requests.shape[0] - 1)].arrival_ns


@njit(cache=True)
def _send(sim: Any, p: Any, local_ns: int, kind: int, order_id: int) -> int:
    a = sim.account[0]
    length = sim.requests.shape[0]
    if a.requests_sent - a.requests_done >= length:
        a.overflowed = 1
        _pass(sim)
    slot = a.requests_sent & (length - 1)
    # A venue clock ahead of ours must not make requests faster; see docs/fill_model.md, clocks.
    arrival = max(local_ns, a.exch_clock) + entry_latency_ns(p, a.requests_sent)
    a.last_arrival_ns = max(a.last_arrival_ns, arrival)
    if a.requests_done == a.requests_sent:
        a.next_arrival_ns = a.last_arrival_ns
    a.requests_sent += 1
    r = sim.requests[slot]
    r.arrival_ns = a.last_arrival_ns
    r.kind = kind
    r.id = order_id
    r.side = 0
    r.tick = 0
    r.quantity = 0.0
    r.time_in_force = GTC
    r.reduce_only = 0
    return int(slot)


@njit(cache=True)
def send_order(
    sim: Any,
    p: Any,
    local_ns: int,
    order_id: int,
    side: int,
    tick: int,
    quantity: float,
    time_in_force: int,
    reduce_only: int,
) -> None:
    """Send a new order.

    Parameters
    ----------
    sim : FillSimulator
    p : FillParameters
    local_ns : int
        When we send it, receive-time clock.
    order_id : int
        Unlike that of any resting order.
    side : int
        +1 buy, −1 sell.
    tick : int
        Limit price in ticks; ``side * ANY_TICK`` with `IOC` is a market order.
    quantity : float
        Base; a multiple of the lot.
    time_in_force : int
        `GTC`, `POST_ONLY`, `IOC` or `FOK`.
    reduce_only : int
        1: may only make the position smaller.

    """
    r = sim.requests[_send(sim, p, local_ns, NEW, order_id)]
    r.side = side
    r.tick = tick
    r.quantity = quantity
    r.time_in_force = time_in_force
    r.reduce_only = reduce_only


@njit(cache=True)
def send_cancel(sim: Any, p: Any, local_ns: int, order_id: int) -> None:
    """Send a cancel; it loses the race against a fill that happens before it arrives."""
    _send(sim, p, local_ns, CANCEL, order_id)


@njit(cache=True)
def send_amend(sim: Any, p: Any, local_ns: int, order_id: int, tick: int, quantity: float) -> None:
    """Send an amend to a new price and a new *open* quantity; smaller at the same price keeps the place in the queue."""
    r = sim.requests[_send(sim, p, local_ns, AMEND, order_id)]
    r.tick = tick
    r.quantity = quantity


@njit(cache=True)
def request_due(a: Any, exch_ns: int) -> bool:
    """Say, from the record of the account alone, whether a request arrives before `exch_ns`."""
    return bool(a.requests_done < a.requests_sent and a.next_arrival_ns < exch_ns)


@njit(cache=True)
def _find(sim: Any, order_id: int) -> int:
    for i in range(sim.account[0].n_orders):
        if sim.orders[i].id == order_id:
            return i
    return -1


@njit(cache=True)
def _refusal(sim: Any, p: Any, book: Any, r: Any) -> int:
    a = sim.account[0]
    if r.quantity < 0.5 * p.lot_size:
        return BAD_QUANTITY
    if not is_valid(book):
        return BOOK_INVALID
    if _find(sim, r.id) >= 0:
        return DUPLICATE
    if a.n_orders >= sim.orders.shape[0] - 1:
        return TOO_MANY
    if r.time_in_force == POST_ONLY and crosses(book, r.side, r.tick):
        return WOULD_TAKE
    if r.reduce_only:
        return NO_REASON if a.position * r.side < 0.0 else NOT_REDUCING
    touch = best_ask(book) if r.side > 0 else best_bid(book)
    tick = touch if abs(r.tick) >= ANY_TICK else r.tick
    return NO_REASON if enough_margin(sim, p, r.side, r.quantity, tick * p.tick_size) else NO_MARGIN


@njit(cache=True)
def _new(sim: Any, p: Any, book: Any, r: Any) -> None:
    a = sim.account[0]
    refusal = _refusal(sim, p, book, r)
    if refusal != NO_REASON:
        report(sim, p, REJECTED, refusal, r.id, r.side, r.tick, r.quantity, 0.0)
        return
    order = sim.orders[a.n_orders]
    order.id = r.id
    order.side = r.side
    order.tick = r.tick
    order.quantity = min(r.quantity, abs(a.position)) if r.reduce_only else r.quantity
    order.leaves = order.quantity
    order.reduce_only = r.reduce_only
    report(sim, p, ACCEPTED, NO_REASON, r.id, r.side, r.tick, order.quantity, order.quantity)
    if enter(sim, p, book, order, r.time_in_force):
        a.n_orders += 1


@njit(cache=True)
def _amend(sim: Any, p: Any, book: Any, r: Any, at: int) -> None:
    a = sim.account[0]
    order = sim.orders[at]
    if r.tick == order.tick and r.quantity <= order.leaves and r.quantity >= 0.5 * p.lot_size:
        order.quantity -= order.leaves - r.quantity
        order.leaves = r.quantity
        report(sim, p, AMENDED, NO_REASON, order.id, order.side, order.tick, order.leaves, order.leaves)
        return
    # Anything else goes to the end of the queue: as the venue does, and hftbacktest. It never takes.
    refusal = NO_REASON
    if r.quantity < 0.5 * p.lot_size:
        refusal = BAD_QUANTITY
    elif not is_valid(book):
        refusal = BOOK_INVALID
    elif crosses(book, order.side, r.tick):
        refusal = WOULD_TAKE
    elif not enough_margin(sim, p, order.side, max(0.0, r.quantity - order.leaves), r.tick * p.tick_size):
        refusal = NO_MARGIN
    if refusal != NO_REASON:
        report(sim, p, AMEND_REJECTED, refusal, order.id, order.side, r.tick, r.quantity, order.leaves)
        return
    order.quantity += r.quantity - order.leaves
    order.leaves = r.quantity
    order.tick = r.tick
    order.level = size_at(book, order.side, order.tick)
    order.ahead = order.level
    order.traded = 0.0
    report(sim, p, AMENDED, NO_REASON, order.id, order.side, order.tick, order.leaves, order.leaves)
    spare = sim.orders.shape[0] - 1
    sim.orders[spare] = sim.orders[at]
    remove(sim, at)
    sim.orders[a.n_orders] = sim.orders[spare]
    a.n_orders += 1


@njit(cache=True)
def _change(sim: Any, p: Any, book: Any, r: Any) -> None:
    at = _find(sim, r.id)
    if at < 0:
        kind = CANCEL_REJECTED if r.kind == CANCEL else AMEND_REJECTED
        report(sim, p, kind, NOT_THERE, r.id, r.side, r.tick, r.quantity, 0.0)
    elif r.kind == AMEND:
        _amend(sim, p, book, r, at)
    else:
        order = sim.orders[at]
        report(sim, p, CANCELLED, NO_REASON, order.id, order.side, order.tick, order.leaves, 0.0)
        remove(sim, at)


@njit(cache=True)
def serve(sim: Any, p: Any, book: Any, exch_ns: int) -> None:
    """Let all requests that arrive before `exch_ns` take effect, in order, against the book as it is."""
    a = sim.account[0]
    mask = sim.requests.shape[0] - 1
    resume = a.exch_clock
    while request_due(a, exch_ns):
        r = sim.requests[a.requests_done & mask]
        a.exch_clock = max(resume, r.arrival_ns)
        _pass(sim)
        if r.kind == NEW:
            _new(sim, p, book, r)
        else:
            _change(sim, p, book, r)
    watch(sim, p)
    # Orders that came need the touch they came to; `step` follows it from there.
    a.best_bid = best_bid(book)
    a.best_ask = best_ask(book)
