"""What matching needs to know of a market; implemented by the markets of the local testnet and by test doubles of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.simulation.listing import Listing
from models.simulation.quotes import Book, Path, Settlement


class MatchingMarket(Protocol):
    """Prices an exchange matches, marks and settles against. Times are ms UTC."""

    def listing(self, symbol: str) -> Listing | None:
        """Return listed perpetual, or None when unknown."""

    def book(self, symbol: str, at_ms: int) -> Book | None:
        """Book that orders are matched against, or None before the first price."""

    def mark_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Mark price, or None before the first price."""

    def last_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Price of the last trade, or None before the first."""

    def path(self, symbol: str, after_ms: int, until_ms: int) -> Path:
        """Points with ``after_ms < ts <= until_ms``."""

    def next_settlement(self, symbol: str, after_ms: int, until_ms: int) -> Settlement | None:
        """First settlement with ``after_ms < ts <= until_ms``."""


@runtime_checkable
class EventMarket(MatchingMarket, Protocol):
    """Market whose every event is known: resting orders are matched by their place in the queue."""

    def events(self, symbol: str, after_ns: int, until_ns: int) -> NDArray[np.void]:
        """Rows of `models.market.tape.EVENT` with ``after_ns < exch_ts <= until_ns``, ascending in ``exch_ts``."""
