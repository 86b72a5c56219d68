"""What every reader of lines shares: byte blocks into whole lines, rows into chunks by symbol, and honest counting.

What does not belong here: any venue's format, files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.market.readers.scan import NEWLINE, Bytes
from models.market.tape import CHUNK_EVENTS, EVENT, Events

MAX_LINE_BYTES: Final = 64 << 20
"""A longer line is no recording."""

MESSAGES: Final = 0
MALFORMED: Final = 1
IGNORED: Final = 2
DUPLICATES: Final = 3
GAPS: Final = 4
STALE: Final = 5
OFF_BOOK: Final = 6
FIRST_MALFORMED: Final = 7
STREAMS: Final = 8
COUNTERS: Final = 9
"""Places in the counters that the compiled parsers fill."""


class Chunk(NamedTuple):
    """A stretch of one symbol's tape."""

    symbol: str
    events: Events


@dataclass(frozen=True)
class ReadStats:
    """What a reader has seen so far.

    Attributes
    ----------
    messages : int
        Lines read.
    events : int
        Rows given out.
    malformed : int
        Lines that could not be read; `first_malformed_line` is the number of the first, from 1, None without.
    ignored : int
        Well-formed messages that are no market events: acknowledgements, klines, topics not used.
    duplicates : int
        Order-book messages and trades seen before.
    gaps : int
        Breaks in an order book's sequence; each is a `GAP` on the tape.
    stale : int
        Best-level messages older than the book, not used.
    off_book_trades : int
        Block trades and prints without a price: they did not meet the book, and are left out.

    """

    messages: int
    events: int
    malformed: int
    first_malformed_line: int | None
    ignored: int
    duplicates: int
    gaps: int
    stale: int
    off_book_trades: int

    def problems(self) -> tuple[str, ...]:
        """Say what was wrong with the recording, a sentence each."""
        found = []
        if self.malformed:
            found.append(
                f"{self.malformed} of {self.messages} lines unreadable, the first is {self.first_malformed_line}"
            )
        if self.gaps:
            found.append(
                f"{self.gaps} gaps in the order-book sequence; the book is invalid until the next snapshot"
            )
        if self.duplicates:
            found.append(f"{self.duplicates} order-book messages or trades received twice")
        return tuple(found)


def complete_lines(blocks: Iterable[bytes]) -> Iterator[Bytes]:
    """Cut blocks at line ends: every array yielded ends with a newline, no line is split.

    Raises
    ------
    DataError
        When a line is longer than `MAX_LINE_BYTES`.

    """
    rest = b""
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if cut:
            yield np.frombuffer(rest + block[:cut] if rest else block[:cut], dtype=np.uint8)
            rest = block[cut:]
        else:
            rest += block
        if len(rest) > MAX_LINE_BYTES:
            raise DataError(
                f"recording: expected lines of at most {MAX_LINE_BYTES} bytes, was at least {len(rest)} without an end",
                remedy="is this a text file, one message a line, and decompressed?",
            )
    if rest:
        yield np.frombuffer(rest + b"\n", dtype=np.uint8)


class LineReader(ABC):
    """Drives a compiled parser over blocks of lines and cuts its rows into chunks by symbol.

    Parameters
    ----------
    streams : array
        The parser's records, one per symbol, with fields `symbol` (bytes) and `length`.
    chunk_events : int
        Rows after which a chunk is given out; bounds memory.

    """

    def __init__(self, streams: npt.NDArray[Any], chunk_events: int = CHUNK_EVENTS) -> None:
        if chunk_events < 1:
            raise DataError(f"reader: expected at least 1 event a chunk, was {chunk_events}")
        self._streams = streams
        self._counts: npt.NDArray[np.int64] = np.zeros(COUNTERS, dtype=np.int64)
        self._events = 0
        self._resize(chunk_events)
        self._rows = 0

    def _resize(self, rows: int) -> None:
        self._out: Events = np.empty(rows, dtype=EVENT)
        self._stream_of: npt.NDArray[np.int32] = np.empty(rows, dtype=np.int32)

    @abstractmethod
    def _parse(self, buf: Bytes, ends: npt.NDArray[np.int64], line: int, row: int) -> tuple[int, int]:
        """Parse lines from number `line` into rows from `row`; stop before a line that might not fit.

        `ends` are the positions of the newlines. Returns the next line and the next row.
        """

    @property
    def stats(self) -> ReadStats:
        """What has been seen so far."""
        counts = self._counts.tolist()
        return ReadStats(
            messages=counts[MESSAGES],
            events=self._events,
            malformed=counts[MALFORMED],
            first_malformed_line=counts[FIRST_MALFORMED] or None,
            ignored=counts[IGNORED],
            duplicates=counts[DUPLICATES],
            gaps=counts[GAPS],
            stale=counts[STALE],
            off_book_trades=counts[OFF_BOOK],
        )

    def read(self, blocks: Iterable[bytes]) -> Iterator[Chunk]:
        """Read blocks of text cut anywhere; may be called again with the blocks of the next file.

        Raises
        ------
        DataError
            When not one line of the blocks could be read, or a line has no end.

        """
        before = self._counts.copy()
        for lines in complete_lines(blocks):
            yield from self._feed(lines)
        yield from self._flush()
        seen, bad = (self._counts - before)[[MESSAGES, MALFORMED]].tolist()
        if seen and seen == bad:
            raise DataError(
                f"recording: expected messages this reader knows, was {bad} lines of which none could be read",
                remedy="is it the reader for this format?",
            )

    def feed(self, lines: bytes) -> list[Chunk]:
        """Read whole lines at once, as a live feed does; returns what they contained."""
        ended = lines if lines.endswith(b"\n") else lines + b"\n"
        return [*self._feed(np.frombuffer(ended, dtype=np.uint8)), *self._flush()]

    def _feed(self, lines: Bytes) -> Iterator[Chunk]:
        ends = np.flatnonzero(lines == NEWLINE)
        line = 0
        while True:
            stop, self._rows = self._parse(lines, ends, line, self._rows)
            if stop >= ends.size:
                return
            if stop == line and not self._rows:
                self._resize(2 * self._out.size)
            line = stop
            yield from self._flush()

    def _flush(self) -> Iterator[Chunk]:
        rows, self._rows = self._rows, 0
        if not rows:
            return
        self._events += rows
        owners = self._stream_of[:rows]
        for stream in np.flatnonzero(np.bincount(owners)).tolist():
            yield Chunk(self._symbol(stream), self._out[:rows][owners == stream])

    def _symbol(self, stream: int) -> str:
        record = self._streams[stream]
        return bytes(record["symbol"][: record["length"]]).decode("ascii", errors="replace")
