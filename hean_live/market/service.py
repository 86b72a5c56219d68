"""Everything about public streams in one object: thread, socket, market state, healing, timers, tape.

The streams' thread owns sockets and market state. What crosses to other threads: immutable values (`tickers`,
`sights`, `problems`, counters) that are replaced, never changed; calls into the loop; the recorder's lock. A strategy that must
be fast steps in the streams' thread by `on_tick`. What does not belong here: the account (`private.py`), the loop of
the executor.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np

from hean_live.market.clock import SILENT_S, Answer, Clock, MarketClock, WallClock
from hean_live.market.hub import MarketHub
from hean_live.market.markets import Markets, OnTick
from hean_live.market.sights import SightBoard, at_market_time
from hean_live.market.synthetic import MOST_TRADES, open_interest_message
from hean_live.market.ticker_board import StreamTickers, fresh_tickers
from hean_live.recorder.recorder import Recorder
from hean_live.venues.public import PublicMarket
from hean_live.venues.streams.public import PublicStream
from hean_live.venues.streams.thread import StreamThread
from hean_live.venues.streams.topics import Silence, market_topics
from models.errors import DataError, HeanError
from models.execution.sight import MarketSight
from models.market.bybit_v5 import envelope_time_ns, optional_text, rows_of

log = logging.getLogger(__name__)

NS_PER_MS: Final = 1_000_000
NS_PER_DAY: Final = 86_400_000_000_000
_TICK_LATE_S: Final = 0.002  # a message stamped before the tick may still be under way in the loop
_TURN_S: Final = 0.05
_LOOK_S: Final = 1.0
_LEAST_POLL_S: Final = 0.5
_BETWEEN_S: Final = 0.5  # of two answers, to see how fast the venue's clock goes


@dataclass(frozen=True)
class StreamRules:
    """How public streams behave; see the settings of the same names."""

    depth: int = 50
    silence: Silence = field(default_factory=Silence)
    mute_after_s: float = 40.0
    doubt_s: float = 600.0
    open_interest_s: float = 60.0
    fresh_s: float = 10.0


class MarketStreams:
    """Public streams of some symbols.

    Parameters
    ----------
    url : str
        Of the public socket.
    rest : PublicMarket
        Of the same venue, used by one thread of this object only.
    tick_sizes : mapping of str to float
        Price step by symbol; its keys are the symbols.
    rules : StreamRules
    thread : StreamThread
        Running.
    recorder : Recorder, optional
        Started by its owner.
    on_tick : callable, optional
        Called in the streams' thread after each tick of a symbol.
    params : sequence of record of PARAMS, optional
        Of each symbol's features.
    clock : Clock, optional
        What messages and ticks are stamped by; the wall's by default.

    """

    def __init__(
        self,
        url: str,
        rest: PublicMarket,
        tick_sizes: Mapping[str, float],
        rules: StreamRules,
        thread: StreamThread,
        *,
        recorder: Recorder | None = None,
        on_tick: OnTick | None = None,
        params: Sequence[np.record] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.symbols = tuple(tick_sizes)
        self.clock = clock or WallClock()
        self._rules = rules
        self._rest = rest
        self._thread = thread
        self._rest_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream-rest")
        markets = Markets(self.symbols, list(tick_sizes.values()), params)
        self._sights = SightBoard(markets)
        markets.on_tick = self._sights.take if on_tick is None else _both(self._sights.take, on_tick)
        self.hub = MarketHub(
            markets, rules.depth, self._fetch_trades, tape=recorder, doubt_s=rules.doubt_s, clock=self.clock
        )
        topics = market_topics(self.symbols, rules.depth, rules.silence)
        self.stream = PublicStream(
            url, topics, self.hub, mute_after_s=rules.mute_after_s, clock_ns=self.clock.now_ns
        )
        self.hub.resubscribe = self.stream.resubscribe
        self._recorder = recorder
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Connect; returns at once."""
        self._running = self._thread.run(self._run())

    def close(self) -> None:
        """Disconnect and wait until that is done."""
        if self._running is not None:
            self._running.cancel()
            self._running = None
        self._rest_worker.shutdown(wait=True, cancel_futures=True)

    def tickers(self) -> StreamTickers:
        """Return the tickers heard lately; from any thread."""
        return fresh_tickers(self.hub.board, self.symbols, self._rules.fresh_s, self.clock.now_ns())

    def sights(self, market_ns: int) -> dict[str, MarketSight]:
        """Return what is seen of each market beyond its ticker, as of a market time; from any thread."""
        return at_market_time(self._sights.rows(), market_ns, self.clock.now_ns)

    def problems(self) -> dict[str, str]:
        """Return by symbol why its market state may not be traded on; from any thread."""
        found = {name: self.hub.problem(place) for place, name in enumerate(self.symbols)}
        return {name: words for name, words in found.items() if words}

    def counters(self) -> dict[str, int]:
        """Return every counter by name, for metrics and logs; from any thread."""
        groups: dict[str, object] = {
            "connection": self.stream.connection.counts,
            "subscription": self.stream.counts,
            "market": self.hub.markets.counts,
            "hub": self.hub.counts,
            "ticker": self.hub.board.counts,
        }
        if self._recorder is not None:
            groups["recorder"] = self._recorder.counts
        return {
            f"{group}_{name}": int(value)
            for group, counts in groups.items()
            for name, value in asdict(counts).items()  # type: ignore[call-overload]
        }

    # --- in the streams' thread

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.stream.run())
            group.create_task(self._keep_ticking())
            group.create_task(self._look())
            if self._rules.open_interest_s > 0:
                group.create_task(self._poll_open_interest())
            if self._recorder is not None:
                group.create_task(self._begin_days())

    async def _keep_ticking(self) -> None:
        """Take ticks when no message does.

        Where the market is faster than the wall, messages come in bunches of many ticks' time, and bring their ticks about
        themselves: there the timer is for a silent venue only.
        """
        markets, step_s = self.hub.markets, self.hub.markets.step_ns / 1e9
        while True:
            now_ns, speed = self.clock.now_ns(), self.clock.speed
            # A venue that is late is waited for as long as its clock is believed to run.
            late_s, least_s = (SILENT_S, _TURN_S) if speed > 1.0 else (_TICK_LATE_S, 0.001)
            if markets.next_tick_ns:
                markets.take_ticks(now_ns - int(late_s * speed * 1e9))
            wait_s = (markets.next_tick_ns - now_ns) / 1e9 + late_s if markets.next_tick_ns else step_s
            await asyncio.sleep(min(max(wait_s, least_s), step_s))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self.hub.look_at_books()

    async def _begin_days(self) -> None:
        """Ask for snapshots at midnight, so that each day of tape can be read by itself."""
        prefixes = ("orderbook.", "tickers.")
        topics = [t for t in self.stream.silent_s() if t.startswith(prefixes)]
        while True:
            day = self.clock.now_ns() // NS_PER_DAY
            while (now_ns := self.clock.now_ns()) // NS_PER_DAY == day:
                left_s = (NS_PER_DAY - now_ns % NS_PER_DAY) / 1e9 / max(self.clock.speed, 1.0)
                await asyncio.sleep(left_s + _TICK_LATE_S)
            self.stream.resubscribe(topics, "a new day begins")

    async def _poll_open_interest(self) -> None:
        while True:
            await asyncio.sleep(self._open_interest_pause_s())
            try:
                result, at_ms = await self._ask("/v5/market/tickers", {"category": "linear"})
                rows = {optional_text(row, "symbol"): row for row in rows_of(result, "tickers")}
            except HeanError as error:
                log.warning("open interest could not be polled: %s", error)
                continue
            for symbol in self.symbols:
                value = optional_text(rows.get(symbol, {}), "openInterest")
                if value and self.stream.connection.is_open:
                    message = open_interest_message(symbol, at_ms, value)
                    self.hub.take_own(message, self.clock.receive_ns(message, self.clock.now_ns()))

    def _open_interest_pause_s(self) -> float:
        every_s = self._rules.open_interest_s
        return max(every_s / max(self.clock.speed, 1.0), min(every_s, _LEAST_POLL_S))

    async def _fetch_trades(self, symbol: str) -> tuple[object, int]:
        params = {"category": "linear", "symbol": symbol, "limit": MOST_TRADES}
        return await self._ask("/v5/market/recent-trade", params)

    async def _ask(self, path: str, params: Mapping[str, object]) -> tuple[object, int]:
        loop = asyncio.get_running_loop()
        result, answer = await loop.run_in_executor(self._rest_worker, _timed, self._rest, path, params)
        self.clock.answered(answer)
        return result, answer.venue_ns // NS_PER_MS


