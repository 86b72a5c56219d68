"""The synthetic market behind the testnet's protocol: generated histories, visible up to the clock.

Here belongs selection by range, limit and clock. How histories are generated is `models.simulation.funding_market`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from hean_live.local_testnet.markets.base import BarKind, Series
from hean_live.local_testnet.markets.selection import select_bars
from hean_live.local_testnet.markets.synthetic_bars import mark_of, minute_bars, moment, trade_paths
from hean_live.local_testnet.markets.synthetic_book import book_at, last_units, trades_before
from models.simulation.bars import DAY_MS, MINUTE_MS, Bars
from models.simulation.funding_market import PREMIUM_UNIT, STATE_MINUTES, SymbolHistory, generate
from models.simulation.intraminute import STEP_MS, TRADES_PER_MINUTE
from models.simulation.listing import Listing
from models.simulation.quotes import Book, Path, Quote, Settlement, Trade
from models.simulation.settlements import interval_rate

STATE_MS = STATE_MINUTES * MINUTE_MS
MATCHING_LEVELS = 50


class SyntheticMarket:
    """Generated symbols served up to a clock.

    Parameters
    ----------
    symbols : sequence of str
        Among `models.simulation.funding_universe.UNIVERSE`.
    seed : int
        Same seed, same market.
    start_ms : int
        Midnight UTC at which histories start.
    days : int
        Days to generate, past and future of the clock together.

    """

    def __init__(self, symbols: Sequence[str], seed: int, start_ms: int, days: int) -> None:
        self.histories: dict[str, SymbolHistory] = {
            name: generate(name, seed, start_ms, days) for name in symbols
        }
        self._listings = {
            name: item.listing if item.life is None else item.life.of(item.listing, start_ms)
            for name, item in ((name, history.symbol) for name, history in self.histories.items())
        }
        self._first_ms = start_ms
        self._last_ms = start_ms + days * DAY_MS - 1

    @property
    def name(self) -> str:
        """The word the market is asked for by."""
        return "synthetic"

    @property
    def first_ms(self) -> int:
        """Opening of the first minute."""
        return self._first_ms

    @property
    def last_ms(self) -> int:
        """Last millisecond of the last generated minute."""
        return self._last_ms

    def listings(self, category: str) -> Mapping[str, Listing]:
        """Every symbol, also one not yet launched or closed, as perpetual and as spot; see `Listing.status`."""
        return self._listings if category in ("linear", "spot") else {}

    def listing(self, symbol: str) -> Listing | None:
        """Perpetual of that name."""
        return self._listings.get(symbol)

    def interval_h(self, symbol: str, now_ms: int) -> int:
        """Length of the interval that is running, hours."""
        paid = self.histories[symbol].settlements
        upcoming = int(np.searchsorted(paid.ts_ms, now_ms, side="right"))
        return int(paid.interval_h[min(upcoming, len(paid.interval_h) - 1)])

    def bars(
        self, kind: BarKind, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Bars:
        """Bars of a range, newest `limit`, the open one included."""
        history = self.histories[symbol]
        start_ms, end_ms = self._traded(symbol, start_ms, end_ms)
        return select_bars(
            lambda first, last: minute_bars(history, kind, first, last, now_ms),
            self._first_ms,
            interval,
            start_ms,
            end_ms,
            limit,
            now_ms,
        )

    def funding(self, symbol: str, start_ms: int, end_ms: int, limit: int, now_ms: int) -> Series:
        """Settlements of a range paid by `now_ms`."""
        paid = self.histories[symbol].settlements
        start_ms, end_ms = self._traded(symbol, start_ms, end_ms)
        first = int(np.searchsorted(paid.ts_ms, start_ms, side="left"))
        last = int(np.searchsorted(paid.ts_ms, min(end_ms, now_ms), side="right"))
        cut = slice(max(first, last - limit), last)
        return paid.ts_ms[cut], paid.rate[cut]

    def open_interest(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """States at multiples of `step_ms` up to `now_ms`."""
        start_ms, end_ms = self._traded(symbol, start_ms, end_ms)
        ts = self._grid(step_ms, start_ms, min(end_ms, now_ms), limit)
        return ts, self.histories[symbol].open_interest[(ts - self._first_ms) // STATE_MS]

    def long_ratio(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """State at the end of each complete period."""
        start_ms, end_ms = self._traded(symbol, start_ms, end_ms)
        ts = self._grid(step_ms, start_ms, min(end_ms, now_ms - step_ms), limit)
        return ts, self.histories[symbol].long_ratio[(ts + step_ms - self._first_ms) // STATE_MS]

    def _traded(self, symbol: str, start_ms: int, end_ms: int) -> tuple[int, int]:
        """Cut a range to the time in which the symbol trades."""
        listing = self._listings[symbol]
        last_ms = end_ms if listing.delisted_ms is None else min(end_ms, listing.delisted_ms - 1)
        return max(start_ms, listing.trades_from_ms), last_ms

    def _grid(
        self, step_ms: int, start_ms: int, end_ms: int, limit: int
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        last = end_ms // step_ms
        first = max(-(-max(start_ms, self._first_ms) // step_ms), last - limit + 1)
        return np.arange(first, last + 1, dtype=np.int64) * step_ms

    def quote(self, category: str, symbol: str, now_ms: int) -> Quote | None:
        """State of a symbol at the clock."""
        history = self.histories[symbol]
        listing = self._listings[symbol]
        if now_ms < self._first_ms:
            return None
        kind = BarKind.SPOT if category == "spot" else BarKind.PERP
        minute, _ = moment(history, now_ms)
        day = minute_bars(history, kind, max(0, minute - 1440), minute + 1, now_ms)
        book = book_at(history, history.spot if category == "spot" else history.perp, now_ms, 1)
        prices = [round(Decimal(float(value)), listing.price_decimals) for value in (
            day.close[-1], day.open[0], day.open[max(0, len(day) - 61)], day.high.max(), day.low.min()
        )]  # fmt: skip
        rate, next_ms = self._running_rate(history, now_ms)
        state = max(0, (now_ms - self._first_ms) // STATE_MS)
        return Quote(
            last=prices[0],
            bid=book.bids[0],
            ask=book.asks[0],
            mark=self.mark_price(symbol, now_ms),
            index=round(
                Decimal(last_units(history, history.index, now_ms) * history.index.unit),
                listing.index_decimals,
            ),
            previous_24h=prices[1],
            previous_1h=prices[2],
            high_24h=prices[3],
            low_24h=prices[4],
            volume_24h=float(day.volume.sum()) if day.volume is not None else 0.0,
            turnover_24h=float(day.turnover.sum()) if day.turnover is not None else 0.0,
            open_interest=float(history.open_interest[state]),
            funding_rate=rate,
            next_funding_ms=next_ms,
            interval_h=self.interval_h(symbol, now_ms),
        )

    def _running_rate(self, history: SymbolHistory, now_ms: int) -> tuple[Decimal | None, int | None]:
        paid = history.settlements
        upcoming = int(np.searchsorted(paid.ts_ms, now_ms, side="right"))
        if upcoming == len(paid.ts_ms):
            return None, None
        hours = int(paid.interval_h[upcoming])
        next_ms = int(paid.ts_ms[upcoming])
        first = (next_ms - self._first_ms) // MINUTE_MS - hours * 60
        minute, _ = moment(history, now_ms)
        # Before the first minute of an interval has closed, the last one of the interval before is all there is.
        since = first if minute > first else max(minute - 1, 0)
        premium = history.premium[since : max(minute, 1)].astype(np.float64) * PREMIUM_UNIT
        rate = interval_rate(premium, hours, float(history.symbol.listing.funding_cap))
        return Decimal(repr(rate)), next_ms

    def depth(self, category: str, symbol: str, now_ms: int, levels: int) -> Book | None:
        """Order book at the clock."""
        history = self.histories[symbol]
        if now_ms < self._first_ms or not self._listings[symbol].trades_at(now_ms):
            return None
        return book_at(history, history.spot if category == "spot" else history.perp, now_ms, levels)

    def trades(self, category: str, symbol: str, limit: int, now_ms: int) -> list[Trade]:
        """Newest trades, newest first."""
        if now_ms < self._first_ms or not self._listings[symbol].trades_at(now_ms):
            return []
        kind = BarKind.SPOT if category == "spot" else BarKind.PERP
        return trades_before(self.histories[symbol], kind, limit, now_ms)

    def book(self, symbol: str, at_ms: int) -> Book | None:
        """Book the account's orders are matched against."""
        return self.depth("linear", symbol, at_ms, MATCHING_LEVELS)

    def mark_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Mark price from the last index and perpetual prices."""
        history = self.histories[symbol]
        if at_ms < self._first_ms:
            return None
        index = last_units(history, history.index, at_ms) * history.index.unit
        perp = last_units(history, history.perp, at_ms) * history.perp.unit
        value = mark_of(np.array([index]), np.array([perp]))[0]
        return round(Decimal(float(value)), history.symbol.listing.index_decimals)

    def last_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Price of the last trade."""
        history = self.histories[symbol]
        if at_ms < self._first_ms:
            return None
        return history.symbol.listing.tick_size * last_units(history, history.perp, at_ms)

    def path(self, symbol: str, after_ms: int, until_ms: int) -> Path:
        """Every trade after one instant and up to another."""
        history = self.histories[symbol]
        first = max(0, (after_ms - self._first_ms) // MINUTE_MS)
        last = max(first, min(history.minutes, (until_ms - self._first_ms) // MINUTE_MS + 1))
        price = trade_paths(history, history.perp, first, last).ravel() * history.perp.unit
        index = trade_paths(history, history.index, first, last).ravel() * history.index.unit
        ts = (
            self._first_ms
            + first * MINUTE_MS
            + np.arange((last - first) * TRADES_PER_MINUTE, dtype=np.int64) * STEP_MS
        )
        seen = (ts > after_ms) & (ts <= until_ms)
        return Path(ts[seen], price[seen], price[seen], mark_of(index, price)[seen])

    def next_settlement(self, symbol: str, after_ms: int, until_ms: int) -> Settlement | None:
        """First settlement after an instant."""
        paid = self.histories[symbol].settlements
        at = int(np.searchsorted(paid.ts_ms, after_ms, side="right"))
        if at == len(paid.ts_ms) or paid.ts_ms[at] > until_ms:
            return None
        return Settlement(int(paid.ts_ms[at]), Decimal(repr(float(paid.rate[at]))))
