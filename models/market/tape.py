"""The event tape: what happened in a market, in the order it was received, as one structured array.

Here: the row (`EVENT`), the kinds of events, columns in and out, sorting and merging of streams in bounded memory.
Elsewhere: what is wrong with a tape (`tape_report.py`), venue formats (`readers/`), files (the pipeline), the book
that a tape drives (`book.py`).

Two times on every row. `local_ts` is when the recorder received it: the order of the tape, and the only time a
feature may use. `exch_ts` is the venue's own stamp, `NO_TIME` where the venue gave none. Their difference may be
negative: two clocks are two clocks, and nothing here hides that.

One venue message becomes consecutive rows with one `local_ts`, closed by `END_OF_MESSAGE` where it touched the book:
between them a book may be crossed or half replaced, and nothing may look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.errors import DataError

Events = npt.NDArray[np.void]
"""Array of dtype `EVENT`, sorted by `local_ts`, rows of one message adjacent."""

EVENT: Final = np.dtype(
    [
        ("local_ts", np.int64),
        ("exch_ts", np.int64),
        ("kind", np.uint8),
        ("side", np.int8),
        ("price", np.float64),
        ("size", np.float64),
    ],
    align=True,
)
"""Receive and venue time (ns UTC), kind, side (+1/-1/0), price (quote per base), size (base); 40 bytes."""

TRADE: Final = 1
"""A trade; `side` is the taker's."""
DEPTH: Final = 2
"""The size resting at a price is now `size` (absolute); 0 deletes the level. `side` +1 bid, -1 ask."""
SNAPSHOT_START: Final = 3
"""Clears the book side given by `side`, both where it is 0; the levels follow as `SNAPSHOT`."""
SNAPSHOT: Final = 4
"""One level of a snapshot."""
BBO: Final = 5
"""The best level of a side is now `price`, `size`: better levels are gone, deeper ones stay."""
LIQUIDATION: Final = 6
"""A forced order; `side` is the side of that order: -1 means that a long was liquidated."""
OPEN_INTEREST: Final = 7
"""`size` is the open interest in base units, as the venue reports it; `price` is 0."""
MARK: Final = 8
"""`price` is the mark price."""
INDEX: Final = 9
"""`price` is the index price."""
FUNDING: Final = 10
"""`price` is the funding rate settled at `exch_ts` (fraction)."""
GAP: Final = 11
"""The feed lost messages: the book is invalid until the next snapshot."""
PREMIUM: Final = 12
"""`price` is the premium of the perpetual over its index (fraction)."""
END_OF_MESSAGE: Final = 13
"""All rows of a message that touched the book have been seen: features may look now."""

KIND_NAMES: Final = {
    TRADE: "trade",
    DEPTH: "depth",
    SNAPSHOT_START: "snapshot_start",
    SNAPSHOT: "snapshot",
    BBO: "bbo",
    LIQUIDATION: "liquidation",
    OPEN_INTEREST: "open_interest",
    MARK: "mark",
    INDEX: "index",
    FUNDING: "funding",
    GAP: "gap",
    PREMIUM: "premium",
    END_OF_MESSAGE: "end_of_message",
}
NO_TIME: Final = 0
"""`exch_ts` of a message in which the venue stamped no time."""
CHUNK_EVENTS: Final = 1 << 18
"""Rows in a chunk of a streamed tape unless said otherwise: 10 MB."""


def empty_tape() -> Events:
    """Return a tape with no rows."""
    return np.empty(0, dtype=EVENT)


def from_columns(columns: Mapping[str, npt.ArrayLike]) -> Events:
    """Build a tape from one array per column.

    Parameters
    ----------
    columns : mapping of str to array of shape (n,)
        All fields of `EVENT`; sorted by `local_ts`.

    Raises
    ------
    DataError
        When a column is missing, lengths differ or `local_ts` decreases.

    """
    missing = [name for name in EVENT.names or () if name not in columns]
    if missing:
        raise DataError(
            f"tape columns: expected {', '.join(EVENT.names or ())}, was without {', '.join(missing)}"
        )
    arrays = {name: np.asarray(columns[name]) for name in EVENT.names or ()}
    lengths = {name: array.size for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"tape columns: expected one length, was {lengths}")
    events = np.empty(lengths["local_ts"], dtype=EVENT)
    for name, array in arrays.items():
        events[name] = array
    require_sorted(events)
    return events


