"""The last 24 hours of a live symbol for its ticker: closed minutes once a minute, the open one at every look.

Here belongs that sum. Which minutes there are is the market's.
"""

from __future__ import annotations

from decimal import Decimal

from hean_live.local_testnet.markets.live import LiveSymbol
from models.simulation.bars import Bars
from models.simulation.quotes import Level, Quote


class DayStatistics:
    """Extremes and sums over the closed minutes of a day, and what else changes only with the minute.

    Attributes
    ----------
    minute : int
        The open minute they were taken in; -1 before the first time.
    rate : float or None
        Running funding rate.
    next_funding_ms : int or None

    """

    def __init__(self) -> None:
        self.minute = -1
        self.rate: float | None = None
        self.next_funding_ms: int | None = None
        self._opened: float | None = None
        self._hour: float | None = None
        self._high = float("-inf")
        self._low = float("inf")
        self._volume = self._turnover = 0.0

    def take(self, minute: int, closed: Bars) -> None:
        """Take the closed minutes of the day before the open one."""
        self.minute = minute
        if not len(closed):
            return
        self._opened = float(closed.open[0])
        self._hour = float(closed.open[max(0, len(closed) - 60)])
        self._high, self._low = float(closed.high.max()), float(closed.low.min())
        self._volume = 0.0 if closed.volume is None else float(closed.volume.sum())
        self._turnover = 0.0 if closed.turnover is None else float(closed.turnover.sum())

    def quote(
        self, found: LiveSymbol, opened: Bars, bid: Level | None, ask: Level | None, interval_h: int | None
    ) -> Quote | None:
        """State of the symbol with its open minute; None before its first price."""
        ticks = found.ticks.ticks
        last = found.price(float(ticks.last))
        if last is None:
            return None
        highs, lows = [float(last), self._high], [float(last), self._low]
        volume, turnover = self._volume, self._turnover
        if len(opened):
            highs.append(float(opened.high[-1]))
            lows.append(float(opened.low[-1]))
            volume += 0.0 if opened.volume is None else float(opened.volume[-1])
            turnover += 0.0 if opened.turnover is None else float(opened.turnover[-1])
        return Quote(
            last=last,
            bid=bid,
            ask=ask,
            mark=found.index_price(float(ticks.mark)),
            index=found.index_price(float(ticks.index)),
            previous_24h=self._price(found, self._opened, last),
            previous_1h=self._price(found, self._hour, last),
            high_24h=self._price(found, max(highs), last),
            low_24h=self._price(found, min(lows), last),
            volume_24h=volume,
            turnover_24h=turnover,
            open_interest=None if ticks.open_interest != ticks.open_interest else float(ticks.open_interest),
            funding_rate=None if self.rate is None else Decimal(repr(self.rate)),
            next_funding_ms=self.next_funding_ms,
            interval_h=interval_h,
        )

    @staticmethod
    def _price(found: LiveSymbol, value: float | None, instead: Decimal) -> Decimal:
        price = None if value is None else found.price(value)
        return instead if price is None else price
