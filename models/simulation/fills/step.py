"""One event of the tape for the simulated venue: requests due before it, the book, and what it does to our orders.

The loop of a backtest, a shadow session and the local testnet all play an event by `step`, or by its three parts:

    if due(account, event):
        admit(simulator, parameters, book, event)
    if advance(account, book, event, parameters.leverage):
        react(simulator, parameters, book, event)

`due` and `advance` see records alone, and nearly every event passes with them: a tuple of arrays costs a compiled call more than
all they do, because every call counts the references to each array. Here belongs the order of things.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.book import apply, best_ask, best_bid, mid_price, size_at, tick_of
from models.market.tape import (
    BBO,
    DEPTH,
    END_OF_MESSAGE,
    FUNDING,
    MARK,
    NO_TIME,
    SNAPSHOT,
    SNAPSHOT_START,
    TRADE,
)
from models.simulation.fills.account import on_mark, pay_funding
from models.simulation.fills.matching import on_touch, on_trade
from models.simulation.fills.queue import on_level
from models.simulation.fills.requests import request_due, serve

_END = np.iinfo(np.int64).max


@njit(cache=True)
def _venue_ns(event: Any) -> int:
    return int(event.local_ts if event.exch_ts == NO_TIME else event.exch_ts)


@njit(cache=True)
def due(a: Any, event: Any) -> bool:
    """Say whether a request of ours takes effect before this event: then `admit` comes first.

    Parameters
    ----------
    a : record of ACCOUNT
    event : record of EVENT

    """
    return request_due(a, _venue_ns(event))


@njit(cache=True)
def admit(sim: Any, p: Any, book: Any, event: Any) -> None:
    """Let the requests that arrive before an event take effect, against the book before it."""
    sim.account[0].local_clock = event.local_ts
    serve(sim, p, book, _venue_ns(event))


@njit(cache=True)
def _level_concerns(a: Any, book: Any, kind: int, side: int, price: float) -> bool:
    """Say whether a level, already in the book, may change the queue of an order of ours or reach one."""
    bid, ask = best_bid(book), best_ask(book)
    if (bid > a.best_bid and bid >= a.lowest_sell) or (ask < a.best_ask and ask <= a.highest_buy):
        return True
    if kind == SNAPSHOT_START:
        return True
    h = 0 if side > 0 else 1
    if kind == BBO:
        # It took away what stood before it; and a table that has dropped levels may have dropped those of an order.
        stands_before = price <= a.watched_high[0] if side > 0 else price >= a.watched_low[1]
        concerns = stands_before or book.dropped > 0
    else:
        concerns = a.watched_low[h] <= price <= a.watched_high[h]
    if not concerns:
        a.best_bid, a.best_ask = bid, ask
    return bool(concerns)


@njit(cache=True)
def _mid_is_mark(a: Any, book: Any, leverage: float) -> bool:
    """On a tape without mark prices let the mid stand in for it; says whether the position has to be looked at."""
    mid = mid_price(book)
    if np.isnan(mid):
        return False
    a.mark = mid
    return bool(a.position != 0.0 and leverage > 0.0)


@njit(cache=True)
def concerns(a: Any, book: Any, event: Any, leverage: float) -> bool:
    """Set the venue's clock, and say whether an event, already in the book, may concern our orders or our position.

    For those who serve several accounts from one book; see `advance`.
    """
    kind = event.kind
    a.local_clock = event.local_ts
    a.exch_clock = max(a.exch_clock, _venue_ns(event))
    if kind == TRADE:
        reached = event.price >= a.watched_low[1] if event.side > 0 else event.price <= a.watched_high[0]
        return bool(a.n_orders > 0 and reached)
    if kind in (DEPTH, SNAPSHOT, BBO, SNAPSHOT_START):
        return bool(a.n_orders > 0 and _level_concerns(a, book, kind, event.side, event.price))
    if kind == END_OF_MESSAGE:
        return bool(a.mark_published == 0 and _mid_is_mark(a, book, leverage))
    return kind in (MARK, FUNDING)


@njit(cache=True)
def advance(a: Any, book: Any, event: Any, leverage: float) -> bool:
    """Set the venue's clock, apply an event to the book, and say whether it may concern our orders or our position.

    Parameters
    ----------
    a : record of ACCOUNT
        Changed in place.
    book : record of BOOK
        Changed in place.
    event : record of EVENT
    leverage : float
        Of the parameters.

    Returns
    -------
    bool
        True: `react` must follow, before the next event. False: it would change nothing.

    """
    if event.kind != TRADE:
        apply(book, event)
    return bool(concerns(a, book, event, leverage))


@njit(cache=True)
def _requeue(orders: Any, a: Any, p: Any, book: Any, kind: int, side: int, price: float) -> None:
    """Let levels that changed move our orders in their queues."""
    if kind == SNAPSHOT_START:
        # A snapshot says what is there, not what left: the levels start anew, the places in the queue stay bounded by them.
        for i in range(a.n_orders):
            if side == 0 or orders[i].side == side:
                orders[i].level = 0.0
        return
    tick = tick_of(book, price)
    for i in range(a.n_orders):
        order = orders[i]
        if order.side == side and (order.tick == tick or kind == BBO):
            size = size_at(book, side, order.tick)
            if size != order.level or order.tick == tick:
                on_level(order, p, size)


@njit(cache=True)
def _touch(sim: Any, p: Any, bid: int, ask: int) -> None:
    a = sim.account[0]
    before_bid, before_ask = a.best_bid, a.best_ask
    a.best_bid, a.best_ask = bid, ask
    if bid > before_bid:
        on_touch(sim, p, 1, bid)
    if ask < before_ask:
        on_touch(sim, p, -1, ask)


@njit(cache=True)
def react(sim: Any, p: Any, book: Any, event: Any) -> None:
    """Let an event that `advance` has just applied do what it does to our orders and our position."""
    a = sim.account[0]
    kind = event.kind
    if kind == TRADE:
        on_trade(sim, p, event.side, tick_of(book, event.price), event.size)
    elif kind == MARK:
        a.mark_published = 1
        on_mark(sim, p, event.price)
    elif kind == FUNDING:
        pay_funding(sim, p, event.price)
    elif kind == END_OF_MESSAGE:
        on_mark(sim, p, a.mark)
    else:
        _requeue(sim.orders, a, p, book, kind, event.side, event.price)
        _touch(sim, p, best_bid(book), best_ask(book))


@njit(cache=True)
def step(sim: Any, p: Any, book: Any, event: Any) -> None:
    """Play one event.

    Parameters
    ----------
    sim : FillSimulator
        Changed in place.
    p : FillParameters
    book : record of BOOK
        The event is applied to it here.
    event : record of EVENT
        The next one of the tape.

    """
    a = sim.account[0]
    if due(a, event):
        admit(sim, p, book, event)
    if advance(a, book, event, p.leverage):
        react(sim, p, book, event)


@njit(cache=True)
def finish(sim: Any, p: Any, book: Any) -> None:
    """Let all requests still under way arrive after the last event of the tape."""
    serve(sim, p, book, _END)
