"""Who gets what: feeds of symbols, tickers and klines, and the connections subscribed to them.

`StreamHub.publish` sends everything that happened since the last call up to the market clock; a test that moves the clock by hand
gets exactly what lies on the way. Here belongs fan-out. What messages say is in the modules beside this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hean_live.local_testnet.markets.base import TickMarket
from hean_live.local_testnet.stream.account_stream import AccountStream
from hean_live.local_testnet.stream.connection import Connection
from hean_live.local_testnet.stream.frames import Outgoing
from hean_live.local_testnet.stream.klines import KlineTopic
from hean_live.local_testnet.stream.symbol_feed import SymbolFeed
from hean_live.local_testnet.stream.tickers import TickerTopic
from hean_live.local_testnet.stream.topics import Topic
from hean_live.local_testnet.venue import Venue
from models.simulation.ticks.feed import warm_up

NS_PER_MS = 1_000_000
PUMP_S = 0.010
IDLE_PUMP_S = 0.5
TURN_NS = 100 * NS_PER_MS
MOST_TURNS = 32
"""Least length of a turn in market time, and turns in a step; see `StreamHub._publish_feeds`."""
TICKER_MS = 100
KLINE_MS = 1_000
SILENT_S = 600.0
"""A connection over which neither pings nor data went for so long is cut."""

Name = tuple[str, str]  # category and topic


class StreamHub:
    """All sockets of one venue.

    Parameters
    ----------
    venue : Venue

    Attributes
    ----------
    account : AccountStream
        Private sockets.
    sent : int
        Public messages made so far, each counted once however many got it.

    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._feeds: dict[tuple[str, str], SymbolFeed] = {}
        self._subscribers: dict[Name, list[Connection]] = {}
        self._topics: dict[Name, Topic] = {}
        self._tickers: dict[Name, TickerTopic] = {}
        self._klines: dict[Name, KlineTopic] = {}
        self._connections: dict[Connection, float] = {}
        self._told_ms = {"tickers": 0, "kline": 0}
        self._checked = 0.0
        self._fed_ns = venue.exchange.now_ns
        self.account = AccountStream(venue)
        self.sent = 0
        venue.on_step = self._publish_feeds
        self._warm = isinstance(venue.market, TickMarket)
        if self._warm:
            warm_up()

    async def prepare(self) -> None:
        """Make sure that messages can be made: a market without ticks compiles for its first socket only."""
        if not self._warm:
            await asyncio.to_thread(warm_up)
            self._warm = True

    def connect(self, connection: Connection, silent_s: float = SILENT_S) -> None:
        """Take in a connection, cut when silent for `silent_s`."""
        self._connections[connection] = silent_s
        connection.restart_books = self.restart_books

    def disconnect(self, connection: Connection) -> None:
        """Forget a connection and what only it wanted."""
        self._connections.pop(connection, None)
        category = connection.path.rpartition("/")[2]
        for name in sorted(connection.topics):
            self.unsubscribe(connection, category, name)
        self.account.leave(connection)

    @property
    def connections(self) -> Iterable[Connection]:
        """All sockets there are."""
        return tuple(self._connections)

    def subscribe(self, connection: Connection, category: str, topics: Iterable[Topic]) -> list[Outgoing]:
        """Let a connection have topics from now on; returns the snapshots it begins with."""
        self._catch_up()
        first = []
        for topic in topics:
            name = (category, topic.name)
            self._subscribers.setdefault(name, []).append(connection)
            self._topics[name] = topic
            connection.topics.add(topic.name)
            first += self._begin(category, topic, name)
        return first

    def unsubscribe(self, connection: Connection, category: str, name: str) -> None:
        """Let a connection have a topic no more; topics nobody wants are not made."""
        connection.topics.discard(name)
        key = (category, name)
        subscribers = self._subscribers.get(key)
        if subscribers is None or connection not in subscribers:
            return
        subscribers.remove(connection)
        if subscribers:
            return
        topic = self._topics.pop(key)
        del self._subscribers[key]
        self._tickers.pop(key, None)
        self._klines.pop(key, None)
        feed = self._feeds.get((category, topic.symbol))
        if feed is not None and topic.slot >= 0 and not feed.unwant(topic.slot):
            del self._feeds[category, topic.symbol]

    def _begin(self, category: str, topic: Topic, name: Name) -> list[Outgoing]:
        venue, now_ms = self._venue, self._venue.exchange.now_ms
        listing = venue.market.listings(category)[topic.symbol]
        if topic.kind == "kline":
            if name not in self._klines:
                self._klines[name] = KlineTopic(venue.market, category, listing, topic.interval)
            return []
        if topic.kind == "tickers":
            ticker = self._tickers.setdefault(name, TickerTopic(category, listing))
            quote = venue.market.quote(category, topic.symbol, now_ms)
            return [] if quote is None else [ticker.snapshot(quote, *self._trend(category, topic), now_ms)]
        feed = self._feeds.get((category, topic.symbol))
        if feed is None:
            feed = SymbolFeed(venue.market, category, listing, venue.exchange.now_ns)
            self._feeds[category, topic.symbol] = feed
        return feed.want(topic.slot)

    def _trend(self, category: str, topic: Topic) -> tuple[int, int]:
        """Direction of the last trade's price, and the symbol's sequence."""
        market = self._venue.market
        live = market.live(category, topic.symbol) if isinstance(market, TickMarket) else None
        if live is None:
            return 0, self._venue.exchange.now_ms // 100
        return int(live.ticks.ticks.direction), live.ticks.sequence

    def restart_books(self) -> None:
        """Begin every order book anew, as after a restart of the venue's service."""
        self._deliver(*((category, feed.restart()) for (category, _), feed in self._feeds.items()))

    def publish(self) -> None:
        """Send what happened up to the market clock."""
        self._catch_up()
        self.account.publish()

    def _catch_up(self) -> None:
        venue = self._venue
        target = venue.clock.now_ns()
        venue.catch_up()
        self._publish_topics(target // NS_PER_MS)

    def _publish_feeds(self, now_ns: int) -> None:
        """Send what happened, symbols taking turns, so that a step of seconds leaves none far behind the others."""
        turn_ns = max(TURN_NS, (now_ns - self._fed_ns) // MOST_TURNS)
        while self._fed_ns < now_ns and self._feeds:
            self._fed_ns = min(self._fed_ns // turn_ns * turn_ns + turn_ns, now_ns)
            until_ns = self._fed_ns
            self._deliver(
                *((category, feed.advance(until_ns)) for (category, _), feed in self._feeds.items())
            )
        self._fed_ns = max(self._fed_ns, now_ns)

    def _deliver(self, *made: tuple[str, list[Outgoing]]) -> None:
        batches: dict[Connection, list[Outgoing]] = {}
        for category, messages in made:
            self.sent += len(messages)
            for message in messages:
                for connection in self._subscribers.get((category, message.topic), ()):
                    batches.setdefault(connection, []).append(message)
        for connection, batch in batches.items():
            connection.send(batch)

    def _publish_topics(self, now_ms: int) -> None:
        ticks = isinstance(self._venue.market, TickMarket)
        if self._is_time("tickers", now_ms, TICKER_MS if ticks else KLINE_MS):
            self._deliver(*(made for made in map(self._ticker, list(self._tickers)) if made is not None))
        if self._is_time("kline", now_ms, KLINE_MS):
            self._deliver(*(made for made in map(self._kline, list(self._klines)) if made is not None))

    def _is_time(self, what: str, now_ms: int, every_ms: int) -> bool:
        due = now_ms // every_ms > self._told_ms[what] // every_ms
        if due:
            self._told_ms[what] = now_ms
        return due

    def _ticker(self, name: Name) -> tuple[str, list[Outgoing]] | None:
        topic, now_ms = self._topics[name], self._told_ms["tickers"]
        quote = self._venue.market.quote(name[0], topic.symbol, now_ms)
        if quote is None:
            return None
        message = self._tickers[name].change(quote, *self._trend(name[0], topic), now_ms)
        return None if message is None else (name[0], [message])

    def _kline(self, name: Name) -> tuple[str, list[Outgoing]] | None:
        message = self._klines[name].change(self._told_ms["kline"])
        return None if message is None else (name[0], [message])

    async def run(self) -> None:
        """Publish every ten milliseconds while anybody listens, and keep a tick market from falling far behind."""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            if self._connections or isinstance(self._venue.market, TickMarket):
                await self.settle()
                self._cut_silent(started)
            pause = PUMP_S if self._connections else IDLE_PUMP_S
            await asyncio.sleep(max(0.001, started + pause - loop.time()))

    async def settle(self) -> None:
        """Go the whole way to the market clock, giving way to others after every step of a long one."""
        venue = self._venue
        target = venue.clock.now_ns()
        while venue.exchange.now_ns < target and isinstance(venue.market, TickMarket):
            venue.step(target)
            await asyncio.sleep(0)
        self.publish()

    def _cut_silent(self, now: float) -> None:
        if now - self._checked < 1.0:
            return
        self._checked = now
        for connection, silent_s in list(self._connections.items()):
            if now - connection.last_active > silent_s:
                connection.close()

    def close_all(self) -> None:
        """End every connection, as when the venue goes down."""
        for connection in self.connections:
            connection.close()
