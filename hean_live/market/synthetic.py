"""Messages we add to a stream ourselves, in the venue's own form, so that a recording holds all that was known.

A broken book, trades read by REST, open interest polled: each is one message that goes through the same parser live
and from the tape, marked by the key `hean`. Pure. What does not belong here: asking for the data, deciding when.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from models.market.bybit_v5 import Payload, flag, integer, optional_integer, rows_of, text

MOST_TRADES: Final = 1000
"""Trades the venue gives by REST at most."""


class Fill(NamedTuple):
    """Trades read by REST as a message (None without), how many, and whether they reach back to where the gap began."""

    payload: bytes | None
    trades: int
    covers: bool


def gap_message(symbol: str, depth: int, at_ms: int, reason: str) -> bytes:
    """Return a message that breaks a symbol's book: a delta whose number can follow none."""
    return _dumps(
        {
            "topic": f"orderbook.{depth}.{symbol}",
            "type": "delta",
            "ts": at_ms,
            "data": {"s": symbol, "b": [], "a": [], "u": 0, "seq": 0},
            "hean": reason,
        }
    )


def open_interest_message(symbol: str, at_ms: int, open_interest: str) -> bytes:
    """Return a polled open interest as a ticker of one field."""
    data = {"symbol": symbol, "openInterest": open_interest}
    body = {"topic": f"tickers.{symbol}", "type": "delta", "ts": at_ms, "data": data, "hean": "polled"}
    return _dumps(body)


def fill_message(result: object, symbol: str, since_ms: int, at_ms: int) -> Fill:
    """Turn `/v5/market/recent-trade` into a message of the trades at or after `since_ms`, oldest first.

    Parameters
    ----------
    result : object
        Of the reply.
    symbol : str
    since_ms : int
        Venue time of the newest trade known before the gap.
    at_ms : int
        Venue time of the reply.

    Raises
    ------
    DataError
        When the reply is not what the venue documents.

    """
    where = f"recent-trade of {symbol}"
    rows = rows_of(result, where)
    trades = sorted((_stamped(row, symbol, where) for row in rows), key=lambda stamped: stamped[:2])
    covers = len(rows) < MOST_TRADES or trades[0][0] <= since_ms
    lost = [trade for time_ms, _, trade in trades if time_ms >= since_ms]
    if not lost:
        return Fill(None, 0, covers)
    body = {"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": at_ms, "data": lost}
    return Fill(_dumps({**body, "hean": "recent-trade"}), len(lost), covers)


def _stamped(row: Payload, symbol: str, where: str) -> tuple[int, int, dict[str, object]]:
    """Return a trade's time and sequence, by which it is sorted, and the trade as the socket writes it."""
    time_ms, sequence = integer(row, "time", where), optional_integer(row, "seq", where) or 0
    trade: dict[str, object] = {
        "T": time_ms,
        "s": symbol,
        "S": text(row, "side", where),
        "v": text(row, "size", where),
        "p": text(row, "price", where),
        "i": text(row, "execId", where),
        "BT": flag(row, "isBlockTrade"),
        "seq": sequence,
    }
    return time_ms, sequence, trade


def _dumps(body: dict[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
