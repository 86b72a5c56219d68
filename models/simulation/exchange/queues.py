"""One symbol's resting orders in the queues of the fill model.

Here belongs keeping the fill model's book and queue places in step with the market's events and with the orders that rest; its
functions decide who is filled and by how much (`models.simulation.fills`). Money, margins and what becomes of an order do not
belong here. A market of events alone needs this module, and with it compiled code.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.book import apply_all, best_ask, best_bid, new_books
from models.market.tape import END_OF_MESSAGE, EVENT, SNAPSHOT, SNAPSHOT_START
from models.simulation.exchange.checks import MAX_ACTIVE_ORDERS
from models.simulation.exchange.market import EventMarket
from models.simulation.exchange.orders import ZERO, Order
from models.simulation.fills.matching import enter, remove, watch
from models.simulation.fills.parameters import CONSTANT, POWER, FillParameters
from models.simulation.fills.records import FILLED, POST_ONLY, FillSimulator, copy_simulator, new_simulator
from models.simulation.fills.step import step
from models.simulation.listing import Listing
from models.simulation.quotes import Book

NS_PER_MS = 1_000_000
REPORTS = 1024

Fills = list[tuple[int, Decimal]]
"""Sequence of an order, and the quantity it is filled by."""


@njit(cache=True)
def play(sim: Any, p: Any, book: Any, events: Any, start: int) -> int:
    """Play events from `start` on up to the first that leaves a report; returns how many are played."""
    a = sim.account[0]
    for i in range(start, events.shape[0]):
        step(sim, p, book, events[i])
        if a.reports_sent > a.reports_read:
            return i + 1
    return int(events.shape[0])


@njit(cache=True)
def stand(sim: Any, p: Any, book: Any, number: int, side: int, tick: int, quantity: float) -> None:
    """Put an order that does not take at the end of the queue of its price."""
    a = sim.account[0]
    order = sim.orders[a.n_orders]
    order.id = number
    order.side = side
    order.tick = tick
    order.quantity = quantity
    order.leaves = quantity
    order.reduce_only = 0
    if enter(sim, p, book, order, POST_ONLY):
        a.n_orders += 1
    watch(sim, p)
    # As after every request: what comes next is measured against this touch.
    a.best_bid = best_bid(book)
    a.best_ask = best_ask(book)


class SymbolQueues:
    """Resting orders of one symbol.

    Parameters
    ----------
    market : EventMarket
    listing : Listing
    at_ns : int
        Instant to start at; the book is the market's then.

    """

    def __init__(self, market: EventMarket, listing: Listing, at_ns: int) -> None:
        self._market = market
        self._listing = listing
        self._parameters = FillParameters(
            tick_size=float(listing.tick_size),
            lot_size=float(listing.qty_step),
            queue_model=POWER,
            latency_model=CONSTANT,
        )
        self._sim = new_simulator(
            self._parameters, 0.0, orders=MAX_ACTIVE_ORDERS, requests=2, reports=REPORTS
        )
        self._book = new_books([float(listing.tick_size)])
        self.at_ns = at_ns
        at_ms = at_ns // NS_PER_MS
        book = market.book(listing.symbol, at_ms)
        if book is not None:
            apply_all(self._book[0], _as_events(book, at_ms * NS_PER_MS))
        since_the_book = market.events(listing.symbol, at_ms * NS_PER_MS, at_ns)
        play(self._sim, self._parameters, self._book[0], since_the_book, 0)

    def saved(self) -> tuple[FillSimulator, NDArray[np.void], int]:
        """Return a copy of the whole state, for `restore`."""
        return copy_simulator(self._sim), self._book.copy(), self.at_ns

    def restore(self, state: tuple[FillSimulator, NDArray[np.void], int]) -> None:
        """Go back to a saved state."""
        self._sim, self._book, self.at_ns = state

    def match_orders(self, resting: Iterable[Order]) -> None:
        """Bring the queues in line with the orders that rest now: new, amended and ended ones."""
        wanted = {order.sequence: order for order in resting}
        for number in self._numbers():
            order = wanted.get(number)
            if order is None or not self._keeps_place(order):
                self._drop(number)
        present = set(self._numbers())
        for number, order in wanted.items():
            if number not in present:
                price = order.request.price or ZERO
                stand(
                    self._sim,
                    self._parameters,
                    self._book[0],
                    number,
                    order.request.side,
                    self._ticks(price),
                    float(order.remaining),
                )

    def play(self, until_ns: int) -> tuple[int, Fills] | None:
        """Play the market up to an instant, or to the first event that fills an order.

        Returns
        -------
        (int, list) or None
            Instant and fills, in the order they happened; None where nothing was filled.

        """
        events = self._market.events(self._listing.symbol, self.at_ns, until_ns)
        played = 0
        while played < events.shape[0]:
            played = play(self._sim, self._parameters, self._book[0], events, played)
            fills = self._read_fills()
            if fills:
                # All of this instant belongs to it: a later look at the market starts after it.
                self.at_ns = int(events[played - 1]["exch_ts"])
                fills += self._rest_of_instant(events, played)
                return self.at_ns, fills
        self.at_ns = until_ns
        return None

    def _rest_of_instant(self, events: NDArray[np.void], played: int) -> Fills:
        end = int(np.searchsorted(events["exch_ts"], self.at_ns, side="right"))
        fills: Fills = []
        while played < end:
            played = play(self._sim, self._parameters, self._book[0], events[:end], played)
            fills += self._read_fills()
        return fills

    def _read_fills(self) -> Fills:
        account = self._sim.account
        fills: Fills = []
        for number in range(int(account["reports_read"][0]), int(account["reports_sent"][0])):
            report = self._sim.reports[number & (REPORTS - 1)]
            if report["kind"] == FILLED:
                lots = round(float(report["quantity"]) / self._parameters.lot_size)
                fills.append((int(report["id"]), lots * self._listing.qty_step))
        account["reports_read"] = account["reports_sent"]
        # The account is the exchange's; the fill model's own would settle and liquidate a second one.
        account["position"] = account["entry_value"] = 0.0
        return fills

    def _numbers(self) -> list[int]:
        return [int(number) for number in self._sim.orders["id"][: int(self._sim.account["n_orders"][0])]]

    def _keeps_place(self, order: Order) -> bool:
        """Whether an order has only become smaller since; its new quantity is then taken over."""
        row = self._sim.orders[self._numbers().index(order.sequence)]
        left = float(order.remaining)
        if int(row["tick"]) != self._ticks(order.request.price or ZERO) or left > float(row["leaves"]) + (
            0.5 * self._parameters.lot_size
        ):
            return False
        row["quantity"] += left - float(row["leaves"])
        row["leaves"] = left
        return True

    def _drop(self, number: int) -> None:
        remove(self._sim, self._numbers().index(number))
        watch(self._sim, self._parameters)

    def _ticks(self, price: Decimal) -> int:
        return int(price / self._listing.tick_size)


def _as_events(book: Book, at_ns: int) -> NDArray[np.void]:
    """Return a book as one message of a tape."""
    rows = [(at_ns, at_ns, SNAPSHOT_START, 0, 0.0, 0.0)]
    for side, levels in ((1, book.bids), (-1, book.asks)):
        rows += [(at_ns, at_ns, SNAPSHOT, side, float(price), float(size)) for price, size in levels]
    rows.append((at_ns, at_ns, END_OF_MESSAGE, 0, 0.0, 0.0))
    return np.array(rows, dtype=EVENT)
