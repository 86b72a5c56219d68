"""Binance stream messages and REST snapshots into rows, compiled. Source: the venue's stream documentation.

Order book: futures diffs chain by `pu`, spot diffs by `U`; a diff that ends at or before the book's last update is old;
the first diff after a snapshot must cover the snapshot's `lastUpdateId`. A broken chain is a gap. `bookTicker` gives the
touch, ordered against the diffs by `u`; partial-depth streams (`@depth20`) replace the book. Venue time is `T`, else
`E`; spot's `bookTicker` has neither. `m` true means that the buyer was the maker: a sell. `S` of a `forceOrder` is
the side of the *order* (the opposite of Bybit's convention). `trade` and `aggTrade` tell the same trades twice: the one
seen first is used. Prints without a price (insurance fund, auto-deleveraging) did not meet the book and are left out.

What does not belong here: blocks, chunks, replaying diffs that came before their snapshot (`binance.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from models.market.readers.binance_data import (
    AGGREGATE_EVENT,
    ASK,
    ASK_SIZE,
    AVERAGE_PRICE,
    BID,
    BID_SIZE,
    BOOK_TICKER,
    DEPTH_UPDATE,
    FILLED,
    FINAL,
    FIRST,
    FORCE_EVENT,
    FROM_AGGREGATE,
    FROM_TRADE,
    INDEX_PRICE,
    LAST_UPDATE,
    MARK_EVENT,
    PREVIOUS,
    PRICE,
    QUANTITY,
    REST_ID,
    SIGN,
    SYMBOL_START,
    SYMBOL_STOP,
    TIME_MS,
    TRADE_EVENT,
    Counts,
    Values,
    is_partial,
    is_whole,
    name_event,
    new_fields,
    read_fields,
    reset_fields,
    venue_time_ns,
)
from models.market.readers.blocks import DUPLICATES, GAPS, IGNORED, OFF_BOOK, STALE, STREAMS
from models.market.readers.scan import (
    END_OF_OBJECT,
    Bytes,
    put,
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
from models.market.tape import DEPTH, GAP, INDEX, LIQUIDATION, MARK, SNAPSHOT_START, TRADE, Events


@njit(cache=True)
def _finish_diff(
    stream: Any, counts: Counts, out: Events, first: int, n: int, local_ts: int, numbers: Counts
) -> int:
    """Apply the venue's sequence rules to a diff; returns the row after the last."""
    last, previous, final = stream.last_update, numbers[PREVIOUS], numbers[FINAL]
    gap = False
    if stream.synced != 0:
        if final <= last:
            counts[DUPLICATES] += 1 - stream.fresh  # right after a snapshot older diffs are expected
            return first
        start = previous if previous >= 0 else numbers[FIRST] - 1
        gap = start > last if stream.fresh != 0 else start != last
        stream.fresh = 0
        if gap:
            counts[GAPS] += 1
            stream.synced = 0
    stream.last_update = final
    stream.book_sequence = final
    n = drop_outdated(stream, out, first, n, final)
    return insert_row(out, first, n, local_ts, GAP) if gap else n


@njit(cache=True)
def _finish_book(
    stream: Any,
    counts: Counts,
    out: Events,
    first: int,
    n: int,
    local_ts: int,
    numbers: Counts,
    partial: bool,
) -> int:
    """Turn levels into a snapshot or a diff, close the message; returns the row after the last."""
    rest = numbers[REST_ID]
    if rest >= 0 or partial:
        n = as_snapshot(out, first, n, local_ts)
        stream.synced = 0 if partial else 1
        stream.fresh = stream.synced
        stream.last_update = rest if rest >= 0 else numbers[FINAL]
        stream.book_sequence = stream.last_update
        stream.touch_sequence = 0
    else:
        n = _finish_diff(stream, counts, out, first, n, local_ts, numbers)
    return end_message(out, n, local_ts, 0) if n > first else n


@njit(cache=True)
def _finish_touch(
    stream: Any, counts: Counts, out: Events, n: int, local_ts: int, numbers: Counts, values: Values
) -> int:
    if numbers[FINAL] < stream.book_sequence or numbers[FINAL] < stream.touch_sequence:
        counts[STALE] += 1
        return n
    after = put(out, n, local_ts, 0, DEPTH, 1, values[BID], values[BID_SIZE])
    after = put(out, after, local_ts, 0, DEPTH, -1, values[ASK], values[ASK_SIZE])
    after = as_touch(stream, out, n, after, numbers[FINAL])
    return end_message(out, after, local_ts, 0) if after > n else n


@njit(cache=True)
def _finish_trade(
    stream: Any,
    counts: Counts,
    out: Events,
    n: int,
    local_ts: int,
    numbers: Counts,
    values: Values,
    source: int,
) -> int:
    if stream.trade_source == 0:
        stream.trade_source = source
    if stream.trade_source != source:
        counts[IGNORED] += 1
        return n
    if not values[PRICE] > 0.0 or not values[QUANTITY] > 0.0:
        counts[OFF_BOOK] += 1
        return n
    return put(out, n, local_ts, 0, TRADE, numbers[SIGN], values[PRICE], values[QUANTITY])


