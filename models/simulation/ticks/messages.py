"""Bybit v5 public messages, written by compiled code into a buffer, each as one WebSocket frame.

Shapes follow recorded messages: linear ones put `type` before `ts`, spot ones the other way round and write numbers
without zeros at their end. Here belongs what a message says; when one is pushed is `feed`'s.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.book import depth_levels
from models.simulation.ticks.feed_record import DEPTHS
from models.simulation.ticks.text import (
    Bytes,
    frame_start,
    put,
    put_decimal,
    put_whole,
    text,
)

_MS: Final = 1_000_000
_DEPTHS: Final = np.array(DEPTHS)

_BOOK: Final = text('{"topic":"orderbook.')
_TYPE: Final = text('","type":"')
_TS: Final = text('","ts":')
_TYPE_LATER: Final = text(',"type":"')
_TS_LATER: Final = text('","ts":')
_DATA: Final = text(',"data":')
_DATA_LATER: Final = text('","data":')
_SNAPSHOT: Final = text("snapshot")
_DELTA: Final = text("delta")
_S: Final = text('{"s":"')
_BIDS: Final = text('","b":[')
_ASKS: Final = text('],"a":[')
_U: Final = text('],"u":')
_SEQ: Final = text(',"seq":')
_CTS: Final = text('},"cts":')
_OPEN: Final = text('["')
_MIDDLE: Final = text('","')
_CLOSE: Final = text('"]')
_COMMA: Final = 44
_BRACE: Final = 125


@njit(cache=True)
def put_symbol(feed: Any, buf: Bytes, n: int) -> int:
    """Write the symbol's name."""
    for i in range(feed.symbol_bytes):
        buf[n + i] = feed.symbol[i]
    return int(n + feed.symbol_bytes)


@njit(cache=True)
def put_size(feed: Any, buf: Bytes, n: int, size: float) -> int:
    """Write a quantity; zero, a level that is gone, is a bare zero."""
    units = int(np.floor(size * 10.0**feed.size_decimals + 0.5))
    return put_decimal(buf, n, units, feed.size_decimals if units > 0 else 0, feed.spot != 0)


@njit(cache=True)
def put_price(feed: Any, buf: Bytes, n: int, price: float) -> int:
    """Write a price."""
    units = int(np.floor(price * 10.0**feed.price_decimals + 0.5))
    return put_decimal(buf, n, units, feed.price_decimals, feed.spot != 0)


@njit(cache=True)
def _put_level(feed: Any, buf: Bytes, n: int, key: int, h: int, size: float) -> int:
    tick = key if h == 0 else -key
    n = put(buf, n, _OPEN)
    n = put_decimal(buf, n, tick * feed.tick_units, feed.price_decimals, feed.spot != 0)
    n = put(buf, n, _MIDDLE)
    n = put_size(feed, buf, n, size)
    n = put(buf, n, _CLOSE)
    buf[n] = _COMMA
    return n + 1


@njit(cache=True)
def put_head(feed: Any, buf: Bytes, n: int, topic: Bytes, depth: int, delta: bool, ts_ms: int) -> int:
    """Write a message up to the value of `data`."""
    n = put(buf, n, topic)
    if depth > 0:
        n = put_whole(buf, n, depth)
        buf[n] = 46
        n += 1
    n = put_symbol(feed, buf, n)
    kind = _DELTA if delta else _SNAPSHOT
    if feed.spot != 0:
        n = put(buf, n, _TS)
        n = put_whole(buf, n, ts_ms)
        n = put(buf, n, _TYPE_LATER)
        n = put(buf, n, kind)
        return put(buf, n, _DATA_LATER)
    n = put(buf, n, _TYPE)
    n = put(buf, n, kind)
    n = put(buf, n, _TS_LATER)
    n = put_whole(buf, n, ts_ms)
    return put(buf, n, _DATA)


@njit(cache=True)
def _without_comma(buf: Bytes, n: int) -> int:
    return n - 1 if buf[n - 1] == _COMMA else n


