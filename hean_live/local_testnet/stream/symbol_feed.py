"""The feed of one symbol: its events, whether the market has ticks or not, and the messages about them.

Here belongs bringing a compiled feed along with its symbol. What is pushed when is `models.simulation.ticks.feed`'s.
"""

from __future__ import annotations

from hean_live.local_testnet.markets.base import Market, TickMarket
from hean_live.local_testnet.stream.frames import Outgoing
from hean_live.local_testnet.stream.quotes import CADENCE_MS, QuoteSource
from hean_live.local_testnet.trade_ids import salt_of
from models.simulation.listing import Listing
from models.simulation.ticks.feed import Feed, Message
from models.simulation.ticks.feed_record import DEPTHS, PUSH_MS
from models.simulation.ticks.symbol import TickSymbol

NS_PER_MS = 1_000_000


class SymbolFeed:
    """Messages of one symbol.

    Parameters
    ----------
    market : Market
    category : str
    listing : Listing
    now_ns : int
        Market time it begins at.

    """

    def __init__(self, market: Market, category: str, listing: Listing, now_ns: int) -> None:
        live = market.live(category, listing.symbol) if isinstance(market, TickMarket) else None
        if live is None:
            source = QuoteSource(market, category, listing.symbol, now_ns // NS_PER_MS)
            # The source's first book carries the full second before now.
            begin_ns = now_ns // (CADENCE_MS * NS_PER_MS) * CADENCE_MS * NS_PER_MS - 1
            self._ticks = TickSymbol(source, float(listing.tick_size), begin_ns)
            self._ticks.advance(now_ns)
        else:
            self._ticks = live.ticks
        self._follows = live is None
        self._names = [f"orderbook.{depth}.{listing.symbol}" for depth in DEPTHS]
        self._names += [f"publicTrade.{listing.symbol}", f"allLiquidation.{listing.symbol}"]
        self._feed = Feed(
            listing.symbol,
            salt=salt_of(category, listing.symbol),
            price_decimals=listing.price_decimals,
            size_decimals=listing.qty_decimals,
            tick_size=float(listing.tick_size),
            spot=category == "spot",
            numbered=live is None,
        )
        self._at_ns = 0
        self._start()

    def _start(self) -> None:
        ticks = self._ticks
        self._at_ns = ticks.now_ns
        record = ticks.ticks
        self._feed.start(
            ticks.book, ticks.sequence, int(record.trades), float(record.last), int(record.direction)
        )

    def want(self, slot: int) -> list[Outgoing]:
        """Begin to push a topic, unless that was begun; returns the snapshot a new subscriber needs."""
        if slot >= len(DEPTHS):
            self._feed.want(slot, self._at_ns, 0)
            return []
        self._feed.want(slot, self._at_ns, self._at_ns // NS_PER_MS // PUSH_MS[slot])
        return [self._outgoing(self._feed.snapshot(slot, self._at_ns))]

    def unwant(self, slot: int) -> bool:
        """Push a topic no more; returns whether any other is still wanted."""
        self._feed.unwant(slot)
        return self._feed.wanted

    def restart(self) -> list[Outgoing]:
        """Begin the books anew with ``u`` 1."""
        return [self._outgoing(message) for message in self._feed.restart(self._at_ns)]

    def advance(self, now_ns: int) -> list[Outgoing]:
        """Return the messages due up to a market time.

        Where the symbol no longer remembers what happened since the last call, trades are lost and the books begin anew.
        """
        if self._follows:
            self._ticks.advance(now_ns)
        now_ns = min(now_ns, self._ticks.now_ns)
        if now_ns <= self._at_ns:
            return []
        if self._at_ns < self._ticks.since_ns:
            self._start()
            return self.restart()
        events = self._ticks.events(self._at_ns, now_ns)
        self._at_ns = now_ns
        return [self._outgoing(message) for message in self._feed.advance(events, now_ns)]

    def _outgoing(self, message: Message) -> Outgoing:
        return Outgoing(self._names[message.slot], message.frame, message.payload)
