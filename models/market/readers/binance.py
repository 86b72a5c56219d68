"""Raw Binance recordings into tapes: lines `<receive time ns> {message}`, as hftbacktest's collector writes them.

Messages are stream events, wrapped in `{"stream":…,"data":…}` or bare, and REST order-book snapshots
(`binance_frames.py` has their meaning). A snapshot is asked for while diffs already flow, so by the time it is received
some of them are newer than it: those are read again after it, stamped with the time at which they could be used.

What does not belong here: files, the venue's sequence rules.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.market.readers.binance_frames import binance_lines, binance_replay
from models.market.readers.blocks import GAPS, STREAMS, LineReader
from models.market.readers.scan import Bytes, name_hash
from models.market.readers.streams import SYMBOL_BYTES, new_streams
from models.market.tape import CHUNK_EVENTS

_KEPT_BYTES: Final = 32 << 20
"""How much text before a snapshot is kept to look for diffs that are newer than it: many seconds of a busy symbol."""

_Ends = npt.NDArray[np.int64]


class BinanceReader(LineReader):
    """Reads raw Binance messages, a line each.

    Parameters
    ----------
    symbol : str, optional
        Symbol the REST snapshots belong to, as the streams spell it; needed only where a snapshot is the first line.
        A recording of several symbols cannot have REST snapshots, which name none.
    chunk_events : int
        Rows after which a chunk is given out.

    """

    def __init__(self, symbol: str | None = None, *, chunk_events: int = CHUNK_EVENTS) -> None:
        streams = new_streams()
        super().__init__(streams, chunk_events)
        self._kept: list[tuple[Bytes, _Ends]] = []
        if symbol is not None:
            name = symbol.encode()
            if not 0 < len(name) <= SYMBOL_BYTES:
                raise DataError(f"symbol: expected 1 to {SYMBOL_BYTES} bytes, was {symbol!r}")
            streams[0]["symbol"][: len(name)] = np.frombuffer(name, dtype=np.uint8)
            streams[0]["length"] = len(name)
            streams[0]["name"] = name_hash(symbol)
            self._counts[STREAMS] = 1

    def _parse(self, buf: Bytes, ends: _Ends, line: int, row: int) -> tuple[int, int]:
        if line == 0:
            self._keep(buf, ends)
        while True:
            line, row, snapshot_of = binance_lines(
                buf, ends, line, self._streams, self._counts, self._out, self._stream_of, row
            )
            if snapshot_of < 0:
                return line, row
            row = self._replay(line - 1, row, snapshot_of)

    def _keep(self, buf: Bytes, ends: _Ends) -> None:
        """Hold on to this block and as many before it as the limit allows."""
        self._kept.append((buf, ends))
        while len(self._kept) > 1 and sum(held.size for held, _ in self._kept[1:]) >= _KEPT_BYTES:
            self._kept.pop(0)

    def _replay(self, stop: int, row: int, stream: int) -> int:
        """Read the diffs of lines before the snapshot again; older ones fall out by the venue's sequence rules."""
        local_ts = int(self._out["local_ts"][row - 1])
        counts = self._counts.copy()
        for number, (buf, ends) in enumerate(self._kept):
            line = 0
            last = stop if number == len(self._kept) - 1 else ends.size
            while line < last:
                line, row = binance_replay(
                    buf,
                    ends,
                    line,
                    last,
                    local_ts,
                    stream,
                    self._streams,
                    counts,
                    self._out,
                    self._stream_of,
                    row,
                )
                if line < last:
                    self._grow(row)
        self._counts[GAPS] = counts[GAPS]
        return row

    def _grow(self, rows: int) -> None:
        """Double the room for rows, keeping those there are."""
        out, owners = self._out, self._stream_of
        self._resize(2 * out.size)
        self._out[:rows] = out[:rows]
        self._stream_of[:rows] = owners[:rows]
