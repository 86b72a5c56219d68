"""The executor's side of the streams: built from settings, asked by the loop, told by nobody but them.

The streams live in a thread of their own; the loop reads tickers, takes private events from a queue, and is woken by
them. Alerts of the recorder wait in a queue too, because the journal belongs to the loop. What does not belong here:
sockets, market state, what events mean.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

import numpy as np

from hean_live.app.alarms import Alarms
from hean_live.app.regime_model import LoadedRegimes, RegimeFollower, params_of
from hean_live.market.clock import WallClock
from hean_live.market.service import MarketStreams, StreamRules, follow_clock, tick_sizes_of
from hean_live.market.ticker_board import StreamTickers
from hean_live.market.ticker_stream import TickerStream
from hean_live.recorder.recorder import Alert, Recorder, RecorderRules
from hean_live.settings import LiveSettings
from hean_live.venues.protocol import Venue
from hean_live.venues.public import PublicMarket
from hean_live.venues.streams.addresses import PRIVATE, PUBLIC, TRADE, stream_address
from hean_live.venues.streams.private import PrivateStream
from hean_live.venues.streams.private_events import PrivateEvent
from hean_live.venues.streams.socket_orders import SocketOrders
from hean_live.venues.streams.thread import StreamThread
from hean_live.venues.streams.topics import Silence
from hean_live.venues.streams.trade import TradeSocket
from models.execution.sight import MarketSight

MARKET_STREAM = "MARKET_STREAM"
PRIVATE_STREAM = "PRIVATE_STREAM"
TAPE_NAME = "tape"
T = TypeVar("T")


def stream_rules(settings: LiveSettings) -> StreamRules:
    """Translate settings into the rules of public streams."""
    return StreamRules(
        depth=settings.stream_depth,
        silence=Silence(settings.stream_book_silence_s, settings.stream_ticker_silence_s),
        mute_after_s=settings.stream_mute_s,
        doubt_s=settings.stream_doubt_s,
        open_interest_s=settings.open_interest_poll_s,
        fresh_s=settings.stream_fresh_s,
    )


def make_recorder(settings: LiveSettings, alert: Alert) -> Recorder:
    """Return the recorder of these settings, not started."""
    rules = RecorderRules(
        rotate_s=settings.recorder_rotate_s,
        rotate_bytes=settings.recorder_rotate_mb << 20,
        keep_bytes=int(settings.recorder_keep_gb * (1 << 30)),
        least_free_bytes=int(settings.recorder_free_gb * (1 << 30)),
    )
    return Recorder(settings.home / TAPE_NAME, settings.symbols, rules, alert)


def make_market(
    settings: LiveSettings,
    thread: StreamThread,
    recorder: Recorder | None,
    params: Sequence[np.record] | None = None,
) -> MarketStreams:
    """Return the public streams of these settings, not started; asks the venue for price steps, and for its time if need be.

    `params` are those of each symbol's features, by default its own on this market, without a model of regimes.

    Raises
    ------
    HeanError
        When the venue cannot be asked, or does not list a symbol.

    """
    rest = PublicMarket(settings.data_from, timeout_s=settings.timeout_s)
    clock = follow_clock(rest, settings.symbols[0]) if settings.market_clock == "venue" else WallClock()
    if recorder is not None:
        recorder.clock_ns = clock.now_ns
    if params is None:
        params = params_of(None, settings.symbols, 0, testnet=settings.data_is_testnet)
    return MarketStreams(
        stream_address(settings.data_from, PUBLIC),
        rest,
        tick_sizes_of(rest, settings.symbols),
        stream_rules(settings),
        thread,
        recorder=recorder,
        params=params,
        clock=clock,
    )


class Streams:
    """All streams of an executor.

    Parameters
    ----------
    settings : LiveSettings
    params : sequence of record of PARAMS, optional
        Of each symbol's features.

    Raises
    ------
    HeanError
        When the venue cannot be asked for its symbols, or another process records.

    """

    def __init__(self, settings: LiveSettings, params: Sequence[np.record] | None = None) -> None:
        self._alerts: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[PrivateEvent] = queue.SimpleQueue()
        self._running: list[Future[None]] = []
        self._settings = settings
        self.wake: Callable[[], None] = lambda: None
        self.thread = StreamThread()
        self.recorder = make_recorder(settings, self._alert) if settings.record else None
        self.market = make_market(settings, self.thread, self.recorder, params)
        self.quotes = self.market if settings.data_from == settings.orders_at else self._order_quotes()
        self._regimes = RegimeFollower(self.market.symbols, self.market.hub.markets.state)
        self.private = self._private() if settings.has_key else None
        self._trade = self._trade_socket() if settings.has_key and settings.order_entry == "socket" else None

    def start(self) -> None:
        """Connect everything; returns at once."""
        if self.recorder is not None:
            self.recorder.start()
        self.thread.start()
        self.market.start()
        if isinstance(self.quotes, TickerStream):
            self.quotes.start()
        for stream in (self.private, self._trade):
            if stream is not None:
                self._running.append(self.thread.run(stream.run()))

    def close(self) -> None:
        """Disconnect everything and close the recording."""
        for running in self._running:
            running.cancel()
        self.market.close()
        if isinstance(self.quotes, TickerStream):
            self.quotes.close()
        self.thread.stop()
        if self.recorder is not None:
            self.recorder.close()

    def follow_regimes(self, loaded: LoadedRegimes | None) -> None:
        """Have the market records filter with the regime models in use now (M4); the streams' own thread does it."""
        self.thread.call(self._regimes.follow, loaded, self.market.clock.now_ns())

    def drain(self) -> list[PrivateEvent]:
        """Return the private events that have come since the last call, in their order."""
        return _drained(self._events)

    def problems(self) -> dict[str, str]:
        """Return why no entry may be made, by code: a stream that is down or stale."""
        found = {}
        stale = {**self.market.tickers().stale, **self.quotes.tickers().stale}
        if stale:
            found[MARKET_STREAM] = "; ".join(f"{symbol}: {words}" for symbol, words in sorted(stale.items()))
        if self.private is not None and not self.private.is_ready:
            found[PRIVATE_STREAM] = "the account's stream is not connected"
        return found

    def report(self, alarms: Alarms) -> None:
        """Tell the alarms what has begun and what is over."""
        for code, words in _drained(self._alerts):
            if words:
                alarms.raised(code, words)
            else:
                alarms.cleared(code)
        stale = self.problems().get(MARKET_STREAM)
        if stale:
            alarms.raised(MARKET_STREAM, stale)
        else:
            alarms.cleared(MARKET_STREAM)
        troubled = self.market.problems()
        for symbol in self.market.symbols:
            if symbol in troubled:
                alarms.raised(f"MARKET_STATE {symbol}", troubled[symbol])
            else:
                alarms.cleared(f"MARKET_STATE {symbol}")

    def opened(self) -> dict[str, int]:
        """Return how often each stream has been opened, by its name."""
        found = {"market": self.market.stream.connection.counts.opened}
        if isinstance(self.quotes, TickerStream):
            found["quotes"] = self.quotes.stream.connection.counts.opened
        if self.private is not None:
            found["private"] = self.private.connection.counts.opened
        if self._trade is not None:
            found["trade"] = self._trade.connection.counts.opened
        return found

    def ages_s(self) -> dict[str, float]:
        """Return how old the last message of each symbol is, seconds, as ``stream SYMBOL``; absent before the first."""
        now_ns = self.market.clock.now_ns()
        received = zip(self.market.symbols, self.market.hub.received_ns, strict=True)
        return {f"stream {symbol}": (now_ns - at_ns) / 1e9 for symbol, at_ns in received if at_ns}

    def cascades(self) -> dict[str, int]:
        """Return how many cascades each symbol's market state has detected."""
        detected = self.market.hub.markets.state["market"]["internal"]["cascade"]["detected"].tolist()
        return dict(zip(self.market.symbols, detected, strict=True))

    def orders_through(self, venue: Venue) -> Venue:
        """Return the venue with orders over the trade socket where that is configured."""
        if self._trade is None:
            return venue
        return SocketOrders(venue, self._trade, self.thread, timeout_s=self._settings.timeout_s)

    def data_tickers(self) -> StreamTickers:
        """Return the market-data venue's tickers."""
        return self.market.tickers()

    def sights(self, market_ns: int) -> dict[str, MarketSight]:
        """Return what is seen of the market-data venue's markets beyond their tickers, as of a market time."""
        return self.market.sights(market_ns)

    def order_tickers(self) -> StreamTickers:
        """Return the order venue's tickers."""
        return self.quotes.tickers()

    def _take(self, event: PrivateEvent) -> None:
        self._events.put(event)
        self.wake()

    def _alert(self, code: str, words: str) -> None:
        self._alerts.put((code, words))

    def _order_quotes(self) -> TickerStream:
        rules = stream_rules(self._settings)
        return TickerStream(
            stream_address(self._settings.orders_at, PUBLIC),
            self._settings.symbols,
            rules.silence,
            self.thread,
            mute_after_s=rules.mute_after_s,
            fresh_s=rules.fresh_s,
            clock=self.market.clock,
        )

    def _private(self) -> PrivateStream:
        key, secret = self._key()
        url = stream_address(self._settings.orders_at, PRIVATE)
        return PrivateStream(
            url,
            key,
            secret,
            self._take,
            mute_after_s=self._settings.stream_mute_s,
            clock_ns=self.market.clock.now_ns,
        )

    def _trade_socket(self) -> TradeSocket:
        key, secret = self._key()
        return TradeSocket(
            stream_address(self._settings.orders_at, TRADE),
            key,
            secret,
            timeout_s=self._settings.timeout_s,
            recv_window_ms=self._settings.recv_window_ms,
            mute_after_s=self._settings.stream_mute_s,
        )

    def _key(self) -> tuple[str, str]:
        return self._settings.api_key.get_secret_value(), self._settings.api_secret.get_secret_value()


def _drained(waiting: queue.SimpleQueue[T]) -> list[T]:
    found: list[T] = []
    while True:
        try:
            found.append(waiting.get_nowait())
        except queue.Empty:
            return found
