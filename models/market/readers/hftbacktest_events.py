"""hftbacktest's event arrays, both ways, without importing hftbacktest.

To hftbacktest: best-level rows become plain depth rows (its hash-map depth does not read them), which takes a book; a
`SNAPSHOT_START` becomes a clear of each side; kinds it does not know are left out, gaps among them. It needs venue times
that never decrease and never exceed the receive time: a venue time that runs back is raised to the largest seen, one
that is missing becomes it, and a tape with negative latencies is refused, since only a person can say what offset is true.

From hftbacktest: rows of the local side, one `END_OF_MESSAGE` after book rows of one receive time. A clear up to a price
becomes a clear of the whole side: hftbacktest's converters write it in front of a snapshot, which holds all they knew.

What does not belong here: reading `.npz` files. Source: hftbacktest 2.4, `types.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.errors import DataError
from models.market.book import NO_BID, Book, apply, new_books
from models.market.book_levels import next_key
from models.market.readers.scan import put
from models.market.tape import (
    BBO,
    DEPTH,
    END_OF_MESSAGE,
    EVENT,
    SNAPSHOT,
    SNAPSHOT_START,
    TRADE,
    Events,
    require_sorted,
)

__all__ = ["HFT_EVENT", "from_hftbacktest", "to_hftbacktest"]

HFT_EVENT: Final = np.dtype(
    [
        ("ev", np.uint64),
        ("exch_ts", np.int64),
        ("local_ts", np.int64),
        ("px", np.float64),
        ("qty", np.float64),
        ("order_id", np.uint64),
        ("ival", np.int64),
        ("fval", np.float64),
    ],
    align=True,
)
"""hftbacktest's `event_dtype`."""

_DEPTH_EVENT: Final = 1
_TRADE_EVENT: Final = 2
_CLEAR_EVENT: Final = 3
_SNAPSHOT_EVENT: Final = 4
_BBO_EVENT: Final = 5
_EXCH: Final = 1 << 31
_LOCAL: Final = 1 << 30
_BUY: Final = 1 << 29
_SELL: Final = 1 << 28
_KIND_MASK: Final = 0xFF
_KIND_OF: Final = {
    _DEPTH_EVENT: DEPTH,
    _TRADE_EVENT: TRADE,
    _CLEAR_EVENT: SNAPSHOT_START,
    _SNAPSHOT_EVENT: SNAPSHOT,
    _BBO_EVENT: BBO,
}


@njit(cache=True)
def _touch_rows(book: Book, event: Any, out: Events, n: int) -> int:
    """Write what a best-level row does to the book as depth rows; counts only where `out` is empty."""
    side = event.side
    h = 0 if side > 0 else 1
    tick = int(np.floor(event.price * book.ticks_per_unit + 0.5))
    limit = tick if side > 0 else -tick
    key = book.best[h]
    while key > limit and key != NO_BID:
        if out.shape[0] > 0:
            price = (key if side > 0 else -key) * book.tick_size
            put(out, n, event.local_ts, event.exch_ts, DEPTH, side, price, 0.0)
        n += 1
        key = next_key(book, h, key)
    if out.shape[0] > 0:
        put(out, n, event.local_ts, event.exch_ts, DEPTH, side, event.price, event.size)
    return n + 1


@njit(cache=True)
def _expand(book: Book, events: Events, out: Events) -> int:
    """Copy the rows hftbacktest knows, with the touch spelled out; counts only where `out` is empty."""
    n = 0
    for i in range(events.shape[0]):
        event = events[i]
        kind = event.kind
        if kind == BBO:
            n = _touch_rows(book, event, out, n)
        elif kind == SNAPSHOT_START and event.side == 0:
            for side in (1, -1):
                if out.shape[0] > 0:
                    put(out, n, event.local_ts, event.exch_ts, kind, side, np.nan, 0.0)
                n += 1
        elif kind == DEPTH or kind == SNAPSHOT or kind == SNAPSHOT_START or kind == TRADE:  # noqa: SIM109
            if out.shape[0] > 0:
                out[n] = event
            n += 1
        apply(book, event)
    return n


