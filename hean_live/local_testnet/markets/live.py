"""What every tick market shares: its symbols brought to a venue time, and what matching and the public endpoints ask of them.

A tick market lives in the present: it goes forward as it is asked about later instants, and remembers events for a minute.
Questions about earlier instants are answered within that minute. Here belongs what follows from ticks alone; histories before
them, funding and what is listed are the concrete market's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from models.market.book import depth_levels, is_valid
from models.market.book_record import Book as BookRecord
from models.market.tape import MARK, TRADE
from models.simulation.bars import MINUTE_MS, Bars
from models.simulation.listing import Listing
from models.simulation.quotes import Book, Level, Path, Trade
from models.simulation.ticks import minutes as rows_of
from models.simulation.ticks.symbol import TickSymbol

NS_PER_MS = 1_000_000
STEP_NS = 10_000_000_000
"""A long way forward is gone in steps of this, so that no more than a few seconds of events are held at once."""
MATCHING_LEVELS = 200
Key = tuple[str, str]  # category and symbol


@dataclass
class LiveSymbol:
    """A symbol of one category at tick level."""

    listing: Listing
    ticks: TickSymbol

    def price(self, value: float) -> Decimal | None:
        """Trade price as the venue writes it; None where there is none."""
        return None if np.isnan(value) else round(Decimal(value), self.listing.price_decimals)

    def index_price(self, value: float) -> Decimal | None:
        """Index or mark price as the venue writes it; None where there is none."""
        return None if np.isnan(value) else round(Decimal(value), self.listing.index_decimals)

    def levels(self, book: BookRecord, count: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Best levels of both sides in the venue's decimals."""
        out = np.empty((count, 2))
        sides = []
        for side in (1, -1):
            found = depth_levels(book, side, count, out)
            sides.append(
                tuple(
                    (self.listing.tick_size * int(tick), round(Decimal(size), self.listing.qty_decimals))
                    for tick, size in out[:found].tolist()
                )
            )
        return sides[0], sides[1]


