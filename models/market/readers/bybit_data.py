"""The `data` of Bybit v5 WebSocket messages into rows, compiled: levels, prints, ticker fields.

Sides: `S` of a trade is the taker's; `S` of a liquidation is the side of the *position*, so `Buy` is a forced sell.
Block trades (`BT`) did not meet the book and are left out, and so are trades seen before, both counted. Keys are never
read by position. Source: the venue's v5 documentation, public linear and spot topics.

What does not belong here: the envelope and the order book's sequence (`bybit_frames.py`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.market.readers.blocks import DUPLICATES, OFF_BOOK
from models.market.readers.scan import (
    ARRAY,
    ARRAY_END,
    COMMA,
    END_OF_OBJECT,
    OBJECT,
    QUOTE,
    Bytes,
    decimal,
    name_hash,
    next_key,
    price_levels,
    put,
    skip_space,
    skip_value,
    span_hash,
    string_end,
    whole_number,
)
from models.market.readers.trade_ids import is_known
from models.market.tape import DEPTH, INDEX, LIQUIDATION, MARK, OPEN_INTEREST, TRADE, Events

Counts = npt.NDArray[np.int64]

BOOK_TOPIC: Final = name_hash("orderbook")
TRADE_TOPIC: Final = name_hash("publicTrade")
TICKER_TOPIC: Final = name_hash("tickers")
_LIQUIDATIONS_TOPIC: Final = name_hash("allLiquidation")
_OLD_LIQUIDATION_TOPIC: Final = name_hash("liquidation")
_BIDS: Final = name_hash("b")
_ASKS: Final = name_hash("a")
_UPDATE: Final = name_hash("u")
_SEQUENCE: Final = name_hash("seq")
_TIME: Final = name_hash("T")
_SIDE: Final = name_hash("S")
_VOLUME: Final = name_hash("v")
_PRICE: Final = name_hash("p")
_BLOCK_TRADE: Final = name_hash("BT")
_ID: Final = name_hash("i")
_OLD_TIME: Final = name_hash("updatedTime")
_OLD_SIDE: Final = name_hash("side")
_OLD_SIZE: Final = name_hash("size")
_OLD_PRICE: Final = name_hash("price")
_MARK: Final = name_hash("markPrice")
_INDEX: Final = name_hash("indexPrice")
_OPEN_INTEREST: Final = name_hash("openInterest")
NS_PER_MS: Final = 1_000_000
_B: Final = 66
_S: Final = 83
_T: Final = 116
_DOT: Final = 46


@njit(cache=True)
def _book_data(buf: Bytes, i: int, out: Events, n: int, local_ts: int) -> tuple[int, int, int, int]:
    """Read the `data` of an order book: next position, next row, `u`, `seq`."""
    update = -1
    sequence = 0
    if buf[i] != OBJECT:
        return -1, n, update, sequence
    i += 1
    while True:
        key, i = next_key(buf, i)
        if i < 0 or key == END_OF_OBJECT:
            return (i if update >= 0 else -1), n, update, sequence
        if key == _BIDS:
            i, n = price_levels(buf, i, out, n, local_ts, DEPTH, 1)
        elif key == _ASKS:
            i, n = price_levels(buf, i, out, n, local_ts, DEPTH, -1)
        elif key == _UPDATE:
            update, i = whole_number(buf, i)
        elif key == _SEQUENCE:
            sequence, i = whole_number(buf, i)
        else:
            i = skip_value(buf, i)
        if i < 0:
            return -1, n, update, sequence


@njit(cache=True)
def _side_of(buf: Bytes, i: int) -> int:
    """+1 for `"Buy"`, -1 for `"Sell"`, 0 for anything else."""
    if buf[i] != QUOTE:
        return 0
    return 1 if buf[i + 1] == _B else (-1 if buf[i + 1] == _S else 0)


@njit(cache=True)
def _print_fields(buf: Bytes, i: int) -> tuple[int, int, int, float, float, bool, np.uint64]:
    """Read a trade or liquidation object: next position, time in ms, side, price, size, whether a block trade, id."""
    time_ms = side = 0
    price = size = -1.0
    block = False
    trade_id = np.uint64(0)
    i = i + 1 if buf[i] == OBJECT else -1
    while i >= 0:
        key, i = next_key(buf, i)
        if i < 0 or key == END_OF_OBJECT:
            break
        if key == _TIME or key == _OLD_TIME:  # noqa: SIM109  (a tuple test is slower when compiled)
            time_ms, i = whole_number(buf, i)
        elif key == _VOLUME or key == _OLD_SIZE:  # noqa: SIM109
            size, i = decimal(buf, i)
        elif key == _PRICE or key == _OLD_PRICE:  # noqa: SIM109
            price, i = decimal(buf, i)
        else:
            if key == _SIDE or key == _OLD_SIDE:  # noqa: SIM109
                side = _side_of(buf, i)
            block |= key == _BLOCK_TRADE and buf[i] == _T
            if key == _ID and buf[i] == QUOTE:
                trade_id = span_hash(buf, i + 1, max(i + 1, string_end(buf, i + 1)))
            i = skip_value(buf, i)
    return i, time_ms, side, price, size, block, trade_id


@njit(cache=True)
def _print(
    buf: Bytes, i: int, out: Events, n: int, local_ts: int, kind: int, counts: Counts, seen: Any
) -> tuple[int, int]:
    """Read one trade or liquidation object into a row."""
    i, time_ms, side, price, size, block, trade_id = _print_fields(buf, i)
    if i < 0 or side == 0 or time_ms <= 0 or not price > 0.0 or not size > 0.0:
        return -1, n
    if block:
        counts[OFF_BOOK] += 1
        return i, n
    if kind == TRADE and is_known(seen, trade_id, time_ms):
        counts[DUPLICATES] += 1
        return i, n
    if kind == LIQUIDATION:
        side = -side
    return i, put(out, n, local_ts, time_ms * NS_PER_MS, kind, side, price, size)


@njit(cache=True)
def _prints(
    buf: Bytes, i: int, out: Events, n: int, local_ts: int, kind: int, counts: Counts, seen: Any
) -> tuple[int, int]:
    """Read trades or liquidations: an array of objects, or one object as the old topic sends it."""
    if buf[i] != ARRAY:
        return _print(buf, i, out, n, local_ts, kind, counts, seen)
    i = skip_space(buf, i + 1)
    while buf[i] != ARRAY_END:
        i, n = _print(buf, i, out, n, local_ts, kind, counts, seen)
        if i < 0:
            return -1, n
        i = skip_space(buf, i)
        if buf[i] == COMMA:
            i = skip_space(buf, i + 1)
    return i + 1, n


@njit(cache=True)
def _ticker(buf: Bytes, i: int, out: Events, n: int, local_ts: int) -> tuple[int, int]:
    """Read mark, index and open interest where a ticker brings them; an empty string is no value."""
    if buf[i] != OBJECT:
        return -1, n
    i += 1
    while True:
        key, i = next_key(buf, i)
        if i < 0 or key == END_OF_OBJECT:
            return i, n
        wanted = key in (_MARK, _INDEX, _OPEN_INTEREST)
        if not wanted or (buf[i] == QUOTE and buf[i + 1] == QUOTE):
            i = skip_value(buf, i)
        else:
            value, i = decimal(buf, i)
            if key == _MARK:
                n = put(out, n, local_ts, 0, MARK, 0, value, 0.0)
            elif key == _INDEX:
                n = put(out, n, local_ts, 0, INDEX, 0, value, 0.0)
            else:
                n = put(out, n, local_ts, 0, OPEN_INTEREST, 0, 0.0, value)
        if i < 0:
            return -1, n


@njit(cache=True)
def split_topic(buf: Bytes, start: int, stop: int) -> tuple[np.uint64, int, int]:
    """Take a topic apart: hash of its first word, order-book depth (0 for others), start of the symbol."""
    first = start
    while first < stop and buf[first] != _DOT:
        first += 1
    kind = span_hash(buf, start, first)
    symbol = stop
    while symbol > first and buf[symbol - 1] != _DOT:
        symbol -= 1
    depth = 0
    if kind == BOOK_TOPIC and first < stop:
        depth, _ = whole_number(buf, first + 1)
    return kind, depth, symbol


@njit(cache=True)
def read_data(
    buf: Bytes, i: int, kind: np.uint64, counts: Counts, seen: Any, out: Events, n: int, local_ts: int
) -> tuple[int, int, int, int]:
    """Read the `data` of a message into rows: next position, next row, `u` and `seq` of an order book."""
    if kind == BOOK_TOPIC:
        return _book_data(buf, i, out, n, local_ts)
    if kind == TRADE_TOPIC:
        i, n = _prints(buf, i, out, n, local_ts, TRADE, counts, seen)
    elif kind == TICKER_TOPIC:
        i, n = _ticker(buf, i, out, n, local_ts)
    elif kind == _LIQUIDATIONS_TOPIC or kind == _OLD_LIQUIDATION_TOPIC:  # noqa: SIM109
        i, n = _prints(buf, i, out, n, local_ts, LIQUIDATION, counts, seen)
    else:
        i = skip_value(buf, i)
    return i, n, 0, 0
