"""A market whose every event is known: a tape with one symbol on the BTCUSDT listing, tick 0.10 and lot 0.001."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from models.market.book import apply_all, depth_levels, is_valid, new_books
from models.market.tape import MARK, TRADE
from models.simulation.quotes import Book, Path
from tests.simulation.scripted import ScriptedMarket

NS = 1_000_000


class TapeMarket(ScriptedMarket):
    def __init__(self, tape: NDArray[np.void], prices: dict[int, str] | None = None) -> None:
        super().__init__(prices or {0: "100.00"})
        self.tape = tape[np.argsort(tape["exch_ts"], kind="stable")]

    def events(self, symbol: str, after_ns: int, until_ns: int) -> NDArray[np.void]:
        first, last = np.searchsorted(self.tape["exch_ts"], [after_ns, until_ns], side="right")
        return self.tape[first:last]

    def record(self, at_ms: int) -> np.void:
        books = new_books([0.1])
        apply_all(books[0], self.events("", -1, at_ms * NS))
        return books[0]

    def book(self, symbol: str, at_ms: int) -> Book | None:
        record = self.record(at_ms)
        if not is_valid(record):
            return None
        out = np.empty((200, 2))
        sides = []
        for side in (1, -1):
            found = depth_levels(record, side, 200, out)
            sides.append(
                tuple((Decimal(int(tick)) / 10, round(Decimal(size), 3)) for tick, size in out[:found])
            )
        return Book(symbol, at_ms, sides[0], sides[1])

    def _last(self, kind: int, at_ms: int) -> Decimal | None:
        seen = self.events("", -1, at_ms * NS)
        prices = seen["price"][seen["kind"] == kind]
        return round(Decimal(float(prices[-1])), 2) if prices.size else None

    def last_price(self, symbol: str, at_ms: int) -> Decimal | None:
        return self._last(TRADE, at_ms) or super().last_price(symbol, at_ms)

    def mark_price(self, symbol: str, at_ms: int) -> Decimal | None:
        return self._last(MARK, at_ms) or self.last_price(symbol, at_ms)

    def path(self, symbol: str, after_ms: int, until_ms: int) -> Path:
        seen = self.events("", after_ms * NS, until_ms * NS)
        seen = seen[seen["kind"] == TRADE]
        return Path(-(-seen["exch_ts"] // NS), seen["price"], seen["price"], seen["price"])
