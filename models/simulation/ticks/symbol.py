"""One symbol at tick level, played up to a venue time: window of events, book, minutes, newest values.

Here belongs bringing a symbol to an instant and asking about instants it still remembers. It knows no clock and no
venue's words.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from models.market import book as books
from models.market.book_record import Book
from models.market.tape import MARK, TRADE, empty_tape
from models.simulation.bars import MINUTE_MS
from models.simulation.ticks.minutes import KEPT_TRADES, TRADE_ROW, fold, new_table, new_ticks, open_minutes
from models.simulation.ticks.window import Events, EventWindow

NS_PER_MS = 1_000_000
WINDOW_NS = 60_000_000_000
"""Events are remembered for a minute of venue time."""


class EventSource(Protocol):
    """Where a symbol's events come from."""

    def read(self, until_ns: int) -> Events:
        """Return the next events, in ascending venue time: at least all up to `until_ns` that were not returned yet."""


class TickSymbol:
    """A symbol and the present it has been brought to.

    Parameters
    ----------
    source : EventSource
    tick_size : float
        Price step of the book.
    start_ns : int
        Venue time before the first event; minute 0 opens at its full minute.

    Attributes
    ----------
    book : record of BOOK
        At `now_ns`.
    ticks : record of TICKS
        Newest values.
    table : ndarray
        Minutes, see `minutes`.
    now_ns : int

    """

    def __init__(self, source: EventSource, tick_size: float, start_ns: int) -> None:
        self._source = source
        self._window = EventWindow(start_ns)
        self.book = books.new_book(tick_size)
        self._oldest = books.new_books([tick_size])
        self.first_ms = start_ns // NS_PER_MS // MINUTE_MS * MINUTE_MS
        self._ticks = new_ticks(self.first_ms * NS_PER_MS)
        self.ticks: Any = self._ticks[0]
        self.table = new_table(256)
        self._kept = np.zeros(KEPT_TRADES, dtype=TRADE_ROW).view(np.recarray)
        open_minutes(self.ticks, self.table, 0)
        self._first_sequence = start_ns // NS_PER_MS
        self._before = {MARK: np.nan, TRADE: np.nan}
        self.now_ns = start_ns
        # Compiled here and not while somebody waits for the first events.
        fold(self.ticks, self.table, self._kept, empty_tape())
        books.apply_all(self.book, empty_tape())

    @property
    def sequence(self) -> int:
        """Number of the newest event; counted from the milliseconds of the start, so that it rises from run to run."""
        return self._first_sequence + int(self.ticks.rows)

    @property
    def since_ns(self) -> int:
        """Venue time from which events are remembered."""
        return self._window.since_ns

    def advance(self, until_ns: int) -> Events:
        """Go on to a venue time; returns what happened on the way, a view valid until the next call."""
        if until_ns <= self.now_ns:
            return self._window.show(self.now_ns)
        if self._window.newest_ns <= until_ns:
            self._window.append(self._source.read(until_ns))
        fresh = self._window.show(until_ns)
        minute = (until_ns // NS_PER_MS - self.first_ms) // MINUTE_MS
        if minute >= self.table.shape[1]:
            wider = new_table(2 * (minute + 1))
            wider[:, : self.table.shape[1]] = self.table
            self.table = wider
        fold(self.ticks, self.table, self._kept, fresh)
        open_minutes(self.ticks, self.table, minute)
        books.apply_all(self.book, fresh)
        self._forget(until_ns - WINDOW_NS)
        self.now_ns = until_ns
        return fresh

    def _forget(self, until_ns: int) -> None:
        gone = self._window.forget(until_ns)
        if not gone.size:
            return
        books.apply_all(cast(Book, self._oldest[0]), gone)
        for kind in self._before:
            prices = gone["price"][gone["kind"] == kind]
            if prices.size:
                self._before[kind] = float(prices[-1])

    def events(self, after_ns: int, until_ns: int) -> Events:
        """Return a copy of the events with ``after_ns < exch_ts <= until_ns``; DataError where forgotten or ahead."""
        rows = self._window.between(after_ns, min(until_ns, self.now_ns))
        return rows.view(np.uint8).copy().view(rows.dtype)

    def book_at(self, at_ns: int) -> Book:
        """Book as it was at a remembered instant; the present one for the present and later."""
        if at_ns >= self.now_ns:
            return self.book
        past = self._oldest.copy()
        books.apply_all(cast(Book, past[0]), self._window.between(self._window.since_ns, at_ns))
        return cast(Book, past[0])

    def mark_at(self, at_ns: int) -> float:
        """Mark price at a remembered instant; not a number before the first."""
        return float(self.ticks.mark) if at_ns >= self.now_ns else self._price_at(MARK, at_ns)

    def last_at(self, at_ns: int) -> float:
        """Price of the last trade at a remembered instant; not a number before the first."""
        return float(self.ticks.last) if at_ns >= self.now_ns else self._price_at(TRADE, at_ns)

    def _price_at(self, kind: int, at_ns: int) -> float:
        rows = self._window.between(self._window.since_ns, at_ns)
        prices = rows["price"][rows["kind"] == kind]
        return float(prices[-1]) if prices.size else self._before[kind]

    def newest_trades(self, limit: int) -> NDArray[np.void]:
        """Newest trades as rows of TRADE_ROW, newest first, at most `limit`."""
        count = min(limit, int(self.ticks.trades), KEPT_TRADES)
        numbers = int(self.ticks.trades) - 1 - np.arange(count)
        return cast("NDArray[np.void]", self._kept[numbers % KEPT_TRADES])
