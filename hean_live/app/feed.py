"""The public side of the loop: tickers and market time at every poll, the clock's offset now and then.

Tickers come from the streams while they are fresh, and are asked for by REST otherwise, and now and then in any case:
the streams know the configured symbols only. Without streams every poll asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from hean_live.app.alarms import Alarms
from hean_live.app.snapshot import Quote
from hean_live.venues.public import PublicMarket, TickerPage
from models.errors import HeanError
from models.market.bybit_v5_market import Ticker

if TYPE_CHECKING:  # without streams nothing of them is loaded
    from hean_live.app.streams import Streams
    from hean_live.market.ticker_board import StreamTickers

_REST_EVERY_S = 30.0  # while the streams are fresh
_OFFSET_GOOD_FOR = 5.0  # intervals after which a measured offset is forgotten


class Feed:
    """Tickers of the market-data venue and of the order venue; one request where they are the same.

    Parameters
    ----------
    data, orders : PublicMarket
        May be the same object.
    alarms : Alarms
    clock_check_s : float
        Wall seconds between measurements of the clock's offset to the order venue.
    streams : Streams, optional
    monotonic : callable
        Seconds that only grow.

    """

    def __init__(
        self,
        data: PublicMarket,
        orders: PublicMarket,
        alarms: Alarms,
        *,
        clock_check_s: float,
        streams: Streams | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._streams = streams
        self._pages: dict[str, tuple[float, TickerPage]] = {}
        self._data = data
        self._orders = orders
        self._alarms = alarms
        self._clock_check_s = clock_check_s
        self._monotonic = monotonic
        self._offset_at = -1e9
        self._offset_due = 0.0
        self._offset_ms: float | None = None
        self.now_ns = 0
        self.read_at = monotonic()  # when market data last came, seconds of `monotonic`
        self.tickers: Mapping[str, Ticker] = {}
        self.tickers_at_ns = 0
        self.quotes: dict[str, Quote] = {}

    def poll(self) -> bool:
        """Read tickers; returns False if no venue told the time.

        Market time is the market-data venue's while it answers, the order venue's otherwise: positions have
        to be left in time even when the data are gone.
        """
        streams = self._streams
        page = self._page(self._data, "MARKET_DATA", streams.data_tickers() if streams else None)
        if page is not None:
            self.now_ns = max(self.now_ns, page.market_ns)
            self.tickers, self.tickers_at_ns = page.tickers, page.market_ns
            self.read_at = self._monotonic()
        other = page
        if self._orders is not self._data:
            other = self._page(self._orders, "ORDER_QUOTES", streams.order_tickers() if streams else None)
        if other is None:
            return page is not None
        if page is None:
            self.now_ns = max(self.now_ns, other.market_ns)
        # Both venues' times are the world's; the quote's age is measured from when it was read.
        self.quotes = {symbol: q for symbol, t in other.tickers.items() if (q := _quote(t, self.now_ns))}
        return True

    @property
    def clock_offset_ms(self) -> float | None:
        """Local clock minus the order venue's, measured lately; None if that has not succeeded."""
        now = self._monotonic()
        if now >= self._offset_due:
            self._offset_due = now + self._clock_check_s
            self._measure(now)
        fresh = now - self._offset_at <= self._clock_check_s * _OFFSET_GOOD_FOR
        return self._offset_ms if fresh else None

    def _measure(self, now: float) -> None:
        try:
            self._offset_ms = self._orders.clock_offset_ms()
            self._offset_at = now
        except HeanError as error:
            self._alarms.raised("CLOCK", str(error))
        else:
            self._alarms.cleared("CLOCK")

    def _page(self, market: PublicMarket, code: str, streamed: StreamTickers | None) -> TickerPage | None:
        """Return tickers of the stream over those last read by REST, or read by REST alone."""
        if streamed is None or streamed.stale:
            page = self._read(market, code)
            if page is not None:
                self._pages[code] = (self._monotonic(), page)
            return page
        now = self._monotonic()
        read_at, page = self._pages.get(code, (-1e9, None))
        if now - read_at >= _REST_EVERY_S:
            page = self._read(market, code) or page
            if page is not None:
                self._pages[code] = (now, page)
        older = page.tickers if page is not None else {}
        return TickerPage(max(streamed.at_ns, self.now_ns), {**older, **streamed.tickers})

    def _read(self, market: PublicMarket, code: str) -> TickerPage | None:
        try:
            page = market.tickers()
        except HeanError as error:
            self._alarms.raised(code, str(error))
            return None
        self._alarms.cleared(code)
        return page


def _quote(ticker: Ticker, at_ns: int) -> Quote | None:
    if not ticker.bid1_price or not ticker.ask1_price or not ticker.mark_price:
        return None
    bid, ask, mark = (Decimal(str(p)) for p in (ticker.bid1_price, ticker.ask1_price, ticker.mark_price))
    return Quote(bid, ask, mark, at_ns)
