"""One event of the tape for the simulated venue: requests due before it, the book, and what it does to our orders.

The loop of a backtest, a shadow session and the local testnet all call `step` instead of applying the event to the book
themselves. Here belongs the order of things.
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
from models.simulation.fills.requests import next_arrival_ns, serve

_END = np.iinfo(np.int64).max


@njit(cache=True)
def _levels(sim: Any, p: Any, book: Any, kind: int, side: int, price: float) -> None:
    a = sim.account[0]
    if kind == SNAPSHOT_START:
        # A snapshot says what is there, not what left: the levels start anew, the places in the queue stay bounded by them.
        for i in range(a.n_orders):
            if side == 0 or sim.orders[i].side == side:
                sim.orders[i].level = 0.0
    else:
        tick = tick_of(book, price)
        for i in range(a.n_orders):
            order = sim.orders[i]
            if order.side == side and (order.tick == tick or kind == BBO):
                size = size_at(book, side, order.tick)
                if size != order.level or order.tick == tick:
                    on_level(order, p, size)


@njit(cache=True)
def _touch(sim: Any, p: Any, book: Any) -> None:
    a = sim.account[0]
    bid, ask = best_bid(book), best_ask(book)
    before_bid, before_ask = a.best_bid, a.best_ask
    a.best_bid, a.best_ask = bid, ask
    if bid > before_bid:
        on_touch(sim, p, 1, bid)
    if ask < before_ask:
        on_touch(sim, p, -1, ask)


@njit(cache=True)
def _money(sim: Any, p: Any, book: Any, kind: int, price: float) -> None:
    a = sim.account[0]
    if kind == MARK:
        a.mark_published = 1
        on_mark(sim, p, price)
    elif kind == FUNDING:
        pay_funding(sim, p, price)
    elif a.mark_published == 0:
        # A tape without mark prices: the mid stands in for it.
        mid = mid_price(book)
        if not np.isnan(mid):
            on_mark(sim, p, mid)


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
    kind = event.kind
    exch_ns = event.local_ts if event.exch_ts == NO_TIME else event.exch_ts
    a.local_clock = event.local_ts
    if next_arrival_ns(sim) < exch_ns:
        serve(sim, p, book, exch_ns)
    a.exch_clock = max(a.exch_clock, exch_ns)
    if kind == TRADE:
        if a.n_orders:
            on_trade(sim, p, event.side, tick_of(book, event.price), event.size)
        return
    apply(book, event)
    if kind in (DEPTH, SNAPSHOT, BBO, SNAPSHOT_START):
        if a.n_orders:
            _levels(sim, p, book, kind, event.side, event.price)
            _touch(sim, p, book)
    elif kind in (MARK, FUNDING, END_OF_MESSAGE):
        _money(sim, p, book, kind, event.price)


@njit(cache=True)
def finish(sim: Any, p: Any, book: Any) -> None:
    """Let all requests still under way arrive after the last event of the tape."""
    serve(sim, p, book, _END)
