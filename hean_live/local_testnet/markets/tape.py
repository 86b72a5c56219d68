"""A recorded tape played live: its books, trades, marks and liquidations at their venue times, or shifted to another start.

There is no history before the tape, no spot, no funding and no account ratio: those answer empty. Steps and limits that a tape
does not say are assumed as in `recorded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hean_live.local_testnet.markets.base import BarKind, Series
from hean_live.local_testnet.markets.day import DayStatistics
from hean_live.local_testnet.markets.live import NS_PER_MS, LiveMarket, LiveSymbol
from hean_live.local_testnet.markets.selection import select_bars
from hean_live.local_testnet.markets.tape_files import read_tape
from hean_live.local_testnet.markets.tape_scan import listing_of, scan_tape
from models.simulation.bars import MINUTE_MS, Bars, no_bars
from models.simulation.quotes import Quote, Settlement
from models.simulation.ticks import minutes as rows_of
from models.simulation.ticks.replay import Replay, ReplaySource
from models.simulation.ticks.symbol import TickSymbol

AFTERWARDS_MS = 1_000
"""The clock goes so far beyond the last event, for what is pushed only after it."""
_ROWS = {BarKind.PERP: rows_of.PERP, BarKind.MARK: rows_of.MARKS, BarKind.INDEX: rows_of.INDICES}


class TapeMarket(LiveMarket):
    """A tape and how far it has been played.

    Parameters
    ----------
    path : Path
    symbols : sequence of str or None, optional
        Restricts what is served.
    starts_at_ms : int or None, optional
        The instant at which every book has begun is moved here; None leaves the tape at its own times.

    Raises
    ------
    ConfigError
        No tape, or symbols that are not on it.

    """

    def __init__(
        self, path: Path, symbols: Sequence[str] | None = None, starts_at_ms: int | None = None
    ) -> None:
        seen = scan_tape(path, symbols)
        begun_ms = max(one.book_ns or one.first_ns for one in seen.values()) // NS_PER_MS + 1
        shift_ms = 0 if starts_at_ms is None else starts_at_ms - begun_ms
        shift_ns = shift_ms * NS_PER_MS
        self.begun_ms = begun_ms + shift_ms
        start_ns = min(one.first_ns for one in seen.values()) + shift_ns - 1
        self._first_ms = start_ns // NS_PER_MS
        self._last_ms = max(one.last_ns for one in seen.values()) // NS_PER_MS + shift_ms + AFTERWARDS_MS
        replay = Replay(read_tape(path), tuple(seen), shift_ns)
        self._days = {name: DayStatistics() for name in seen}
        live = {}
        for name, one in seen.items():
            listing = listing_of(name, one)
            source = ReplaySource(replay, name)
            live["linear", name] = LiveSymbol(listing, TickSymbol(source, float(listing.tick_size), start_ns))
        super().__init__(live, start_ns)

    @property
    def name(self) -> str:
        """The word the market is asked for by."""
        return "tape"

    @property
    def first_ms(self) -> int:
        """Instant of the first event."""
        return self._first_ms

    @property
    def last_ms(self) -> int:
        """A second after the last event."""
        return self._last_ms

    def interval_h(self, symbol: str, now_ms: int) -> int:
        """Regular interval; a tape tells of no settlements."""
        return self._live["linear", symbol].listing.interval_h

    def bars(
        self, kind: BarKind, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Bars:
        """Bars since the tape began, newest `limit`, the open one included."""
        if kind not in _ROWS:
            return no_bars(traded=kind.traded)
        found = self.at("linear", symbol, now_ms)
        return select_bars(
            lambda first, last: self.live_bars(found, _ROWS[kind], first, last),
            found.ticks.first_ms, interval, start_ms, end_ms, limit, now_ms,
        )  # fmt: skip

    def funding(self, symbol: str, start_ms: int, end_ms: int, limit: int, now_ms: int) -> Series:
        """Not on a tape."""
        return _nothing()

    def open_interest(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """States at multiples of `step_ms` since the tape first told one."""
        ticks = self.at("linear", symbol, now_ms).ticks
        first = max(start_ms, ticks.first_ms)
        times = np.arange(-(-first // step_ms), min(end_ms, now_ms) // step_ms + 1, dtype=np.int64) * step_ms
        values = ticks.table[rows_of.INTEREST, (times - ticks.first_ms) // MINUTE_MS]
        known = ~np.isnan(values)
        return times[known][-limit:], values[known][-limit:]

    def long_ratio(
        self, symbol: str, step_ms: int, start_ms: int, end_ms: int, limit: int, now_ms: int
    ) -> Series:
        """Not on a tape."""
        return _nothing()

    def quote(self, category: str, symbol: str, now_ms: int) -> Quote | None:
        """State of a symbol at the clock; sums and extremes since the tape began."""
        found = self.at(category, symbol, now_ms)
        minute = int(found.ticks.ticks.minute)
        day = self._days[symbol]
        if day.minute != minute:
            day.take(minute, self.live_bars(found, rows_of.PERP, max(0, minute - 1440), minute))
        bids, asks = found.levels(found.ticks.book, 1)
        opened = self.live_bars(found, rows_of.PERP, minute, minute + 1)
        return day.quote(found, opened, bids[0] if bids else None, asks[0] if asks else None, None)

    def next_settlement(self, symbol: str, after_ms: int, until_ms: int) -> Settlement | None:
        """None: a tape tells of no settlements."""
        return None


def _nothing() -> Series:
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
