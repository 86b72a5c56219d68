"""What the local testnet asks of a market.

Here belongs the protocol and nothing that implements it. A market knows no clock: every question carries `now_ms`, and no answer
may contain anything later than that instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.simulation.bars import Bars
from models.simulation.exchange.market import EventMarket, MatchingMarket
from models.simulation.listing import Listing
from models.simulation.quotes import Book, Quote, Trade

if TYPE_CHECKING:
    from hean_live.local_testnet.markets.live import LiveSymbol

Series = tuple[NDArray[np.int64], NDArray[np.float64]]


class BarKind(Enum):
    """Which price a bar is of."""

    PERP = "perp"
    SPOT = "spot"
    MARK = "mark"
    INDEX = "index"
    PREMIUM = "premium"

    @property
    def traded(self) -> bool:
        """Whether bars of this kind have volume and turnover."""
        return self in (BarKind.PERP, BarKind.SPOT)


class Market(MatchingMarket, Protocol):
    """A market the HTTP handlers can serve.

    Times are ms UTC. Ranges include both ends; series ascend in time and hold at most the `limit` newest rows of the
    range. A known symbol without a history answers with empty series; an unknown one is never asked for.
    """

    @property
    def name(self) -> str:
        """How the market was asked for, for example ``synthetic``."""

    @property
    def first_ms(self) -> int:
        """Instant of the first datum."""

    @property
    def last_ms(self) -> int:
        """Instant beyond which the market knows nothing; the market clock stops there."""

    def listings(self, category: str) -> Mapping[str, Listing]:
        """Symbols of ``linear`` or ``spot``."""

    def interval_h(self, symbol: str, now_ms: int) -> int:
        """Funding interval in force at `now_ms`, hours."""

    def bars(
        self, kind: BarKind, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Bars:
        """Bars whose opening time lies in the range, the open one included where the market knows it."""

    def funding(self, symbol: str, start_ms: int, end_ms: int, limit: int, now_ms: int) -> Series:
        """Settlements paid up to `now_ms`."""

    def open_interest(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """Open interest at multiples of `step_ms`."""

    def long_ratio(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """Share of long accounts over the period that opens at each timestamp; complete periods only."""

    def quote(self, category: str, symbol: str, now_ms: int) -> Quote | None:
        """State of the symbol, or None before its first price."""

    def depth(self, category: str, symbol: str, now_ms: int, levels: int) -> Book | None:
        """Order book, or None before the first price."""

    def trades(self, category: str, symbol: str, limit: int, now_ms: int) -> list[Trade]:
        """Newest trades, newest first."""


@runtime_checkable
class TickMarket(Market, EventMarket, Protocol):
    """A market of which every event is known. It goes forward as it is asked about later instants and remembers a minute."""

    @property
    def now_ns(self) -> int:
        """Venue time it has been brought to."""

    def advance(self, until_ns: int) -> None:
        """Bring every symbol to a venue time; earlier ones than the present are ignored."""

    def live(self, category: str, symbol: str) -> LiveSymbol | None:
        """Symbol at tick level, None where the category has none of that name."""
