"""Bybit v5 recordings into tapes: raw WebSocket lines, order-book dumps, and cryptofeed's recordings.

Three wrappings of the same messages (`bybit_frames.py` has their meaning):

- raw lines `<receive time ns> {message}`, as the executor and hftbacktest's collector record them;
- `…_ob500.data` and `…_ob200.data` dumps, `{message}` a line without a receive time: the venue's push time `ts` stands
  in for it, so such a tape has latencies that say nothing;
- cryptofeed's JSON lines, in which the message is a string inside another object, linear and spot in one file.

One reader serves one category (linear or spot): both use the same symbol names. What does not belong here: files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.market.readers.blocks import Chunk, LineReader, complete_lines
from models.market.readers.bybit_frames import bybit_lines
from models.market.readers.scan import Bytes
from models.market.readers.streams import MAX_STREAMS, new_streams
from models.market.readers.trade_ids import new_seen
from models.market.tape import CHUNK_EVENTS

_NS_DIGITS: Final = 9


class BybitReader(LineReader):
    """Reads raw Bybit v5 messages, a line each.

    Parameters
    ----------
    stamped : bool
        Whether lines begin with the receive time in nanoseconds; order-book dumps do not.
    chunk_events : int
        Rows after which a chunk is given out.

    Examples
    --------
    >>> reader = BybitReader()
    >>> for symbol, events in reader.read(blocks):
    ...     ...
    >>> reader.stats.problems()
    ()

    """

    def __init__(self, *, stamped: bool = True, chunk_events: int = CHUNK_EVENTS) -> None:
        super().__init__(new_streams(), chunk_events)
        self._stamped = stamped
        self._seen = new_seen(MAX_STREAMS)

    def _parse(self, buf: Bytes, ends: npt.NDArray[np.int64], line: int, row: int) -> tuple[int, int]:
        return bybit_lines(
            buf,
            ends,
            line,
            self._stamped,
            self._streams,
            self._seen,
            self._counts,
            self._out,
            self._stream_of,
            row,
        )


def nanoseconds_of(seconds: str) -> int:
    """Read a decimal text of seconds as whole nanoseconds, without rounding through a float.

    Raises
    ------
    DataError
        When it is no decimal number.

    """
    whole, _, fraction = seconds.partition(".")
    digits = fraction[:_NS_DIGITS].ljust(_NS_DIGITS, "0")
    if not (whole.isascii() and whole.isdigit() and digits.isascii() and digits.isdigit()):
        raise DataError(f"receive time: expected decimal seconds, was {seconds!r}")
    return int(whole + digits)


def unwrap_cryptofeed(blocks: Iterable[bytes], category: str) -> Iterator[bytes]:
    """Turn cryptofeed's recording of Bybit into raw stamped lines of one category, a block at a time.

    Parameters
    ----------
    blocks : iterable of bytes
        Text of the recording, cut anywhere.
    category : str
        `linear` or `spot`: the end of the WebSocket's address.

    Yields
    ------
    bytes
        Lines for `BybitReader`.

    Raises
    ------
    DataError
        When a line is no JSON object, or has no receive time.

    """
    connections: set[str] = set()
    for lines in complete_lines(blocks):
        raw = []
        for line in lines.tobytes().splitlines():
            try:
                record = json.loads(line, parse_float=str)
            except ValueError as error:
                raise DataError(
                    f"cryptofeed recording: expected a JSON object a line, was {line[:80]!r}"
                ) from error
            if record.get("t") == "connect" and str(record.get("addr", "")).rstrip("/").endswith(
                "/" + category
            ):
                connections.add(record["conn"])
            elif record.get("t") == "recv" and record.get("conn") in connections:
                raw.append(f"{nanoseconds_of(str(record['ts']))} {record['data']}\n")
        yield "".join(raw).encode()


def read_cryptofeed(
    blocks: Iterable[bytes], category: str, reader: BybitReader | None = None
) -> Iterator[Chunk]:
    """Read cryptofeed's recording of Bybit; pass a reader to see its `stats` afterwards."""
    yield from (reader or BybitReader()).read(unwrap_cryptofeed(blocks, category))