def to_hftbacktest(chunks: Iterable[Events], tick_size: float) -> Iterator[npt.NDArray[np.void]]:
    """Convert a tape, chunk by chunk.

    Parameters
    ----------
    chunks : iterable of tapes
        One symbol, sorted by `local_ts` over all chunks.
    tick_size : float
        Price step, quote per base.

    Yields
    ------
    array of HFT_EVENT

    Raises
    ------
    DataError
        When a row was received before the venue stamped it.

    """
    books = new_books([tick_size])
    latest = 0
    for chunk in chunks:
        before = books.copy()
        rows = _expand(books[0], chunk, np.empty(0, dtype=EVENT))
        expanded = np.zeros(rows, dtype=EVENT)
        _expand(before[0], chunk, expanded)
        if not rows:
            continue
        exch_ts = np.maximum.accumulate(np.maximum(expanded["exch_ts"], latest))
        early = int((exch_ts - expanded["local_ts"]).max())
        if early > 0:
            raise DataError(
                f"tape for hftbacktest: expected receive times after venue times, was {early} ns before",
                remedy="shift_receive_time by the offset you hold true (the tape's report names the least)",
            )
        latest = int(exch_ts[-1])
        yield _as_hft(expanded, exch_ts)


def _as_hft(events: Events, exch_ts: npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
    converted = np.zeros(events.size, dtype=HFT_EVENT)
    code = np.zeros(256, dtype=np.uint64)
    for theirs, ours in _KIND_OF.items():
        code[ours] = theirs
    side = np.where(events["side"] > 0, _BUY, np.where(events["side"] < 0, _SELL, 0)).astype(np.uint64)
    converted["ev"] = code[events["kind"]] | side | np.uint64(_EXCH | _LOCAL)
    converted["exch_ts"] = exch_ts
    converted["local_ts"] = events["local_ts"]
    converted["px"] = np.where(events["kind"] == SNAPSHOT_START, np.nan, events["price"])
    converted["qty"] = events["size"]
    return converted


def from_hftbacktest(array: npt.NDArray[np.void]) -> Events:
    """Convert an event array of hftbacktest into a tape.

    Parameters
    ----------
    array : array of HFT_EVENT
        As its converters make them; the local side sorted by receive time.

    Raises
    ------
    DataError
        When a row is of a kind a tape does not have (orders of a level-3 feed), or receive times run back.

    """
    rows = array[(array["ev"] & np.uint64(_LOCAL)) != 0]
    theirs = (rows["ev"] & np.uint64(_KIND_MASK)).astype(np.int64)
    unknown = sorted(set(np.unique(theirs).tolist()) - set(_KIND_OF))
    if unknown:
        raise DataError(f"hftbacktest events: expected kinds {sorted(_KIND_OF)}, was {unknown}")
    events = np.zeros(rows.size, dtype=EVENT)
    kinds = np.zeros(_KIND_MASK + 1, dtype=np.uint8)
    for code, kind in _KIND_OF.items():
        kinds[code] = kind
    events["kind"] = kinds[theirs]
    buy, sell = (rows["ev"] & np.uint64(_BUY)) != 0, (rows["ev"] & np.uint64(_SELL)) != 0
    events["side"] = buy.astype(np.int8) - sell.astype(np.int8)
    events["local_ts"], events["exch_ts"] = rows["local_ts"], rows["exch_ts"]
    clears = events["kind"] == SNAPSHOT_START
    events["price"] = np.where(clears, 0.0, rows["px"])
    events["size"] = np.where(clears, 0.0, rows["qty"])
    require_sorted(events)
    return _with_ends(events)


def _with_ends(events: Events) -> Events:
    """Close every stretch of rows of one receive time that touched the book."""
    if not events.size:
        return events
    last = np.flatnonzero(np.append(np.diff(events["local_ts"]) != 0, True))
    first = np.append(0, last[:-1] + 1)
    touched = np.add.reduceat((events["kind"] != TRADE).astype(np.int64), first) > 0
    at = last[touched]
    ends = np.zeros(at.size, dtype=EVENT)
    ends["kind"] = END_OF_MESSAGE
    ends["local_ts"], ends["exch_ts"] = events["local_ts"][at], events["exch_ts"][at]
    merged: Events = np.insert(events, at + 1, ends)
    return merged