def to_columns(events: Events) -> dict[str, npt.NDArray[Any]]:
    """Return contiguous columns of a tape, as Parquet and data frames want them."""
    return {name: np.ascontiguousarray(events[name]) for name in EVENT.names or ()}


def is_sorted(events: Events) -> bool:
    """Say whether `local_ts` never decreases."""
    return bool(np.all(np.diff(events["local_ts"]) >= 0))


def require_sorted(events: Events) -> None:
    """Raise DataError, naming the first row, when `local_ts` decreases."""
    late = np.flatnonzero(np.diff(events["local_ts"]) < 0)
    if late.size:
        row = int(late[0]) + 1
        back = int(events["local_ts"][row - 1] - events["local_ts"][row])
        raise DataError(
            f"tape: expected rows sorted by local_ts, row {row} was {back} ns before the one above it",
            remedy="pass the stream through models.market.tape.sort_stream",
        )


def sort_tape(events: Events) -> Events:
    """Return the rows sorted by `local_ts`; rows of equal time keep their order, so messages stay whole."""
    return events[np.argsort(events["local_ts"], kind="stable")]


def shift_receive_time(events: Events, offset_ns: int) -> Events:
    """Return a copy with `offset_ns` added to every `local_ts`: how a known clock offset is mended, on demand only."""
    shifted = events.copy()
    shifted["local_ts"] += offset_ns
    return shifted


def sort_stream(
    chunks: Iterable[Events], slack_ns: int, chunk_events: int = CHUNK_EVENTS
) -> Iterator[Events]:
    """Sort a stream whose rows are at most `slack_ns` out of place, holding only that stretch in memory.

    Raises
    ------
    DataError
        When a row comes later than the slack allows: silently dropping it would change the market.

    """
    held = empty_tape()
    newest = done = np.iinfo(np.int64).min
    for chunk in chunks:
        if not chunk.size:
            continue
        first = int(chunk["local_ts"].min())
        if first < done:
            raise DataError(
                f"tape stream: expected rows at most {slack_ns} ns out of order, was {int(newest) - first} ns",
                remedy="sort with a larger slack_ns",
            )
        newest = max(int(newest), int(chunk["local_ts"].max()))
        held = sort_tape(np.concatenate([held, chunk]))
        ready = int(np.searchsorted(held["local_ts"], newest - slack_ns, side="left"))
        if ready >= chunk_events:
            done = newest - slack_ns
            yield held[:ready]
            held = held[ready:].copy()
    if held.size:
        yield held


class _Source:
    """One stream of a merge: the chunk at hand and whether more may come."""

    def __init__(self, chunks: Iterable[Events]) -> None:
        self._chunks = iter(chunks)
        self.pending = empty_tape()
        self.open = True

    def pull(self) -> None:
        """Append the next non-empty chunk, or note that the stream has ended."""
        for chunk in self._chunks:
            if chunk.size:
                joined = np.concatenate([self.pending[-1:], chunk])
                require_sorted(joined)
                self.pending = chunk if not self.pending.size else np.concatenate([self.pending, chunk])
                return
        self.open = False

    def take_before(self, horizon: int | None) -> Events:
        """Remove and return the rows before `horizon`, all rows when it is None."""
        stop = self.pending.size
        if horizon is not None:
            stop = int(np.searchsorted(self.pending["local_ts"], horizon, side="left"))
        taken, self.pending = self.pending[:stop], self.pending[stop:]
        return taken


def merge_tapes(streams: Sequence[Iterable[Events]]) -> Iterator[Events]:
    """Merge sorted streams into one sorted stream, holding about one chunk of each.

    Rows of equal `local_ts` come in the order of `streams`, so the rows of a message stay together.

    Parameters
    ----------
    streams : sequence of iterables of tapes
        Each sorted over all of its chunks.

    Yields
    ------
    array of EVENT
        Chunks of the merged tape, none of them empty.

    Raises
    ------
    DataError
        When a stream is not sorted.

    """
    sources = [_Source(chunks) for chunks in streams]
    while True:
        for source in sources:
            if source.open and not source.pending.size:
                source.pull()
        growing = [source for source in sources if source.open]
        # A stream that may still bring rows of its last time holds everyone back at that time.
        horizon = min((int(source.pending["local_ts"][-1]) for source in growing), default=None)
        taken = [source.take_before(horizon) for source in sources]
        merged = np.concatenate([*taken, empty_tape()])
        if merged.size:
            yield sort_tape(merged)
            continue
        if not growing:
            return
        for source in growing:
            if int(source.pending["local_ts"][-1]) == horizon:
                source.pull()
