"""How an order meets the book: taking, resting, and being filled by prints and by quotes that cross it.

Our orders change nothing in the replayed book: what we take is still there for the next order (as in hftbacktest), so sizes
must be small against the book. Own orders at one price queue behind each other. Here belongs matching; queue estimates are
in `queue`, money in `account`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.book import NO_ASK, NO_BID, best_ask, best_bid, size_at
from models.simulation.fills.account import fill
from models.simulation.fills.queue import on_print
from models.simulation.fills.records import (
    CANCELLED,
    FOK,
    IOC,
    NOT_FILLED,
    NOT_REDUCING,
    POST_ONLY,
)
from models.simulation.fills.reports import report

MAX_WALK = 4096
"""Ticks an aggressive order looks into the book."""


@njit(cache=True)
def crosses(book: Any, side: int, tick: int) -> bool:
    """Whether an order at this price would trade at once."""
    if side > 0:
        return bool(tick >= best_ask(book))
    return bool(tick <= best_bid(book))


@njit(cache=True)
def available(book: Any, side: int, limit: int, enough: float) -> float:
    """Size the other side offers down to `limit`, counted until it is `enough`."""
    best = best_ask(book) if side > 0 else best_bid(book)
    total = 0.0
    for k in range(MAX_WALK):
        tick = best + side * k
        if (limit - tick) * side < 0 or total >= enough:
            break
        total += size_at(book, -side, tick)
    return total


@njit(cache=True)
def take(sim: Any, p: Any, book: Any, order: Any) -> None:
    """Fill an order from the other side of the book, level by level, as taker."""
    best = best_ask(book) if order.side > 0 else best_bid(book)
    for k in range(MAX_WALK):
        tick = best + order.side * k
        if (order.tick - tick) * order.side < 0 or order.leaves <= 0.0:
            return
        size = size_at(book, -order.side, tick)
        if size > 0.0:
            fill(sim, p, order, tick, min(size, order.leaves), 0)


@njit(cache=True)
def enter(sim: Any, p: Any, book: Any, order: Any, time_in_force: int) -> bool:
    """Match a new order against the book; True when something is left to rest. The order is not post-only and crossing."""
    if time_in_force != POST_ONLY and crosses(book, order.side, order.tick):
        whole = time_in_force != FOK or available(book, order.side, order.tick, order.leaves) >= order.leaves
        if whole:
            take(sim, p, book, order)
    if order.leaves <= 0.0:
        return False
    if time_in_force in (IOC, FOK):
        report(sim, p, CANCELLED, NOT_FILLED, order.id, order.side, order.tick, order.leaves, 0.0)
        return False
    order.level = size_at(book, order.side, order.tick)
    order.ahead = order.level
    order.traded = 0.0
    return True


@njit(cache=True)
def remove(sim: Any, at: int) -> None:
    """Take a resting order out; the others keep their order."""
    a = sim.account[0]
    for i in range(at, a.n_orders - 1):
        sim.orders[i] = sim.orders[i + 1]
    a.n_orders -= 1


@njit(cache=True)
def watch(sim: Any, p: Any) -> None:
    """Note between which prices our resting orders stand, so that events elsewhere need not look at them."""
    a = sim.account[0]
    a.highest_buy = NO_BID
    a.lowest_sell = NO_ASK
    a.watched_low[:] = np.inf
    a.watched_high[:] = -np.inf
    for i in range(a.n_orders):
        order = sim.orders[i]
        if order.side > 0:
            a.highest_buy = max(a.highest_buy, order.tick)
        else:
            a.lowest_sell = min(a.lowest_sell, order.tick)
        h = 0 if order.side > 0 else 1
        # A price belongs to its nearest tick: three quarters reach all of an order's and none of the next one's.
        a.watched_low[h] = min(a.watched_low[h], (order.tick - 0.75) * p.tick_size)
        a.watched_high[h] = max(a.watched_high[h], (order.tick + 0.75) * p.tick_size)


@njit(cache=True)
def sweep(sim: Any, p: Any) -> None:
    """Take out all orders that have nothing left."""
    a = sim.account[0]
    kept = 0
    for i in range(a.n_orders):
        if sim.orders[i].leaves > 0.0:
            if kept != i:
                sim.orders[kept] = sim.orders[i]
            kept += 1
    a.n_orders = kept
    watch(sim, p)


@njit(cache=True)
def _fill_resting(sim: Any, p: Any, order: Any, quantity: float) -> None:
    if order.reduce_only:
        # The position may have changed since the order came: what it no longer can reduce is cancelled.
        reducible = max(0.0, -order.side * sim.account[0].position)
        if reducible < order.leaves:
            report(
                sim,
                p,
                CANCELLED,
                NOT_REDUCING,
                order.id,
                order.side,
                order.tick,
                order.leaves - reducible,
                reducible,
            )
            order.leaves = reducible
            quantity = min(quantity, reducible)
        if quantity <= 0.0:
            return
    fill(sim, p, order, order.tick, quantity, 1)


@njit(cache=True)
def on_trade(sim: Any, p: Any, taker: int, tick: int, size: float) -> None:
    """Let a print fill resting orders of the other side: those it went through whole, those at its price by their queue."""
    a = sim.account[0]
    own = 0.0
    done = False
    for i in range(a.n_orders):
        order = sim.orders[i]
        if order.side == taker:
            continue
        through = (tick - order.tick) * taker
        if through > 0:
            _fill_resting(sim, p, order, order.leaves)
        elif through == 0:
            reached = on_print(order, p, size - own)
            if reached > 0.0:
                quantity = min(reached, order.leaves) if p.partial_fills else order.leaves
                own += quantity
                _fill_resting(sim, p, order, quantity)
        done = done or order.leaves <= 0.0
    if done:
        sweep(sim, p)


@njit(cache=True)
def on_touch(sim: Any, p: Any, side: int, tick: int) -> None:
    """Fill resting orders of the other side that an improved best price of `side` has reached."""
    a = sim.account[0]
    done = False
    for i in range(a.n_orders):
        order = sim.orders[i]
        if order.side != side and (tick - order.tick) * side >= 0:
            _fill_resting(sim, p, order, order.leaves)
            done = True
    if done:
        sweep(sim, p)
