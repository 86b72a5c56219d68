"""Bybit v5 WebSocket messages into rows, compiled. Source: the venue's v5 documentation, public linear and spot topics.

Rules of the order book: `u` counts by one within a topic; a snapshot replaces the book whatever its `u` (1 after a
restart of the service); a delta whose `u` repeats is a duplicate, any other break is a gap. The first topic deeper
than level 1 is a symbol's book; level 1 beside it gives the touch, ordered against the book by `seq`; other depths
are ignored. Venue time is the matching engine's `cts` (old recordings: `ts`), a trade's own `T`.

What does not belong here: what is inside `data` (`bybit_data.py`), blocks and chunks (`bybit.py`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.market.readers.blocks import DUPLICATES, GAPS, IGNORED, STALE
from models.market.readers.bybit_data import (
    BOOK_TOPIC,
    NS_PER_MS,
    TICKER_TOPIC,
    TRADE_TOPIC,
    Counts,
    read_data,
    split_topic,
)
from models.market.readers.scan import (
    END_OF_OBJECT,
    OBJECT,
    Bytes,
    name_hash,
    next_key,
    skip_value,
    span_hash,
    string_end,
    whole_number,
)
from models.market.readers.streams import (
    as_snapshot,
    as_touch,
    begin_line,
    count_malformed,
    drop_outdated,
    end_message,
    find_stream,
    fits,
    insert_row,
    set_times,
)
from models.market.readers.trade_ids import begin, commit
from models.market.tape import GAP, Events

_TOPIC: Final = name_hash("topic")
_TYPE: Final = name_hash("type")
_TS: Final = name_hash("ts")
_CTS: Final = name_hash("cts")
_DATA: Final = name_hash("data")
_SNAPSHOT: Final = name_hash("snapshot")

# Places of what lies around `data`.
_START: Final = 0
_STOP: Final = 1
_AT_DATA: Final = 2
_IS_SNAPSHOT: Final = 3
_TIME_MS: Final = 4
_PUSH_MS: Final = 5
_OWNER: Final = 6
_ENVELOPE: Final = 7


@njit(cache=True)
def _finish_touch(stream: Any, counts: Counts, out: Events, first: int, n: int, sequence: int) -> int:
    if sequence < stream.book_sequence or sequence < stream.touch_sequence:
        counts[STALE] += 1
        return first
    return as_touch(stream, out, first, n, sequence)


@njit(cache=True)
def _finish_delta(
    stream: Any, counts: Counts, out: Events, first: int, n: int, local_ts: int, update: int, sequence: int
) -> int:
    n = drop_outdated(stream, out, first, n, sequence)
    if stream.synced == 0:
        return n
    if update == stream.last_update:
        counts[DUPLICATES] += 1
        return first
    if update != stream.last_update + 1:
        counts[GAPS] += 1
        stream.synced = 0
        return insert_row(out, first, n, local_ts, GAP)
    return n


@njit(cache=True)
def _finish_book(
    stream: Any,
    counts: Counts,
    out: Events,
    first: int,
    n: int,
    local_ts: int,
    depth: int,
    snapshot: bool,
    update: int,
    sequence: int,
) -> int:
    """Apply the venue's sequence rules to the rows of an order-book message; returns the row after the last."""
    if stream.depth == 0 or (depth > 1 and stream.depth == 1):
        stream.depth = depth
        stream.synced = 0
    if depth != stream.depth:
        if depth == 1:
            return _finish_touch(stream, counts, out, first, n, sequence)
        counts[IGNORED] += 1
        return first
    if snapshot:
        n = as_snapshot(out, first, n, local_ts)
        stream.synced = 1
        # A restart may reset `seq`: what was known of the touch belongs to the old book.
        stream.touch_sequence = 0
    else:
        n = _finish_delta(stream, counts, out, first, n, local_ts, update, sequence)
    stream.last_update = update
    stream.book_sequence = sequence
    return n


@njit(cache=True)
def _keys_until_data(buf: Bytes, i: int, envelope: Counts) -> int:
    """Read the keys around `data` into `envelope`; returns the position of its value, or after the message."""
    envelope[_AT_DATA] = 0
    while True:
        key, i = next_key(buf, i)
        if i < 0 or key == END_OF_OBJECT:
            return i
        if key == _DATA:
            envelope[_AT_DATA] = 1
            return i
        if key == _TOPIC:
            envelope[_START] = i + 1
            envelope[_STOP] = string_end(buf, i + 1)
            i = skip_value(buf, i)
        elif key == _TYPE:
            end = skip_value(buf, i)
            envelope[_IS_SNAPSHOT] = 1 if end > 0 and span_hash(buf, i + 1, end - 1) == _SNAPSHOT else 0
            i = end
        elif key == _TS:
            envelope[_PUSH_MS], i = whole_number(buf, i)
        elif key == _CTS:
            envelope[_TIME_MS], i = whole_number(buf, i)
        else:
            i = skip_value(buf, i)
        if i < 0:
            return -1