@njit(cache=True)
def _put_changes(
    feed: Any, slot: int, h: int, now: NDArray[np.float64], count: int, buf: Bytes, n: int
) -> tuple[int, int]:
    """Write how a side differs from what was pushed, best first; returns the position and the number of changes."""
    keys, sizes = feed.keys[slot, h], feed.sizes[slot, h]
    old = feed.levels[slot, h]
    i = j = changes = 0
    while i < old or j < count:
        key = int(now[j, 0]) if j < count else -(1 << 62)
        if h == 1 and j < count:
            key = -key
        if i < old and (j >= count or keys[i] > key):
            n = _put_level(feed, buf, n, keys[i], h, 0.0)
            i += 1
            changes += 1
            continue
        if i < old and keys[i] == key:
            if sizes[i] != now[j, 1]:
                n = _put_level(feed, buf, n, key, h, now[j, 1])
                changes += 1
            i += 1
        else:
            n = _put_level(feed, buf, n, key, h, now[j, 1])
            changes += 1
        j += 1
    return _without_comma(buf, n), changes


@njit(cache=True)
def keep_levels(feed: Any, slot: int, h: int, now: NDArray[np.float64], count: int) -> bool:
    """Remember a side as pushed; returns whether it differs from before."""
    changed = feed.levels[slot, h] != count
    feed.levels[slot, h] = count
    for j in range(count):
        key = int(now[j, 0])
        if h == 1:
            key = -key
        changed |= feed.keys[slot, h, j] != key or feed.sizes[slot, h, j] != now[j, 1]
        feed.keys[slot, h, j] = key
        feed.sizes[slot, h, j] = now[j, 1]
    return bool(changed)


@njit(cache=True)
def _put_tail(feed: Any, slot: int, book: Any, buf: Bytes, n: int) -> int:
    n = put(buf, n, _U)
    n = put_whole(buf, n, feed.update[slot])
    n = put(buf, n, _SEQ)
    n = put_whole(buf, n, feed.sequence)
    n = put(buf, n, _CTS)
    n = put_whole(buf, n, book.exch_ts // _MS)
    buf[n] = _BRACE
    return n + 1


@njit(cache=True)
def put_snapshot(feed: Any, slot: int, book: Any, buf: Bytes, n: int, ts_ms: int) -> int:
    """Write the book as it was last pushed."""
    n = put_head(feed, buf, n, _BOOK, _DEPTHS[slot], False, ts_ms)
    n = put(buf, n, _S)
    n = put_symbol(feed, buf, n)
    n = put(buf, n, _BIDS)
    for h in range(2):
        for j in range(feed.levels[slot, h]):
            n = _put_level(feed, buf, n, feed.keys[slot, h, j], h, feed.sizes[slot, h, j])
        n = _without_comma(buf, n)
        if h == 0:
            n = put(buf, n, _ASKS)
    return _put_tail(feed, slot, book, buf, n)


@njit(cache=True)
def put_delta(
    feed: Any, slot: int, book: Any, scratch: NDArray[np.float64], buf: Bytes, n: int, ts_ms: int
) -> int:
    """Write what changed since the last push and remember it; returns -1 where nothing did."""
    depth = _DEPTHS[slot]
    n = put_head(feed, buf, n, _BOOK, depth, True, ts_ms)
    n = put(buf, n, _S)
    n = put_symbol(feed, buf, n)
    n = put(buf, n, _BIDS)
    changes = 0
    for h in range(2):
        count = depth_levels(book, 1 - 2 * h, depth, scratch)
        n, more = _put_changes(feed, slot, h, scratch, count, buf, n)
        keep_levels(feed, slot, h, scratch, count)
        changes += more
        if h == 0:
            n = put(buf, n, _ASKS)
    if changes == 0:
        return -1
    feed.update[slot] += 1
    return _put_tail(feed, slot, book, buf, n)


@njit(cache=True)
def finish(buf: Bytes, marks: NDArray[np.int64], count: int, slot: int, payload: int, end: int) -> int:
    """Frame the payload and note where it lies: slot, start of the frame, start of the payload, end."""
    marks[count, 0] = slot
    marks[count, 1] = frame_start(buf, payload, end)
    marks[count, 2] = payload
    marks[count, 3] = end
    return count + 1
