"""A symbol's feed: what is wanted of it, and the messages that makes, as bytes that may go to any number of sockets.

Here belongs the handle on the compiled walk; when what is pushed is decided there.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from models.market import book as books
from models.market.book_record import Book
from models.market.tape import END_OF_MESSAGE, EVENT, LIQUIDATION, SNAPSHOT, SNAPSHOT_START, TRADE
from models.simulation.ticks.feed_record import (
    DEPTHS,
    LIQUIDATIONS,
    MAX_DEPTH,
    NEVER,
    REPEAT_NS,
    SLOTS,
    new_feed,
)
from models.simulation.ticks.messages import finish, put_snapshot
from models.simulation.ticks.text import HEAD, Bytes
from models.simulation.ticks.walk import begin, walk

_MS: Final = 1_000_000
_BUFFER: Final = 1 << 22
_MESSAGES: Final = 1 << 15


class Message(NamedTuple):
    """One message of a feed: slot of its topic, the whole WebSocket frame, and where in it the payload starts."""

    slot: int
    frame: bytes
    payload: int


class Feed:
    """Messages of one symbol for those who want them; encoded once, as frames that may be sent to any number of sockets.

    Parameters
    ----------
    symbol : str
    salt : int
        Decides the ids of trades, together with their numbers.
    price_decimals, size_decimals : int
        On the wire.
    tick_size : float
        Price step.
    spot : bool
        Spot's spelling of messages.
    numbered : bool, optional
        Whether an event's `local_ts` holds the number of its trade, instead of a count from the start.

    """

    _buf: Bytes = np.empty(
        _BUFFER, dtype=np.uint8
    )  # shared: a feed hands out copies before another one writes
    _marks: NDArray[np.int64] = np.empty((_MESSAGES, 4), dtype=np.int64)
    _scratch: NDArray[np.float64] = np.empty((MAX_DEPTH, 2))

    def __init__(
        self,
        symbol: str,
        *,
        salt: int,
        price_decimals: int,
        size_decimals: int,
        tick_size: float,
        spot: bool,
        numbered: bool = False,
    ) -> None:
        self._feed = new_feed(
            symbol,
            salt=salt,
            price_decimals=price_decimals,
            size_decimals=size_decimals,
            tick_units=round(tick_size * 10**price_decimals),
            spot=spot,
            numbered=numbered,
        )
        self._record: Any = self._feed[0]
        self._books = books.new_books([tick_size])

    @property
    def _book(self) -> Book:
        return cast(Book, self._books[0])

    def start(self, book: Book, sequence: int, trades: int, last: float, direction: int) -> None:
        """Take over a symbol's present state; what was pushed before is forgotten, topics stay wanted."""
        self._books[0] = book
        record = self._record
        record.sequence, record.trades, record.last, record.direction = sequence, trades, last, direction
        record.dirty[:] = False
        record.due[:] = NEVER
        record.waiting, record.liquidations_due = 0, NEVER

    @property
    def wanted(self) -> bool:
        """Whether anybody wants any of its topics."""
        return bool(self._record.wanted.any())

    def want(self, slot: int, now_ns: int, update: int) -> None:
        """Begin to push a topic; a book's `u` counts on from `update`, or from where it was if that is more."""
        record = self._record
        if record.wanted[slot]:
            return
        record.wanted[slot] = True
        if slot < len(DEPTHS):
            begin(record, slot, self._book, self._scratch)
            record.update[slot] = max(int(record.update[slot]) + 1, update)
            record.pushed_ns[slot] = now_ns
            record.dirty[slot] = False
            record.due[slot] = now_ns + REPEAT_NS if slot == 0 else NEVER

    def unwant(self, slot: int) -> None:
        """Push a topic no more."""
        self._record.wanted[slot] = False
        if slot == LIQUIDATIONS:
            self._record.waiting, self._record.liquidations_due = 0, NEVER

    def restart(self, now_ns: int) -> list[Message]:
        """Push every wanted book anew as after a restart of the venue's service: a snapshot whose `u` is 1."""
        out = []
        for slot in range(len(DEPTHS)):
            if self._record.wanted[slot]:
                begin(self._record, slot, self._book, self._scratch)
                self._record.update[slot] = 1
                self._record.dirty[slot] = False
                self._record.pushed_ns[slot] = now_ns
                self._record.due[slot] = now_ns + REPEAT_NS if slot == 0 else NEVER
                out.append(self.snapshot(slot, now_ns))
        return out

    def skip_updates(self, slot: int, count: int) -> None:
        """Let a book's `u` jump, as if messages had been lost."""
        self._record.update[slot] += count

    def update_of(self, slot: int) -> int:
        """`u` of a book as last pushed."""
        return int(self._record.update[slot])

    def snapshot(self, slot: int, now_ns: int) -> Message:
        """Return the book of a slot as last pushed, which the next delta builds on."""
        end = put_snapshot(self._record, slot, self._book, self._buf, HEAD, now_ns // _MS)
        finish(self._buf, self._marks, 0, slot, HEAD, end)
        return self._messages(1)[0]

    def advance(self, events: NDArray[np.void], until_ns: int) -> list[Message]:
        """Return the messages due from the last call up to `until_ns`, given all events of that time."""
        out: list[Message] = []
        row, finished = 0, False
        while not finished:
            row, count, finished = walk(
                self._record, self._book, events, row, until_ns, self._scratch, self._buf, self._marks
            )
            out += self._messages(count)
        return out

    def _messages(self, count: int) -> list[Message]:
        if not count:
            return []
        marks = self._marks[:count].tolist()
        whole = self._buf[: marks[-1][3]].tobytes()
        return [Message(slot, whole[start:end], payload - start) for slot, start, payload, end in marks]


def warm_up() -> None:
    """Compile everything a feed runs, so that the first subscriber does not wait for it."""
    feed = Feed("WARM", salt=1, price_decimals=1, size_decimals=1, tick_size=0.1, spot=False)
    feed.start(books.new_book(0.1), 0, 0, 1.0, 0)
    for slot in range(SLOTS):
        feed.want(slot, 0, 1)
    rows = [
        (SNAPSHOT_START, 0, 0.0, 0.0),
        (SNAPSHOT, 1, 1.0, 1.0),
        (SNAPSHOT, -1, 1.1, 1.0),
        (TRADE, 1, 1.1, 0.5),
        (LIQUIDATION, 1, 1.1, 0.5),
        (END_OF_MESSAGE, 0, 0.0, 0.0),
    ]
    events = np.array([(1, 1, *row) for row in rows], dtype=EVENT)
    feed.advance(events, REPEAT_NS)
    feed.restart(REPEAT_NS)
