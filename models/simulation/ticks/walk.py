"""When a simulated venue pushes what: a compiled walk over events that writes the messages due on the way.

Books are pushed on a grid of venue time, as often as the venue documents, and only when something changed inside their
depth; trades at once; liquidations collected for half a second. A book is not pushed while it is invalid. Same events,
same messages, whatever the steps in which they are walked.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.book import apply, depth_levels, is_valid
from models.market.tape import END_OF_MESSAGE, LIQUIDATION, TRADE
from models.simulation.ticks.feed_record import (
    DEPTHS,
    LIQUIDATION_PUSH_MS,
    LIQUIDATIONS,
    MAX_WAITING,
    NEVER,
    PUSH_MS,
    REPEAT_NS,
    TRADES,
)
from models.simulation.ticks.messages import finish, keep_levels, put_delta, put_snapshot
from models.simulation.ticks.prints import put_liquidations, put_trades
from models.simulation.ticks.text import HEAD, Bytes

_MS: Final = 1_000_000
_PUSH_NS: Final = np.array(PUSH_MS) * _MS
_DEPTHS: Final = np.array(DEPTHS)
_LIQUIDATION_NS: Final = LIQUIDATION_PUSH_MS * _MS
_MAX_TRADES: Final = 1024
_ROOM: Final = 1 << 19
"""Most bytes one push can take: a thousand levels a side, or a thousand trades."""


@njit(cache=True)
def _next_due(feed: Any) -> tuple[int, int]:
    slot, due = -1, int(NEVER)
    for k in range(4):
        if feed.wanted[k] != 0 and feed.due[k] < due:
            slot, due = k, feed.due[k]
    if feed.liquidations_due < due:
        slot, due = LIQUIDATIONS, feed.liquidations_due
    return slot, due


@njit(cache=True)
def _push_touch(feed: Any, book: Any, scratch: NDArray[np.float64], buf: Bytes, n: int, due: int) -> int:
    changed = False
    for h in range(2):
        count = depth_levels(book, 1 - 2 * h, 1, scratch)
        changed |= keep_levels(feed, 0, h, scratch, count)
    if not changed and due - feed.pushed_ns[0] < REPEAT_NS:
        return -1
    if changed:
        feed.update[0] += 1
    return put_snapshot(feed, 0, book, buf, n, due // _MS)


@njit(cache=True)
def _push(feed: Any, book: Any, slot: int, due: int, scratch: NDArray[np.float64], buf: Bytes, n: int) -> int:
    """Write what is due; returns the end of the payload, -1 where there is nothing to say."""
    if slot == LIQUIDATIONS:
        feed.liquidations_due = NEVER
        return put_liquidations(feed, buf, n, due // _MS)
    feed.dirty[slot] = 0
    feed.due[slot] = NEVER
    end = -1
    if is_valid(book):
        if slot == 0:
            end = _push_touch(feed, book, scratch, buf, n, due)
        else:
            end = put_delta(feed, slot, book, scratch, buf, n, due // _MS)
    if end >= 0:
        feed.pushed_ns[slot] = due
    if slot == 0:
        feed.due[0] = max(feed.pushed_ns[0] + REPEAT_NS, due + _PUSH_NS[0])
    return end


@njit(cache=True)
def _mark_dirty(feed: Any, at_ns: int) -> None:
    for k in range(4):
        if feed.wanted[k] != 0 and feed.dirty[k] == 0:
            feed.dirty[k] = 1
            feed.due[k] = -(-at_ns // _PUSH_NS[k]) * _PUSH_NS[k]


@njit(cache=True)
def _wait(feed: Any, e: Any) -> None:
    if feed.wanted[LIQUIDATIONS] == 0 or feed.waiting == MAX_WAITING:
        return
    k = feed.waiting
    feed.waiting_ts[k] = e.exch_ts
    feed.waiting_side[k] = e.side
    feed.waiting_price[k] = e.price
    feed.waiting_size[k] = e.size
    feed.waiting += 1
    if feed.waiting == 1:
        feed.liquidations_due = -(-e.exch_ts // _LIQUIDATION_NS) * _LIQUIDATION_NS
    elif feed.waiting == MAX_WAITING:
        feed.liquidations_due = e.exch_ts


@njit(cache=True)
def _follow(feed: Any, e: Any) -> None:
    """Count a trade nobody wants to hear of."""
    if e.price != feed.last:
        feed.direction = 1 if e.price > feed.last else -1
    feed.last = e.price
    feed.trades += 1


@njit(cache=True)
def _is_full(n: int, count: int, buf: Bytes, marks: NDArray[np.int64]) -> bool:
    return bool(n + _ROOM > buf.shape[0] or count + 2 > marks.shape[0])


@njit(cache=True)
def _push_due(
    feed: Any,
    book: Any,
    before_ns: int,
    until_ns: int,
    scratch: NDArray[np.float64],
    buf: Bytes,
    marks: NDArray[np.int64],
    n: int,
    count: int,
) -> tuple[int, int, bool]:
    """Push what is due before one instant and up to another: next position, messages, whether there was room for all."""
    slot, due = _next_due(feed)
    while due < before_ns and due <= until_ns:
        if _is_full(n, count, buf, marks):
            return n, count, False
        end = _push(feed, book, slot, due, scratch, buf, n)
        if end >= 0:
            count = finish(buf, marks, count, slot, n, end)
            n = end + HEAD
        slot, due = _next_due(feed)
    return n, count, True


@njit(cache=True)
def _take_instant(
    feed: Any, book: Any, events: NDArray[np.void], i: int, which: NDArray[np.int64]
) -> tuple[int, int]:
    """Apply the events of one instant, those of its trades noted in `which`: next row, number of trades."""
    t = events[i].exch_ts
    trades = 0
    while i < events.shape[0] and events[i].exch_ts == t and trades < which.shape[0]:
        e = events[i]
        feed.sequence += 1
        apply(book, e)
        if e.kind == END_OF_MESSAGE:
            _mark_dirty(feed, t)
        elif e.kind == LIQUIDATION:
            _wait(feed, e)
        elif e.kind == TRADE and feed.wanted[TRADES] != 0:
            which[trades] = i
            trades += 1
        elif e.kind == TRADE:
            _follow(feed, e)
        i += 1
    return i, trades


@njit(cache=True)
def walk(
    feed: Any,
    book: Any,
    events: NDArray[np.void],
    first: int,
    until_ns: int,
    scratch: NDArray[np.float64],
    buf: Bytes,
    marks: NDArray[np.int64],
) -> tuple[int, int, bool]:
    """Walk events from row `first` and push all that is due up to `until_ns`.

    Returns the next row, the number of messages, and whether the walk was finished: else the buffer is full and the walk
    goes on from that row. Every event must lie at or before `until_ns` and after the walk before.
    """
    which = np.empty(_MAX_TRADES, dtype=np.int64)
    n = HEAD
    count = 0
    i = first
    while True:
        t = int(events[i].exch_ts) if i < events.shape[0] else int(NEVER)
        n, count, room = _push_due(feed, book, t, until_ns, scratch, buf, marks, n, count)
        if not room or i >= events.shape[0]:
            return i, count, room
        if _is_full(n, count, buf, marks):
            return i, count, False
        i, trades = _take_instant(feed, book, events, i, which)
        if trades > 0:
            end = put_trades(feed, events, which, trades, buf, n)
            count = finish(buf, marks, count, TRADES, n, end)
            n = end + HEAD


@njit(cache=True)
def begin(feed: Any, slot: int, book: Any, scratch: NDArray[np.float64]) -> None:
    """Remember the book as it is now as pushed."""
    for h in range(2):
        count = depth_levels(book, 1 - 2 * h, _DEPTHS[slot], scratch)
        keep_levels(feed, slot, h, scratch, count)