@njit(cache=True)
def _finish_other(
    counts: Counts, out: Events, n: int, local_ts: int, event: np.uint64, numbers: Counts, values: Values
) -> int:
    """Rows of mark prices and forced orders; everything else is ignored."""
    if event == MARK_EVENT:
        numbers[TIME_MS] = 0  # of this event `T` is the next funding time
        if values[PRICE] > 0.0:
            n = put(out, n, local_ts, 0, MARK, 0, values[PRICE], 0.0)
        if values[INDEX_PRICE] > 0.0:
            n = put(out, n, local_ts, 0, INDEX, 0, values[INDEX_PRICE], 0.0)
    elif event == FORCE_EVENT:
        price = values[AVERAGE_PRICE] if values[AVERAGE_PRICE] > 0.0 else values[PRICE]
        size = values[FILLED] if values[FILLED] > 0.0 else values[QUANTITY]
        n = put(out, n, local_ts, 0, LIQUIDATION, numbers[SIGN], price, size)
    else:
        counts[IGNORED] += 1
    return n


@njit(cache=True)
def _owner(streams: Any, counts: Counts, buf: Bytes, numbers: Counts) -> int:
    """Return the number of the symbol; a REST snapshot names none and belongs to the only one there is."""
    if numbers[SYMBOL_START] > 0:
        return find_stream(streams, counts, buf, numbers[SYMBOL_START], numbers[SYMBOL_STOP])
    return 0 if counts[STREAMS] == 1 else -1


@njit(cache=True)
def binance_frame(
    buf: Bytes,
    i: int,
    local_ts: int,
    depth_only: bool,
    streams: Any,
    counts: Counts,
    out: Events,
    stream_of: npt.NDArray[np.int32],
    first: int,
    numbers: Counts,
    values: Values,
) -> int:
    """Read one message at `i` into rows from `first`; returns the row after the last, -1 when it is malformed."""
    reset_fields(numbers, values)
    i, n, event = read_fields(buf, i, out, first, local_ts, numbers, values)
    event = name_event(event, numbers, values)
    if i < 0 or not is_whole(event, numbers, values):
        return -1
    if event == END_OF_OBJECT:
        counts[IGNORED] += 1
        return first
    owner = _owner(streams, counts, buf, numbers)
    if owner < 0:
        return -1
    if event == DEPTH_UPDATE or event == LAST_UPDATE:  # noqa: SIM109
        n = _finish_book(streams[owner], counts, out, first, n, local_ts, numbers, is_partial(buf, numbers))
    elif depth_only:
        return first
    elif event == BOOK_TICKER:
        n = _finish_touch(streams[owner], counts, out, first, local_ts, numbers, values)
    elif event == TRADE_EVENT or event == AGGREGATE_EVENT:  # noqa: SIM109
        source = FROM_TRADE if event == TRADE_EVENT else FROM_AGGREGATE
        n = _finish_trade(streams[owner], counts, out, first, local_ts, numbers, values, source)
    else:
        n = _finish_other(counts, out, first, local_ts, event, numbers, values)
    set_times(out, first, n, local_ts, venue_time_ns(numbers))
    for k in range(first, n):
        stream_of[k] = owner
    return n


@njit(cache=True)
def binance_lines(
    buf: Bytes,
    ends: npt.NDArray[np.int64],
    line: int,
    streams: Any,
    counts: Counts,
    out: Events,
    stream_of: npt.NDArray[np.int32],
    n: int,
) -> tuple[int, int, int]:
    """Read `<receive time ns> {message}` lines from number `line` into rows from `n`.

    Stops before a line that might not fit and after a REST snapshot, whose stream it names: diffs received before it
    may be newer than it, and must be read again. Returns the next line, the next row and that stream, or -1.
    """
    numbers, values = new_fields()
    while line < ends.shape[0]:
        start = ends[line - 1] + 1 if line > 0 else 0
        if not fits(start, ends[line], n, out):
            return line, n, -1
        line += 1
        if ends[line - 1] == start:
            continue
        local_ts, i = begin_line(buf, start, counts, True)
        after = (
            binance_frame(buf, i, local_ts, False, streams, counts, out, stream_of, n, numbers, values)
            if i >= 0
            else -1
        )
        if after < 0:
            count_malformed(counts)
            continue
        if after > n and streams[stream_of[n]].fresh == 1 and out[n].kind == SNAPSHOT_START:
            return line, after, stream_of[n]
        n = after
    return line, n, -1


@njit(cache=True)
def _is_diff_of(
    buf: Bytes,
    i: int,
    owner: int,
    streams: Any,
    counts: Counts,
    out: Events,
    n: int,
    numbers: Counts,
    values: Values,
) -> bool:
    reset_fields(numbers, values)
    i, _, event = read_fields(buf, i, out, n, 0, numbers, values)
    if i < 0 or event != DEPTH_UPDATE or numbers[SYMBOL_START] == 0:
        return False
    return find_stream(streams, counts, buf, numbers[SYMBOL_START], numbers[SYMBOL_STOP]) == owner


@njit(cache=True)
def binance_replay(
    buf: Bytes,
    ends: npt.NDArray[np.int64],
    line: int,
    stop: int,
    local_ts: int,
    owner: int,
    streams: Any,
    counts: Counts,
    out: Events,
    stream_of: npt.NDArray[np.int32],
    n: int,
) -> tuple[int, int]:
    """Read the order-book diffs of lines up to `stop` again, as if received at `local_ts`, for one stream.

    Returns the next line and the next row; stops before a line that might not fit.
    """
    numbers, values = new_fields()
    while line < stop:
        start = ends[line - 1] + 1 if line > 0 else 0
        if not fits(start, ends[line], n, out):
            return line, n
        if ends[line] > start:
            _, i = begin_line(buf, start, counts, True)
            if i >= 0 and _is_diff_of(buf, i, owner, streams, counts, out, n, numbers, values):
                after = binance_frame(
                    buf, i, local_ts, True, streams, counts, out, stream_of, n, numbers, values
                )
                n = after if after > n else n
        line += 1
    return line, n