def follow_clock(rest: PublicMarket, symbol: str) -> MarketClock:
    """Return a clock that follows the venue's, having asked it for its time twice.

    Raises
    ------
    HeanError
        When the venue cannot be asked.

    """
    params = {"category": "linear", "symbol": symbol}
    _timed(rest, "/v5/market/tickers", params)  # the first request makes the connection
    _, first = _timed(rest, "/v5/market/tickers", params)
    time.sleep(_BETWEEN_S)
    _, second = _timed(rest, "/v5/market/tickers", params)
    return MarketClock(first, second)


def _timed(rest: PublicMarket, path: str, params: Mapping[str, object]) -> tuple[object, Answer]:
    """Return the result of a reply and when it was stamped, asked for and read."""
    sent_ns = time.monotonic_ns()
    envelope = rest.envelope(path, params)
    got_ns = time.monotonic_ns()
    if "result" not in envelope:
        raise DataError(f"{path}: expected a result, was none")
    return envelope["result"], Answer(envelope_time_ns(envelope), sent_ns, got_ns)


def _both(first: OnTick, second: OnTick) -> OnTick:
    def take(places: Sequence[int], at_ns: int) -> None:
        first(places, at_ns)
        second(places, at_ns)

    return take


def tick_sizes_of(rest: PublicMarket, symbols: Sequence[str]) -> dict[str, float]:
    """Return the price step of each symbol; raises DataError naming those the venue does not list."""
    found = rest.instruments(tuple(symbols))
    missing = [symbol for symbol in symbols if symbol not in found]
    if missing:
        raise DataError(
            f"streams: expected symbols the venue lists, was {', '.join(missing)}",
            remedy="correct `symbols`, or where market data come from",
        )
    return {symbol: float(found[symbol].tick_size) for symbol in symbols}
