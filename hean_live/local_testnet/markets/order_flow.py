"""The order-flow market: the synthetic market's history up to an instant, ticks of the order-flow generator from there on.

Before the start everything is the synthetic market's. After it, trades, books, bars, mark, index, premium, open interest and
liquidations come from the ticks; funding is settled from the premium index of both, by the venue's formula; the account ratio
goes on as the synthetic market has it. Spot follows the index. The generator's own funding rows, which know nothing of the
history, are replaced by the rates settled here.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from hean_live.local_testnet.markets.base import BarKind, Series
from hean_live.local_testnet.markets.day import DayStatistics
from hean_live.local_testnet.markets.live import NS_PER_MS, Key, LiveMarket, LiveSymbol
from hean_live.local_testnet.markets.selection import select_bars
from hean_live.local_testnet.markets.synthetic import SyntheticMarket
from hean_live.local_testnet.markets.synthetic_bars import minute_bars, moment
from models.errors import ConfigError
from models.market.tape import FUNDING
from models.simulation.bars import MINUTE_MS, Bars
from models.simulation.funding_market import PREMIUM_UNIT, SymbolHistory
from models.simulation.quotes import Quote, Settlement
from models.simulation.settlements import interval_rate
from models.simulation.ticks import minutes as rows_of
from models.simulation.ticks.flow import OrderFlowSource, flow_parameters
from models.simulation.ticks.spot import SpotSource
from models.simulation.ticks.symbol import TickSymbol

HOUR_MS = 60 * MINUTE_MS
_ROWS = {
    BarKind.PERP: rows_of.PERP,
    BarKind.SPOT: rows_of.PERP,
    BarKind.MARK: rows_of.MARKS,
    BarKind.INDEX: rows_of.INDICES,
}


class OrderFlowMarket(LiveMarket):
    """Synthetic symbols with live ticks.

    Parameters
    ----------
    history : SyntheticMarket
        Its symbols, and what was before the start.
    seed : int
        Same history, seed and start: same market.
    start_ms : int
        Instant from which ticks are served.
    activity : float, optional
        Factor on the rates of orders and book updates.

    Raises
    ------
    ConfigError
        The start lies outside the history.

    """

    def __init__(self, history: SyntheticMarket, seed: int, start_ms: int, activity: float = 1.0) -> None:
        if not history.first_ms + MINUTE_MS <= start_ms <= history.last_ms:
            raise ConfigError(f"an order-flow market must start within its history, was {start_ms}")
        self._history = history
        self._start_ms = start_ms
        self._spots: dict[str, SpotSource] = {}
        self._paid: dict[str, list[tuple[int, float]]] = {name: [] for name in history.histories}
        self._hours = {name: history.interval_h(name, start_ms) for name in history.histories}
        self._days = {(c, name): DayStatistics() for c in ("linear", "spot") for name in history.histories}
        live: dict[Key, LiveSymbol] = {}
        for name, past in history.histories.items():
            live["linear", name] = self._perpetual(past, seed, activity)
        for name, past in history.histories.items():
            live["spot", name] = self._spot(past)
        super().__init__(live, start_ms * NS_PER_MS - 1)
        self.advance(start_ms * NS_PER_MS)

    def _perpetual(self, past: SymbolHistory, seed: int, activity: float) -> LiveSymbol:
        name, listing = past.symbol.listing.symbol, past.symbol.listing
        now = {kind: self._newest_bar(past, kind) for kind in (BarKind.PERP, BarKind.MARK, BarKind.INDEX)}
        price, index = float(now[BarKind.PERP].close[-1]), float(now[BarKind.INDEX].close[-1])
        interest = self._history.open_interest(name, 5 * MINUTE_MS, 0, self._start_ms, 1, self._start_ms)[1][
            -1
        ]
        parameters = flow_parameters(
            past.symbol, price=price, open_interest=float(interest), interval_h=self._hours[name],
            start_ns=self._start_ms * NS_PER_MS, activity=activity,
        )  # fmt: skip
        source = OrderFlowSource(parameters, name, seed, price / index - 1.0)
        ticks = TickSymbol(source, float(listing.tick_size), self._start_ms * NS_PER_MS - 1)
        _go_on(ticks, now)
        ticks.ticks.open_interest = ticks.table[rows_of.INTEREST, 0] = float(interest)
        return LiveSymbol(listing, ticks)

    def _spot(self, past: SymbolHistory) -> LiveSymbol:
        listing = past.symbol.listing
        spot, index = self._newest_bar(past, BarKind.SPOT), self._newest_bar(past, BarKind.INDEX)
        bias = float(spot.close[-1]) / float(index.close[-1]) - 1.0
        touch = past.symbol.touch_depth_usd / float(spot.close[-1])
        source = SpotSource(float(listing.tick_size), float(listing.qty_step), bias, touch)
        self._spots[listing.symbol] = source
        ticks = TickSymbol(source, float(listing.tick_size), self._start_ms * NS_PER_MS - 1)
        _go_on(ticks, {BarKind.PERP: spot, BarKind.INDEX: index})
        return LiveSymbol(listing, ticks)

    def _newest_bar(self, past: SymbolHistory, kind: BarKind) -> Bars:
        minute, _ = moment(past, self._start_ms)
        return minute_bars(past, kind, minute, minute + 1, self._start_ms)

    def _happened(self, key: Key, events: NDArray[np.void]) -> None:
        category, name = key
        if category == "spot":
            return
        self._spots[name].follow(events)
        settled = np.flatnonzero(events["kind"] == FUNDING)
        step = self._hours[name] * HOUR_MS
        paid = self._paid[name]
        newest = paid[-1][0] if paid else self._start_ms
        due = newest // step * step + step
        while due * NS_PER_MS <= self.now_ns:
            paid.append((due, self._rate(name, due - step, due)))
            due += step
        for row in settled:
            events["price"][row] = dict(paid)[int(events["exch_ts"][row]) // NS_PER_MS]

    def _rate(self, name: str, since_ms: int, until_ms: int) -> float:
        first = (since_ms - self.first_ms) // MINUTE_MS
        last = (until_ms - self.first_ms) // MINUTE_MS
        premium = self._premium(name, max(first, 0), last)
        cap = float(self._history.histories[name].symbol.listing.funding_cap)
        return interval_rate(premium, self._hours[name], cap)

    def _premium(self, name: str, first: int, last: int) -> NDArray[np.float64]:
        """Premium at the close of minutes ``first <= m < last`` from the history's start; the open one as of now."""
        past, ticks = self._history.histories[name], self._live["linear", name].ticks
        seam = (ticks.first_ms - self.first_ms) // MINUTE_MS
        before = past.premium[first : min(last, seam)].astype(np.float64) * PREMIUM_UNIT
        after = ticks.table[rows_of.PREMIA, max(first - seam, 0) : max(last - seam, 0)]
        # Until the first index price has come, the last minute of the history is all there is.
        old = past.premium[max(seam - 1, 0)] * PREMIUM_UNIT
        return np.concatenate((before, np.where(np.isnan(after), old, after)))

    @property
    def name(self) -> str:
        """The word the market is asked for by."""
        return "order-flow"

    @property
    def first_ms(self) -> int:
        """Opening of the history's first minute."""
        return self._history.first_ms

    @property
    def last_ms(self) -> int:
        """Where the market clock stops."""
        return self._history.last_ms

    def interval_h(self, symbol: str, now_ms: int) -> int:
        """Funding interval: the history's, and from the start on the one in force then."""
        return self._history.interval_h(symbol, now_ms) if now_ms < self._start_ms else self._hours[symbol]

    def bars(
        self, kind: BarKind, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Bars:
        """Bars of a range across the start, newest `limit`, the open one included."""
        self.advance(now_ms * NS_PER_MS)
        return select_bars(
            lambda first, last: self._minutes(kind, symbol, first, last),
            self.first_ms, interval, start_ms, end_ms, limit, now_ms,
        )  # fmt: skip

    def _minutes(self, kind: BarKind, name: str, first: int, last: int) -> Bars:
        found = self._live["spot" if kind is BarKind.SPOT else "linear", name]
        seam = (found.ticks.first_ms - self.first_ms) // MINUTE_MS
        past = minute_bars(
            self._history.histories[name], kind, first, min(last, seam), found.ticks.first_ms - 1
        )
        if last <= seam:
            return past
        if kind is BarKind.PREMIUM:
            return joined(past, self._premium_bars(name, max(first, seam), last))
        return joined(past, self.live_bars(found, _ROWS[kind], max(first - seam, 0), last - seam))

    def _premium_bars(self, name: str, first: int, last: int) -> Bars:
        ticks = self._live["linear", name].ticks
        last = min(last, (ticks.first_ms - self.first_ms) // MINUTE_MS + int(ticks.ticks.minute) + 1)
        values = self._premium(name, max(first - 1, 0), last)
        opens, close = values[:-1], values[1:]
        ts = self.first_ms + np.arange(first, first + len(close), dtype=np.int64) * MINUTE_MS
        return Bars(ts, opens, np.maximum(opens, close), np.minimum(opens, close), close)

    def funding(self, symbol: str, start_ms: int, end_ms: int, limit: int, now_ms: int) -> Series:
        """Settlements of a range paid by `now_ms`."""
        self.advance(now_ms * NS_PER_MS)
        until = min(end_ms, now_ms)
        times, rates = self._history.funding(symbol, start_ms, min(until, self._start_ms), limit, now_ms)
        live = [(ts, rate) for ts, rate in self._paid[symbol] if start_ms <= ts <= until]
        times = np.concatenate((times, np.array([ts for ts, _ in live], dtype=np.int64)))
        rates = np.concatenate((rates, np.array([rate for _, rate in live], dtype=np.float64)))
        return times[-limit:], rates[-limit:]

    def open_interest(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """States at multiples of `step_ms` up to `now_ms`."""
        ticks = self.at("linear", symbol, now_ms).ticks
        until = min(end_ms, now_ms)
        times, values = self._history.open_interest(
            symbol, step_ms, start_ms, min(until, self._start_ms), limit, now_ms
        )
        first = max(start_ms, self._start_ms + 1)
        later = np.arange(-(-first // step_ms), until // step_ms + 1, dtype=np.int64) * step_ms
        live = ticks.table[rows_of.INTEREST, (later - ticks.first_ms) // MINUTE_MS]
        return np.concatenate((times, later))[-limit:], np.concatenate((values, live))[-limit:]

    def long_ratio(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """Share of long accounts: the history's, on both sides of the start."""
        return self._history.long_ratio(symbol, step_ms, start_ms, end_ms, limit, now_ms)

    def quote(self, category: str, symbol: str, now_ms: int) -> Quote | None:
        """State of a symbol at the clock."""
        if now_ms < self._start_ms:
            return self._history.quote(category, symbol, now_ms)
        found = self.at(category, symbol, now_ms)
        ticks = found.ticks.ticks
        kind = BarKind.SPOT if category == "spot" else BarKind.PERP
        minute = (now_ms - self.first_ms) // MINUTE_MS
        day = self._days[category, symbol]
        if day.minute != minute:
            day.take(minute, self._minutes(kind, symbol, max(0, minute - 1440), minute))
            step = self._hours[symbol] * HOUR_MS
            day.rate = self._rate(symbol, now_ms // step * step, now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS)
            day.next_funding_ms = now_ms // step * step + step
        bids, asks = found.levels(found.ticks.book, 1)
        return day.quote(
            found,
            self.live_bars(found, rows_of.PERP, minute - (found.ticks.first_ms - self.first_ms) // MINUTE_MS,
                           int(ticks.minute) + 1),
            bids[0] if bids else None,
            asks[0] if asks else None,
            self._hours[symbol],
        )  # fmt: skip

    def next_settlement(self, symbol: str, after_ms: int, until_ms: int) -> Settlement | None:
        """First settlement after an instant."""
        self.advance(until_ms * NS_PER_MS)
        past = self._history.next_settlement(symbol, after_ms, min(until_ms, self._start_ms))
        if past is not None:
            return past
        for ts, rate in self._paid[symbol]:
            if after_ms < ts <= until_ms:
                return Settlement(ts, Decimal(repr(rate)))
        return None


def _go_on(ticks: TickSymbol, now: dict[BarKind, Bars]) -> None:
    """Let the first minute be the one that was open at the start, with what it had seen."""
    for kind, bars in now.items():
        row = _ROWS[kind]
        ticks.table[row : row + 4, 0] = bars.open[-1], bars.high[-1], bars.low[-1], bars.close[-1]
        if bars.volume is not None and bars.turnover is not None:
            ticks.table[rows_of.VOLUME : rows_of.TURNOVER + 1, 0] = bars.volume[-1], bars.turnover[-1]
        setattr(
            ticks.ticks,
            {BarKind.PERP: "last", BarKind.MARK: "mark", BarKind.INDEX: "index"}[kind],
            bars.close[-1],
        )


def joined(first: Bars, second: Bars) -> Bars:
    """Bars of two stretches, one after the other."""

    def both(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate((a, b))

    volume = None if first.volume is None or second.volume is None else both(first.volume, second.volume)
    turnover = (
        None if first.turnover is None or second.turnover is None else both(first.turnover, second.turnover)
    )
    return Bars(
        np.concatenate((first.ts_ms, second.ts_ms)), both(first.open, second.open), both(first.high, second.high),
        both(first.low, second.low), both(first.close, second.close), volume, turnover,
    )  # fmt: skip
