"""The newest ticker of every symbol: a snapshot, then deltas of changed fields merged into it.

An absent field is unchanged. A message older than the last is not merged, one that comes before a snapshot waits for
it; both are counted. What does not belong here: sockets, what a ticker is used for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import DataError
from models.market.bybit_v5_market import Ticker, parse_ticker

NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class TickerRow:
    """A symbol's merged fields, as the venue wrote them; its own time and ours, ns UTC."""

    fields: Mapping[str, object]
    exchange_ns: int
    received_ns: int


@dataclass(frozen=True)
class StreamTickers:
    """Tickers heard lately, the venue's newest time among them (ns, 0 without), and what is wrong with the others."""

    tickers: Mapping[str, Ticker]
    at_ns: int
    stale: Mapping[str, str]


@dataclass
class TickerCounts:
    """What was seen so far."""

    messages: int = 0
    malformed: int = 0
    before_snapshot: int = 0
    out_of_order: int = 0


class TickerBoard:
    """Merges ticker messages; one thread writes, `rows` may be read from any.

    Attributes
    ----------
    rows : mapping of str to TickerRow
        Replaced, never changed.

    """

    def __init__(self) -> None:
        self.rows: Mapping[str, TickerRow] = {}
        self.counts = TickerCounts()
        self._whole: set[str] = set()

    def lose(self) -> None:
        """Wait for snapshots: deltas may have been missed."""
        self._whole.clear()

    def take(self, payload: bytes, received_ns: int) -> None:
        """Take a message of a ticker topic."""
        self.counts.messages += 1
        try:
            message = json.loads(payload)
            fields = message["data"]
            symbol, at_ns = str(fields["symbol"]), int(message["ts"]) * NS_PER_MS
        except (ValueError, KeyError, TypeError):
            self.counts.malformed += 1
            return
        old = self.rows.get(symbol)
        if message.get("type") == "snapshot":
            self._whole.add(symbol)
        elif old is None or symbol not in self._whole:
            self.counts.before_snapshot += 1
            return
        elif at_ns < old.exchange_ns:
            self.counts.out_of_order += 1
            return
        else:
            fields = {**old.fields, **fields}
        self.rows = {**self.rows, symbol: TickerRow(fields, at_ns, received_ns)}

    def tickers(self) -> tuple[dict[str, Ticker], dict[str, str]]:
        """Return the rows parsed, and of those that cannot be, why."""
        parsed: dict[str, Ticker] = {}
        wrong: dict[str, str] = {}
        for symbol, row in self.rows.items():
            try:
                fields: Any = row.fields
                parsed[symbol] = parse_ticker(fields)
            except DataError as error:
                wrong[symbol] = str(error)
        return parsed, wrong


def fresh_tickers(board: TickerBoard, symbols: Sequence[str], fresh_s: float, now_ns: int) -> StreamTickers:
    """Return the tickers of `symbols` that were heard within `fresh_s` of `now_ns`; from any thread."""
    rows = board.rows
    parsed, wrong = board.tickers()
    stale = dict(wrong)
    for symbol in symbols:
        row = rows.get(symbol)
        if row is None:
            stale[symbol] = "no ticker has come yet"
        elif now_ns - row.received_ns > fresh_s * 1e9:
            stale[symbol] = f"its ticker is {(now_ns - row.received_ns) / 1e9:.0f} s old"
    fresh = {symbol: ticker for symbol, ticker in parsed.items() if symbol not in stale}
    at_ns = max((rows[symbol].exchange_ns for symbol in fresh), default=0)
    return StreamTickers(fresh, at_ns, stale)