@njit(cache=True)
def _read_owned(
    buf: Bytes,
    i: int,
    envelope: Counts,
    streams: Any,
    seen: Any,
    counts: Counts,
    out: Events,
    n: int,
    local_ts: int,
) -> tuple[int, int, int, int]:
    """Read `data` at `i`, the topic being known; a symbol there is no room for is passed over."""
    kind, _, symbol = split_topic(buf, envelope[_START], envelope[_STOP])
    owner = find_stream(streams, counts, buf, symbol, envelope[_STOP])
    envelope[_OWNER] = owner
    if owner < 0:
        return skip_value(buf, i), n, 0, 0
    begin(seen[owner])
    return read_data(buf, i, kind, counts, seen[owner], out, n, local_ts)


@njit(cache=True)
def _read_envelope(
    buf: Bytes,
    i: int,
    envelope: Counts,
    streams: Any,
    seen: Any,
    counts: Counts,
    out: Events,
    n: int,
    local_ts: int,
) -> tuple[int, int, int, int]:
    """Read a message: next position, next row, `u` and `seq`; what lies around `data` is left in `envelope`."""
    envelope[:] = 0
    envelope[_OWNER] = -1
    update = sequence = 0
    later = -1
    if buf[i] != OBJECT:
        return -1, n, update, sequence
    i = _keys_until_data(buf, i + 1, envelope)
    while i >= 0 and envelope[_AT_DATA] != 0:
        if envelope[_START] > 0:
            i, n, update, sequence = _read_owned(buf, i, envelope, streams, seen, counts, out, n, local_ts)
        else:
            later = i
            i = skip_value(buf, i)
        if i >= 0:
            i = _keys_until_data(buf, i, envelope)
    if i >= 0 and later >= 0 and envelope[_START] > 0:
        i, n, update, sequence = _read_owned(buf, later, envelope, streams, seen, counts, out, n, local_ts)
    return i, n, update, sequence


@njit(cache=True)
def bybit_frame(
    buf: Bytes,
    i: int,
    local_ts: int,
    streams: Any,
    seen: Any,
    counts: Counts,
    out: Events,
    stream_of: npt.NDArray[np.int32],
    first: int,
) -> int:
    """Read one message at `i` into rows from `first`; returns the row after the last, -1 when it is malformed.

    A negative `local_ts` means that none was recorded: the venue's push time takes its place.
    """
    envelope = np.zeros(_ENVELOPE, dtype=np.int64)
    i, n, update, sequence = _read_envelope(buf, i, envelope, streams, seen, counts, out, first, local_ts)
    start, stop, owner = envelope[_START], envelope[_STOP], envelope[_OWNER]
    if i < 0 or (n > first and envelope[_PUSH_MS] <= 0):
        return -1
    if start == 0 or owner < 0:
        counts[IGNORED] += 1
        return first
    kind, depth, _ = split_topic(buf, start, stop)
    if kind == BOOK_TOPIC:
        snapshot = envelope[_IS_SNAPSHOT] != 0
        n = _finish_book(streams[owner], counts, out, first, n, local_ts, depth, snapshot, update, sequence)
        if n > first:
            n = end_message(out, n, local_ts, 0)
    elif n == first and kind != TICKER_TOPIC and kind != TRADE_TOPIC:
        counts[IGNORED] += 1
    commit(seen[owner])
    push_ms = envelope[_PUSH_MS]
    time_ms = envelope[_TIME_MS] if envelope[_TIME_MS] > 0 else push_ms
    set_times(out, first, n, push_ms * NS_PER_MS, time_ms * NS_PER_MS)
    for k in range(first, n):
        stream_of[k] = owner
    return n


@njit(cache=True)
def bybit_lines(
    buf: Bytes,
    ends: npt.NDArray[np.int64],
    line: int,
    stamped: bool,
    streams: Any,
    seen: Any,
    counts: Counts,
    out: Events,
    stream_of: npt.NDArray[np.int32],
    n: int,
) -> tuple[int, int]:
    """Read lines from number `line` into rows from `n`, stopping before one that might not fit.

    Lines are `<receive time ns> {message}` where `stamped`, else `{message}`; `ends` holds the positions of their
    newlines. Returns the next line and the next row.
    """
    while line < ends.shape[0]:
        start = ends[line - 1] + 1 if line > 0 else 0
        if not fits(start, ends[line], n, out):
            return line, n
        if ends[line] > start:
            local_ts, i = begin_line(buf, start, counts, stamped)
            after = bybit_frame(buf, i, local_ts, streams, seen, counts, out, stream_of, n) if i >= 0 else -1
            if after < 0:
                count_malformed(counts)
            else:
                n = after
        line += 1
    return line, n
