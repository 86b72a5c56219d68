"""A recording behind the testnet's protocol: it answers from its files, and with nothing where they hold nothing.

What is served is data. What is assumed, because the venue must state something the files do not hold:

* steps of price and quantity, minima and leverage: a table of the venue's published values for the symbols of the
  usual recordings; for others the decimals of the recorded prices and volumes, minimum one step, notional 5 USD,
  leverage 50;
* funding caps: ±2 % an interval for every symbol, generous on purpose (announced caps lie below it);
* the funding interval: the distance of the two settlements around the clock;
* turnover: volume times the mean of the bar's four prices (the recordings carry no turnover);
* for matching only: a book of one level a side, one tick around the last close, and depth of one maximum order;
  prices move when a bar closes. Mark price for margins: the last closed mark bar, else the last close.

Bars are shown once closed: a recording cannot tell what an open bar looked like, so, unlike on the venue, the newest
row is the last closed bar. Bars coarser than the recorded ones are merged from them; where recorded hours exist as
well, they fill what the finer ones lack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from hean_live.local_testnet.markets.base import BarKind, Series
from hean_live.local_testnet.markets.recorded_bars import LENGTHS, closed_bars, merged, window
from hean_live.local_testnet.markets.recorded_files import read_folder
from hean_live.local_testnet.markets.recorded_listing import listing_of, span_of
from models.errors import ConfigError
from models.simulation.bars import DAY_MS, INTERVAL_MINUTES, MINUTE_MS, Bars, no_bars
from models.simulation.listing import Listing
from models.simulation.quotes import Book, Quote, Settlement, Trade
from models.simulation.quotes import Path as TradePath

HOUR_MS = 60 * MINUTE_MS


class RecordedMarket:
    """A folder of recordings served up to a clock.

    Parameters
    ----------
    folder : Path
        Holds ``bybit_*.parquet`` files; see `recorded_files`.
    symbols : sequence of str or None, optional
        Restricts what is served.

    Raises
    ------
    ConfigError
        Not a recording, or none of the symbols is in it.

    """

    def __init__(self, folder: Path, symbols: Sequence[str] | None = None) -> None:
        self._recording = read_folder(folder, symbols)
        names = self._recording.symbols()
        missing = sorted(set(symbols or ()) - set(names))
        if missing:
            raise ConfigError(f"symbols must be in the recording {folder}, was {', '.join(missing)}")
        self._spans = {name: span_of(self._recording, name) for name in names}
        self._listings = {
            category: {
                name: listing_of(self._recording, name, category, self._spans[name][0]) for name in names
            }
            for category in ("linear", "spot")
        }

    @property
    def name(self) -> str:
        """The word the market is asked for by."""
        return "recorded"

    @property
    def first_ms(self) -> int:
        """First recorded instant of any symbol."""
        return min(first for first, _ in self._spans.values())

    @property
    def last_ms(self) -> int:
        """Last instant something is known about: the end of the last bar or the last settlement."""
        return max(last for _, last in self._spans.values())

    def listings(self, category: str) -> Mapping[str, Listing]:
        """Return every recorded symbol; one without spot (or perpetual) bars is listed and has no history there."""
        return self._listings.get(category, {})

    def listing(self, symbol: str) -> Listing | None:
        """Perpetual of that name."""
        return self._listings["linear"].get(symbol)

    def interval_h(self, symbol: str, now_ms: int) -> int:
        """Hours between the settlements around the clock; the regular interval where there are none."""
        times = self._recording.funding.get(symbol, (np.empty(0, dtype=np.int64), np.empty(0)))[0]
        if len(times) < 2:
            return self._listings["linear"][symbol].interval_h
        at = min(max(int(np.searchsorted(times, now_ms, side="right")), 1), len(times) - 1)
        # A hole in the recording is no interval: no symbol settles less than every eight hours.
        return int(min(max(round(int(times[at] - times[at - 1]) / HOUR_MS), 1), 8))

    def bars(
        self, kind: BarKind, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Bars:
        """Return closed bars of a range, newest `limit`; empty where nothing that fine is recorded."""
        found = no_bars(traded=kind.traded)
        for minutes in LENGTHS:
            source = self._recording.bars.get((kind, minutes), {}).get(symbol)
            if source is not None and INTERVAL_MINUTES[interval] % minutes == 0:
                found = merged(
                    found, closed_bars(source, minutes, interval, (start_ms, end_ms, limit, now_ms))
                )
        return found.part(max(0, len(found) - limit), len(found))

    def funding(self, symbol: str, start_ms: int, end_ms: int, limit: int, now_ms: int) -> Series:
        """Return recorded settlements up to the clock."""
        return window(self._recording.funding.get(symbol), start_ms, min(end_ms, now_ms), limit)

    def open_interest(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """Return recorded hourly states at multiples of `step_ms`; empty for finer steps."""
        series = self._recording.open_interest.get(symbol)
        if series is None or step_ms % HOUR_MS:
            return window(None, 0, 0, 0)
        on_grid = series[0] % step_ms == 0
        return window((series[0][on_grid], series[1][on_grid]), start_ms, min(end_ms, now_ms), limit)

    def long_ratio(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """Not recorded."""
        return window(None, 0, 0, 0)

    def quote(self, category: str, symbol: str, now_ms: int) -> Quote | None:
        """State of a symbol from the latest closed bars; the running funding rate is not known."""
        kind = BarKind.SPOT if category == "spot" else BarKind.PERP
        day = self._finest(kind, symbol, now_ms - DAY_MS, now_ms)
        last = self._last_close(kind, symbol, now_ms)
        if last is None or not len(day):
            return None
        listing = self._listings[category][symbol]
        hour_ago = day.open[min(int(np.searchsorted(day.ts_ms, now_ms - HOUR_MS)), len(day) - 1)]
        prices = [round(Decimal(float(value)), listing.price_decimals) for value in (
            last, day.open[0], hour_ago, day.high.max(), day.low.min()
        )]  # fmt: skip
        book = self.depth(category, symbol, now_ms, 1)
        interest = window(self._recording.open_interest.get(symbol), 0, now_ms, 1)[1]
        upcoming = self.next_settlement(symbol, now_ms, now_ms + DAY_MS)
        mark = self._last_close(BarKind.MARK, symbol, now_ms)
        index = self._last_close(BarKind.INDEX, symbol, now_ms)
        return Quote(
            last=prices[0],
            bid=book.bids[0] if book else None,
            ask=book.asks[0] if book else None,
            mark=None if mark is None else round(Decimal(mark), listing.index_decimals),
            index=None if index is None else round(Decimal(index), listing.index_decimals),
            previous_24h=prices[1],
            previous_1h=prices[2],
            high_24h=prices[3],
            low_24h=prices[4],
            volume_24h=0.0 if day.volume is None else float(day.volume.sum()),
            turnover_24h=0.0 if day.turnover is None else float(day.turnover.sum()),
            open_interest=float(interest[-1]) if len(interest) else None,
            funding_rate=None,
            next_funding_ms=upcoming.ts_ms if upcoming else None,
            interval_h=self.interval_h(symbol, now_ms) if symbol in self._recording.funding else None,
        )

    def depth(self, category: str, symbol: str, now_ms: int, levels: int) -> Book | None:
        """One assumed level a side, a tick around the last close."""
        kind = BarKind.SPOT if category == "spot" else BarKind.PERP
        close = self._last_close(kind, symbol, now_ms)
        if close is None:
            return None
        listing = self._listings[category][symbol]
        price = (Decimal(close) / listing.tick_size).to_integral_value() * listing.tick_size
        size = listing.max_order_qty
        tick = listing.tick_size
        return Book(symbol, now_ms, ((price - tick, size),), ((price + tick, size),))

    def trades(self, category: str, symbol: str, limit: int, now_ms: int) -> list[Trade]:
        """Not recorded."""
        return []

    def book(self, symbol: str, at_ms: int) -> Book | None:
        """Book the account's orders are matched against."""
        return self.depth("linear", symbol, at_ms, 1)

    def mark_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Close of the last mark bar, else of the last trade bar."""
        mark = self._last_close(BarKind.MARK, symbol, at_ms)
        close = mark if mark is not None else self._last_close(BarKind.PERP, symbol, at_ms)
        return (
            None if close is None else round(Decimal(close), self._listings["linear"][symbol].index_decimals)
        )

    def last_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Close of the last trade bar."""
        close = self._last_close(BarKind.PERP, symbol, at_ms)
        return (
            None if close is None else round(Decimal(close), self._listings["linear"][symbol].price_decimals)
        )

    def path(self, symbol: str, after_ms: int, until_ms: int) -> TradePath:
        """One point per closed bar: what the bar saw is known at its close."""
        minutes, source = self._finest_source(BarKind.PERP, symbol)
        first = int(np.searchsorted(source.ts_ms, after_ms - minutes * MINUTE_MS, side="right"))
        last = int(np.searchsorted(source.ts_ms, until_ms - minutes * MINUTE_MS, side="right"))
        seen = slice(first, max(first, last))
        ends = source.ts_ms[seen] + minutes * MINUTE_MS
        marks = np.array([float(self.mark_price(symbol, int(end)) or 0) for end in ends])
        return TradePath(ends, source.low[seen], source.high[seen], marks)

    def next_settlement(self, symbol: str, after_ms: int, until_ms: int) -> Settlement | None:
        """First recorded settlement after an instant."""
        series = self._recording.funding.get(symbol)
        if series is None:
            return None
        at = int(np.searchsorted(series[0], after_ms, side="right"))
        if at == len(series[0]) or series[0][at] > until_ms:
            return None
        return Settlement(int(series[0][at]), Decimal(repr(float(series[1][at]))))

    def _finest_source(self, kind: BarKind, symbol: str) -> tuple[int, Bars]:
        for minutes in LENGTHS:
            source = self._recording.bars.get((kind, minutes), {}).get(symbol)
            if source is not None:
                return minutes, source
        return LENGTHS[0], no_bars(traded=kind.traded)

    def _finest(self, kind: BarKind, symbol: str, start_ms: int, now_ms: int) -> Bars:
        """Return closed bars of the finest recording that has any in the range."""
        for minutes in LENGTHS:
            source = self._recording.bars.get((kind, minutes), {}).get(symbol)
            if source is None:
                continue
            first = int(np.searchsorted(source.ts_ms, start_ms, side="left"))
            last = int(np.searchsorted(source.ts_ms, now_ms - minutes * MINUTE_MS, side="right"))
            if last > first:
                return source.part(first, last)
        return no_bars(traded=kind.traded)

    def _last_close(self, kind: BarKind, symbol: str, now_ms: int) -> float | None:
        """Close of the newest closed bar of any length; None where the last one ended more than a day ago."""
        newest_end, close = now_ms - DAY_MS, None
        for minutes in LENGTHS:
            source = self._recording.bars.get((kind, minutes), {}).get(symbol)
            if source is None:
                continue
            at = int(np.searchsorted(source.ts_ms, now_ms - minutes * MINUTE_MS, side="right")) - 1
            if at >= 0 and int(source.ts_ms[at]) + minutes * MINUTE_MS > newest_end:
                newest_end, close = int(source.ts_ms[at]) + minutes * MINUTE_MS, float(source.close[at])
        return close