class LiveMarket:
    """Symbols at tick level, all at one venue time.

    Parameters
    ----------
    live : mapping of (category, symbol) to LiveSymbol
    start_ns : int
        Venue time before the first event.

    """

    def __init__(self, live: Mapping[Key, LiveSymbol], start_ns: int) -> None:
        self._live = dict(live)
        self.now_ns = start_ns

    def advance(self, until_ns: int) -> None:
        """Bring every symbol to a venue time; earlier ones than the present are ignored."""
        while self.now_ns < until_ns:
            self.now_ns = min(until_ns, self.now_ns + STEP_NS)
            for key, symbol in self._live.items():
                self._happened(key, symbol.ticks.advance(self.now_ns))

    def _happened(self, key: Key, events: NDArray[np.void]) -> None:
        """Act on what just happened to a symbol; `events` is a view and may be mended in place."""

    def live(self, category: str, symbol: str) -> LiveSymbol | None:
        """Symbol at tick level, None where the category has none of that name."""
        return self._live.get((category, symbol))

    def at(self, category: str, symbol: str, now_ms: int) -> LiveSymbol:
        """Symbol brought to an instant at least."""
        self.advance(now_ms * NS_PER_MS)
        return self._live[category, symbol]

    def listings(self, category: str) -> Mapping[str, Listing]:
        """Symbols of a category."""
        return {name: live.listing for (kind, name), live in self._live.items() if kind == category}

    def listing(self, symbol: str) -> Listing | None:
        """Perpetual of that name."""
        found = self._live.get(("linear", symbol))
        return None if found is None else found.listing

    def events(self, symbol: str, after_ns: int, until_ns: int) -> NDArray[np.void]:
        """Events of a perpetual with ``after_ns < exch_ts <= until_ns``, at most the last minute's.

        Raises
        ------
        DataError
            Events after `after_ns` have been forgotten.

        """
        self.advance(until_ns)
        return self._live["linear", symbol].ticks.events(after_ns, until_ns)

    def depth(self, category: str, symbol: str, now_ms: int, levels: int) -> Book | None:
        """Order book; None while it is not valid."""
        found = self.at(category, symbol, now_ms)
        book = found.ticks.book_at(now_ms * NS_PER_MS + NS_PER_MS - 1)
        if not is_valid(book):
            return None
        bids, asks = found.levels(book, levels)
        return Book(symbol, now_ms, bids, asks)

    def trades(self, category: str, symbol: str, limit: int, now_ms: int) -> list[Trade]:
        """Newest trades, newest first."""
        found = self.at(category, symbol, now_ms)
        listing = found.listing
        return [
            Trade(
                int(row["ts_ns"]) // NS_PER_MS,
                round(Decimal(float(row["price"])), listing.price_decimals),
                round(Decimal(float(row["size"])), listing.qty_decimals),
                int(row["side"]),
                int(row["number"]),
            )
            for row in found.ticks.newest_trades(limit)
        ]

    def book(self, symbol: str, at_ms: int) -> Book | None:
        """Book the account's orders are matched against."""
        return self.depth("linear", symbol, at_ms, MATCHING_LEVELS)

    def mark_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Mark price; where none was reported, the last trade's."""
        found = self.at("linear", symbol, at_ms)
        at_ns = at_ms * NS_PER_MS + NS_PER_MS - 1
        mark = found.index_price(found.ticks.mark_at(at_ns))
        return found.index_price(found.ticks.last_at(at_ns)) if mark is None else mark

    def last_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Price of the last trade."""
        found = self.at("linear", symbol, at_ms)
        return found.price(found.ticks.last_at(at_ms * NS_PER_MS + NS_PER_MS - 1))

    def path(self, symbol: str, after_ms: int, until_ms: int) -> Path:
        """Every trade and every mark price after one instant and up to another."""
        events = self.events(symbol, after_ms * NS_PER_MS, until_ms * NS_PER_MS)
        ticks = self._live["linear", symbol].ticks
        seen = events[(events["kind"] == TRADE) | (events["kind"] == MARK)]
        last = _carried(seen, TRADE, ticks.last_at(after_ms * NS_PER_MS))
        mark = _carried(seen, MARK, ticks.mark_at(after_ms * NS_PER_MS))
        mark = np.where(np.isnan(mark), last, mark)
        # Rounded up: a point is known at its whole millisecond, never before.
        return Path(-(-seen["exch_ts"] // NS_PER_MS), last, last, mark)

    def live_bars(self, found: LiveSymbol, first_row: int, first: int, last: int) -> Bars:
        """Bars of one price, ``first <= m < last`` counted from the symbol's first minute.

        `first_row` is that of the minutes' table where open, high, low, close begin; volume comes with trades.
        """
        ticks = found.ticks
        last = min(last, int(ticks.ticks.minute) + 1)
        cut = slice(max(first, 0), max(last, first, 0))
        table = ticks.table[:, cut]
        known = ~np.isnan(table[first_row])
        ts = ticks.first_ms + np.arange(cut.start, cut.stop, dtype=np.int64) * MINUTE_MS
        o, h, low, c = (table[first_row + k, known] for k in range(4))
        traded = first_row == rows_of.PERP
        volume = np.round(table[rows_of.VOLUME, known], found.listing.qty_decimals) if traded else None
        turnover = table[rows_of.TURNOVER, known] if traded else None
        return Bars(ts[known], o, h, low, c, volume, turnover)


def _carried(rows: NDArray[np.void], kind: int, before: float) -> NDArray[np.float64]:
    """Newest price of a kind at each row, `before` until the first."""
    at = np.where(rows["kind"] == kind, np.arange(1, len(rows) + 1), 0)
    prices = np.concatenate(([before], rows["price"].astype(np.float64)))
    return np.asarray(prices[np.maximum.accumulate(at)] if len(rows) else prices[:0])
