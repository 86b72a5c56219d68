"""What the compiled parsers of venues share: the record of a symbol's stream, and rows of order-book messages.

What does not belong here: a venue's sequence rules (`bybit_frames.py`, `binance_frames.py`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.market.readers.blocks import FIRST_MALFORMED, MALFORMED, MESSAGES, STREAMS
from models.market.readers.scan import Bytes, put, skip_space, span_hash, whole_number
from models.market.tape import BBO, DEPTH, END_OF_MESSAGE, SNAPSHOT, SNAPSHOT_START, Events

MAX_STREAMS: Final = 1024
SYMBOL_BYTES: Final = 32

STREAM: Final = np.dtype(
    [
        ("symbol", np.uint8, (SYMBOL_BYTES,)),
        ("length", np.int64),
        ("name", np.uint64),
        ("depth", np.int64),
        ("synced", np.uint8),
        ("fresh", np.uint8),
        ("trade_source", np.uint8),
        ("last_update", np.int64),
        ("book_sequence", np.int64),
        ("touch_sequence", np.int64),
        ("touch_bid", np.float64),
        ("touch_ask", np.float64),
    ],
    align=True,
)
"""A symbol's stream. `synced`: a snapshot came and nothing was lost since; `fresh`: it was the last book message.
`book_sequence` and `touch_sequence` order depth against best-level messages of one venue."""


def new_streams() -> npt.NDArray[Any]:
    """Return records for `MAX_STREAMS` symbols, none of them used yet."""
    return np.zeros(MAX_STREAMS, dtype=STREAM)


@njit(cache=True)
def find_stream(streams: Any, counts: npt.NDArray[np.int64], buf: Bytes, start: int, stop: int) -> int:
    """Return the number of the symbol named by `buf[start:stop]`, adding it when new; -1 when there is no room."""
    name = span_hash(buf, start, stop)
    used = counts[STREAMS]
    for k in range(used):
        if streams[k].name == name:
            return k
    if used >= streams.shape[0] or stop - start > SYMBOL_BYTES or stop <= start:
        return -1
    for i in range(start, stop):
        streams[used].symbol[i - start] = buf[i]
    streams[used].length = stop - start
    streams[used].name = name
    counts[STREAMS] += 1
    return int(used)


@njit(cache=True)
def fits(start: int, end: int, n: int, out: Events) -> bool:
    """Say whether the rows of a line fit: each takes at least 5 bytes of text, a message adds at most three."""
    return bool(n + (end - start) // 5 + 4 <= out.shape[0])


@njit(cache=True)
def begin_line(buf: Bytes, i: int, counts: npt.NDArray[np.int64], stamped: bool) -> tuple[int, int]:
    """Count a line and read its receive time.

    Returns that time, -1 where lines carry none, and the next position, -1 when the line is malformed.
    """
    counts[MESSAGES] += 1
    if not stamped:
        return -1, skip_space(buf, i)
    local_ts, i = whole_number(buf, i)
    return local_ts, (skip_space(buf, i) if i >= 0 and local_ts > 0 else -1)


@njit(cache=True)
def count_malformed(counts: npt.NDArray[np.int64]) -> None:
    """Count a line that could not be read."""
    counts[MALFORMED] += 1
    if counts[FIRST_MALFORMED] == 0:
        counts[FIRST_MALFORMED] = counts[MESSAGES]


@njit(cache=True)
def set_times(out: Events, first: int, last: int, local_ts: int, exch_ts: int) -> None:
    """Give rows their venue time where they have none of their own, and a receive time where lines carry none."""
    for k in range(first, last):
        if out[k].exch_ts == 0:
            out[k].exch_ts = exch_ts
        if out[k].local_ts < 0:
            out[k].local_ts = local_ts


@njit(cache=True)
def insert_row(out: Events, first: int, last: int, local_ts: int, kind: int) -> int:
    """Put a row of `kind` in front of a message's rows; returns the row after the last."""
    for k in range(last, first, -1):
        out[k] = out[k - 1]
    put(out, first, local_ts, 0, kind, 0, 0.0, 0.0)
    return last + 1


@njit(cache=True)
def as_snapshot(out: Events, first: int, last: int, local_ts: int) -> int:
    """Turn rows of levels into a snapshot; returns the row after the last."""
    for k in range(first, last):
        if out[k].kind == DEPTH:
            out[k].kind = SNAPSHOT
    return insert_row(out, first, last, local_ts, SNAPSHOT_START)


@njit(cache=True)
def end_message(out: Events, n: int, local_ts: int, exch_ts: int) -> int:
    """Close a message that touched the book."""
    return put(out, n, local_ts, exch_ts, END_OF_MESSAGE, 0, 0.0, 0.0)


@njit(cache=True)
def as_touch(stream: Any, out: Events, first: int, last: int, sequence: int) -> int:
    """Turn rows of levels into best-level rows and remember them; deletions go, the new best replaces them."""
    kept = first
    for k in range(first, last):
        if out[k].size > 0.0:
            out[kept] = out[k]
            out[kept].kind = BBO
            if out[k].side > 0:
                stream.touch_bid = out[k].price
            else:
                stream.touch_ask = out[k].price
            kept += 1
    stream.touch_sequence = sequence
    return kept


@njit(cache=True)
def drop_outdated(stream: Any, out: Events, first: int, last: int, sequence: int) -> int:
    """Drop the levels of an older depth message at or beyond a touch that is already known to be newer."""
    if sequence >= stream.touch_sequence:
        return last
    kept = first
    for k in range(first, last):
        bid = out[k].side > 0
        if (bid and out[k].price < stream.touch_bid) or (not bid and out[k].price > stream.touch_ask):
            out[kept] = out[k]
            kept += 1
    return kept
