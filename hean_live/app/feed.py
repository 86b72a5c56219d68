"""The public side of the loop: tickers and market time at every poll, the clock's offset now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal

from hean_live.app.alarms import Alarms
from hean_live.app.snapshot import Quote
from hean_live.venues.public import PublicMarket, TickerPage
from models.errors import HeanError
from models.market.bybit_v5_market import Ticker

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
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data = data
        self._orders = orders
        self._alarms = alarms
        self._clock_check_s = clock_check_s
        self._monotonic = monotonic
        self._offset_at = -1e9
        self._offset_due = 0.0
        self._offset_ms: float | None = None
        self.now_ns = 0
        self.tickers: Mapping[str, Ticker] = {}
        self.tickers_at_ns = 0
        self.quotes: dict[str, Quote] = {}

    def poll(self) -> bool:
        """Read tickers; returns False if no venue told the time.

        Market time is the market-data venue's while it answers, the order venue's otherwise: positions have
        to be left in time even when the data are gone.
        """
        page = self._read(self._data, "MARKET_DATA")
        if page is not None:
            self.now_ns = max(self.now_ns, page.market_ns)
            self.tickers, self.tickers_at_ns = page.tickers, page.market_ns
        other = page if self._orders is self._data else self._read(self._orders, "ORDER_QUOTES")
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
