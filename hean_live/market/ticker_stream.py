"""Tickers alone from a public socket: the quotes of the order venue where market data come from elsewhere.

What does not belong here: books, trades, features (`service.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from hean_live.market.clock import Clock, WallClock
from hean_live.market.ticker_board import StreamTickers, TickerBoard, fresh_tickers
from hean_live.venues.streams.public import PublicStream
from hean_live.venues.streams.thread import StreamThread
from hean_live.venues.streams.topics import Silence, ticker_topics


class TickerStream:
    """Keeps the tickers of some symbols.

    Parameters
    ----------
    url : str
        Of the public socket.
    symbols : sequence of str
    silence : Silence
    mute_after_s, fresh_s : float
        After which a socket without a word is given up; at which age a ticker counts as stale.
    thread : StreamThread
        Running.
    clock : Clock, optional
        The wall's by default.

    """

    def __init__(
        self,
        url: str,
        symbols: Sequence[str],
        silence: Silence,
        thread: StreamThread,
        *,
        mute_after_s: float,
        fresh_s: float,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or WallClock()
        self._symbols = tuple(symbols)
        self._fresh_s = fresh_s
        self._thread = thread
        self._board = TickerBoard()
        self.stream = PublicStream(
            url,
            ticker_topics(symbols, silence),
            self,
            mute_after_s=mute_after_s,
            clock_ns=self._clock.now_ns,
        )
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Connect; returns at once."""
        self._running = self._thread.run(self.stream.run())

    def close(self) -> None:
        """Disconnect."""
        if self._running is not None:
            self._running.cancel()

    def tickers(self) -> StreamTickers:
        """Return the tickers heard lately; from any thread."""
        return fresh_tickers(self._board, self._symbols, self._fresh_s, self._clock.now_ns())

    # --- the public stream's sink

    def on_open(self, opened_ns: int) -> None:
        """Do nothing: snapshots come by themselves."""

    def on_data(self, topic: str, payload: bytes, received_ns: int) -> None:
        """Take a ticker."""
        self._board.take(payload, received_ns)

    def on_unreadable(self, payload: bytes, received_ns: int) -> None:
        """Count it; a lost delta is made good by a later one or by its staleness."""
        self._board.counts.malformed += 1

    def on_close(self, reason: str, closed_ns: int) -> None:
        """Wait for snapshots."""
        self._board.lose()
