"""Where the messages of the public socket go: tape, market state, tickers; and what heals them when something is lost.

Everything that enters market state is written to the tape first, our own additions too (`synthetic.py`): reading the
tape back gives the same state. All of it runs in the streams' event loop. What does not belong here: the socket and
its watchdog (`hean_live.venues.streams`), files (`hean_live.recorder`), threads (`service.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hean_live.market.clock import Clock, WallClock
from hean_live.market.completeness import Completeness
from hean_live.market.markets import Markets
from hean_live.market.synthetic import fill_message, gap_message
from hean_live.market.ticker_board import TickerBoard
from models.errors import HeanError

log = logging.getLogger(__name__)

NS_PER_MS: Final = 1_000_000
_INVALID_S: Final = 5.0  # a book that stays crossed for so long is asked for again
_FILL_DELAY_S: Final = 0.5  # so that what is read by REST overlaps what the socket brings
_FILL_ATTEMPTS: Final = 4

FetchTrades = Callable[[str], Awaitable[tuple[object, int]]]
"""Ask for a symbol's recent trades: the `result` of the reply, and the venue's time of it (ms)."""
Resubscribe = Callable[[Sequence[str], str], bool]


class Tape(Protocol):
    """What keeps raw messages."""

    def write(self, payload: bytes, received_ns: int) -> None:
        """Keep one message; never blocks, never raises."""


@dataclass
class HubCounts:
    """What happened so far."""

    disconnects: int = 0
    unreadable: int = 0
    books_broken: int = 0
    fills_failed: int = 0
    trades_filled: int = 0


class MarketHub:
    """Takes the public socket's messages.

    Parameters
    ----------
    markets : Markets
    depth : int
        Of the order-book topic.
    fetch_trades : callable
    tape : Tape, optional
    doubt_s : float
        How long features are doubtful after trades were lost for good.
    clock : Clock, optional
        The wall's by default.

    Attributes
    ----------
    resubscribe : callable
        Set by whoever owns the socket.
    completeness : list of Completeness
        By place in `markets`.

    """

    def __init__(
        self,
        markets: Markets,
        depth: int,
        fetch_trades: FetchTrades,
        *,
        tape: Tape | None = None,
        doubt_s: float = 600.0,
        clock: Clock | None = None,
    ) -> None:
        self.markets = markets
        self.board = TickerBoard()
        self.counts = HubCounts()
        self.completeness = [Completeness() for _ in markets.names]
        self.resubscribe: Resubscribe = lambda _topics, _reason: False
        self.exchange_ns = [0] * len(markets.names)
        self.received_ns = [0] * len(markets.names)
        self._places = {name: place for place, name in enumerate(markets.names)}
        self._depth = depth
        self._fetch_trades = fetch_trades
        self._tape = tape
        self._doubt_ns = int(doubt_s * 1e9)
        self._clock = clock or WallClock()
        self._now_ns = 0
        self._fills: dict[int, asyncio.Task[None]] = {}
        self._invalid_since: dict[int, float] = {}

    def problem(self, place: int) -> str:
        """Return why a symbol's state may not be traded on, an empty string if it may."""
        return self.completeness[place].problem(self._clock.now_ns(), self.markets.is_valid(place))

    # --- the public stream's sink

    def on_open(self, opened_ns: int) -> None:
        """Ask for the trades missed while the socket was down; the first time there are none."""
        del opened_ns
        for place, own in enumerate(self.completeness):
            own.connected = True
            if own.since_ms is not None:
                self._fill_soon(place)

    def on_data(self, topic: str, payload: bytes, received_ns: int) -> None:
        """Take a message."""
        markets = self.markets
        rows, received_ns = self._keep(payload, self._clock.receive_ns(payload, received_ns))
        if rows < 0:
            self._lost(topic, received_ns)
            return
        place = markets.last_symbol
        if place >= 0:
            self.exchange_ns[place] = markets.last_exchange_ns
            self.received_ns[place] = received_ns
        if markets.gapped >= 0:
            self._book_broke(markets.gapped, "its sequence broke")
        if topic.startswith("tickers."):
            self.board.take(payload, received_ns)

    def on_unreadable(self, payload: bytes, received_ns: int) -> None:
        """Take note of a message that may have been any topic's."""
        self.counts.unreadable += 1
        self._keep(payload, received_ns)  # counted there as malformed
        for place in range(len(self.markets.names)):
            self._trades_lost(place)

    def on_close(self, reason: str, closed_ns: int) -> None:
        """Break every book and open a gap of trades for every symbol: nothing is known of the market any more."""
        self.counts.disconnects += 1
        self.board.lose()
        for place, name in enumerate(self.markets.names):
            own = self.completeness[place]
            if not own.connected:
                continue
            own.connected = False
            own.lost_trades(self._newest_trade_ms(place))
            self.take_own(gap_message(name, self._depth, closed_ns // NS_PER_MS, reason), closed_ns)

    def _keep(self, payload: bytes, received_ns: int) -> tuple[int, int]:
        """Put a message on the tape and into market state; returns its rows and its receive time.

        Receive times never go back, whatever the clock does: a tape is sorted by them.
        """
        self._now_ns = max(self._now_ns, received_ns)
        if self._tape is not None:
            self._tape.write(payload, self._now_ns)
        return self.markets.take(payload, self._now_ns), self._now_ns

    # --- healing

    def take_own(self, payload: bytes, received_ns: int) -> None:
        """Take a message made by us; it is on the tape like any other."""
        self._keep(payload, received_ns)

    def look_at_books(self) -> None:
        """Ask again for books that have stayed crossed or one-sided; to be called about every second."""
        now = time.monotonic()
        for place, name in enumerate(self.markets.names):
            if self.markets.is_valid(place) or not self.completeness[place].connected:
                self._invalid_since.pop(place, None)
            elif now - self._invalid_since.setdefault(place, now) > _INVALID_S:
                self._invalid_since[place] = now
                self._book_broke(place, f"{name}'s book stayed invalid")

    def _lost(self, topic: str, received_ns: int) -> None:
        """Heal what an unreadable message of a known topic may have changed."""
        self.counts.unreadable += 1
        kind, _, symbol = topic.partition(".")
        place = self._places.get(symbol.rpartition(".")[2], -1)
        if place < 0:
            return
        if kind == "orderbook":
            self._book_broke(place, "a message of it was unreadable")
        elif kind == "publicTrade":
            self._trades_lost(place)
        elif kind == "allLiquidation":
            self.completeness[place].doubt("a liquidation was unreadable", received_ns + self._doubt_ns)

    def _book_broke(self, place: int, reason: str) -> None:
        self.counts.books_broken += 1
        name = self.markets.names[place]
        now_ns = self._clock.now_ns()
        if self.markets.is_valid(place):
            self.take_own(gap_message(name, self._depth, now_ns // NS_PER_MS, reason), now_ns)
        self.resubscribe([f"orderbook.{self._depth}.{name}"], reason)

    def _trades_lost(self, place: int) -> None:
        self.completeness[place].lost_trades(self._newest_trade_ms(place))
        self._fill_soon(place)

    def _newest_trade_ms(self, place: int) -> int:
        # Without a trade so far, nothing before the last message of any kind can be missing.
        return (self.markets.newest_trade_ns(place) or self.exchange_ns[place]) // NS_PER_MS

    def _fill_soon(self, place: int) -> None:
        running = self._fills.get(place)
        if running is None or running.done():
            self._fills[place] = asyncio.get_running_loop().create_task(self._fill(place))

    async def _fill(self, place: int) -> None:
        """Read a symbol's recent trades and take in those that are missing."""
        name, own = self.markets.names[place], self.completeness[place]
        covers = False
        for attempt in range(_FILL_ATTEMPTS):
            await asyncio.sleep(_FILL_DELAY_S * 2**attempt)
            since_ms, losses = own.since_ms, own.losses
            if since_ms is None:
                return
            try:
                result, at_ms = await self._fetch_trades(name)
                fill = fill_message(result, name, since_ms, at_ms)
            except HeanError as error:
                self.counts.fills_failed += 1
                log.warning("%s: recent trades could not be read: %s", name, error)
                continue
            if not own.connected:
                return  # a new gap: the next connection fills it
            if fill.payload is not None:
                self.take_own(fill.payload, self._clock.now_ns())
                self.counts.trades_filled += fill.trades
            if own.losses == losses:
                covers = fill.covers
                break
        own.fill(covers, self._clock.now_ns(), self._doubt_ns)
