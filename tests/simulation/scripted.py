"""A market whose every price is given by hand: an implementation of the matching protocol, small enough to reason about."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from models.simulation.funding_universe import UNIVERSE
from models.simulation.listing import Listing
from models.simulation.quotes import Book, Path, Settlement

D = Decimal


@dataclass
class ScriptedMarket:
    """Last price at instants (ms); the book is one tick wide around it with `depth` at each of five levels."""

    prices: dict[int, str]
    depth: str = "100"
    settlements: dict[int, str] = field(default_factory=dict)
    mark_shift: str = "0"

    def listing(self, symbol: str) -> Listing | None:
        return UNIVERSE[symbol].listing if symbol == "BTCUSDT" else None

    def last_price(self, symbol: str, at_ms: int) -> Decimal | None:
        known = [ts for ts in self.prices if ts <= at_ms]
        return D(self.prices[max(known)]) if known else None

    def mark_price(self, symbol: str, at_ms: int) -> Decimal | None:
        last = self.last_price(symbol, at_ms)
        return None if last is None else last + D(self.mark_shift)

    def book(self, symbol: str, at_ms: int) -> Book | None:
        last = self.last_price(symbol, at_ms)
        if last is None:
            return None
        tick = D("0.10")
        bids = tuple((last - tick * k, D(self.depth)) for k in range(5))
        asks = tuple((last + tick * (k + 1), D(self.depth)) for k in range(5))
        return Book(symbol, at_ms, bids, asks)

    def path(self, symbol: str, after_ms: int, until_ms: int) -> Path:
        ts = np.array(sorted(t for t in self.prices if after_ms < t <= until_ms), dtype=np.int64)
        last = np.array([float(self.prices[int(t)]) for t in ts])
        return Path(ts, last, last, last + float(self.mark_shift))

    def next_settlement(self, symbol: str, after_ms: int, until_ms: int) -> Settlement | None:
        due = sorted(t for t in self.settlements if after_ms < t <= until_ms)
        return Settlement(due[0], D(self.settlements[due[0]])) if due else None
