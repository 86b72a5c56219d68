"""Trade files with one row a trade: Bybit's public dumps and Binance's aggTrades, compiled.

Columns are found by the header's names; a file without a header has the venue's documented order. Files carry no receive
time: the venue's time stands in for it, so such a tape has no latencies. Rows are given out in the file's order, which
old dumps do not keep sorted: pass them through `tape.sort_stream`, or `tape.sort_tape`.

Sides: Bybit's `side` is the taker's; Binance's `is_buyer_maker` true means that the taker sold. Times are told apart by
their size: seconds (with a fraction), milliseconds, microseconds, nanoseconds.

What does not belong here: opening and unpacking files.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.errors import DataError
from models.market.readers.blocks import MESSAGES, STREAMS, LineReader
from models.market.readers.scan import COMMA, NEWLINE, Bytes, decimal, put
from models.market.readers.streams import SYMBOL_BYTES, count_malformed, new_streams
from models.market.tape import CHUNK_EVENTS, TRADE, Events

_BYBIT_COLUMNS: Final = ("timestamp", "symbol", "side", "size", "price")
_BINANCE_COLUMNS: Final = (
    *("agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time"),
    "is_buyer_maker",
)
_NAMES: Final = (
    ("timestamp", "transact_time"),
    ("side", "is_buyer_maker"),
    ("price",),
    ("size", "volume", "quantity"),
)
_TIME: Final = 0
_SIDE: Final = 1
_PRICE: Final = 2
_SIZE: Final = 3
_POINT: Final = 46
_ZERO: Final = 48
_NINE: Final = 57


@njit(cache=True)
def time_ns(buf: Bytes, i: int) -> int:
    """Read a time of any usual unit as nanoseconds, exactly; -1 when it is no time."""
    start = i
    value = 0
    while _ZERO <= buf[i] <= _NINE:
        value = value * 10 + int(np.int64(buf[i]) - _ZERO)
        i += 1
    if i == start or i - start > 19:
        return -1
    # 2001 to 5138 in seconds has ten or eleven digits, in milliseconds three more, and so on.
    unit = 1_000_000_000
    while unit > 1 and value >= 100_000_000_000 * (1_000_000_000 // unit):
        unit //= 1000
    value *= unit
    if buf[i] == _POINT:
        i += 1
        while _ZERO <= buf[i] <= _NINE and unit >= 10:
            unit //= 10
            value += unit * int(np.int64(buf[i]) - _ZERO)
            i += 1
    return value


@njit(cache=True)
def _sign(buf: Bytes, i: int) -> int:
    """+1 for Buy or a maker who sold, -1 for Sell or a maker who bought, 0 for anything else."""
    byte = buf[i] | 32  # lower case
    if byte == 98 or byte == 102:
        return 1
    return -1 if byte == 115 or byte == 116 else 0


@njit(cache=True)
def csv_trade_lines(
    buf: Bytes,
    ends: npt.NDArray[np.int64],
    line: int,
    columns: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    out: Events,
    n: int,
) -> tuple[int, int]:
    """Read trades from number `line` into rows from `n`; `columns` says where time, side, price and size stand."""
    places = np.zeros(4, dtype=np.int64)
    while line < ends.shape[0] and n < out.shape[0]:
        i = ends[line - 1] + 1 if line > 0 else 0
        end = ends[line]
        line += 1
        if end == i or buf[i] == 13:
            continue
        counts[MESSAGES] += 1
        places[:] = end
        column = 0
        while True:
            for k in range(4):
                if columns[k] == column:
                    places[k] = i
            while buf[i] != COMMA and buf[i] != NEWLINE:
                i += 1
            if buf[i] == NEWLINE:
                break
            i += 1
            column += 1
        at = time_ns(buf, places[_TIME])
        side = _sign(buf, places[_SIDE])
        price, after_price = decimal(buf, places[_PRICE])
        size, after_size = decimal(buf, places[_SIZE])
        if at <= 0 or side == 0 or after_price < 0 or after_size < 0 or not price > 0.0 or not size > 0.0:
            count_malformed(counts)
        else:
            n = put(out, n, at, at, TRADE, side, price, size)
    return line, n


def _columns(header: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Find the wanted columns by name; raises DataError naming the first that is absent."""
    found = []
    for names in _NAMES:
        at = [header.index(name) for name in names if name in header]
        if not at:
            raise DataError(
                f"trade file: expected a column {' or '.join(names)}, was {', '.join(header)}",
                remedy="is it a trade dump of Bybit or an aggTrades dump of Binance?",
            )
        found.append(at[0])
    return np.array(found, dtype=np.int64)


class CsvTradesReader(LineReader):
    """Reads one symbol's trade file.

    Parameters
    ----------
    symbol : str
        Name given to the chunks.
    default_columns : tuple of str
        Order of the columns in a file without a header.
    chunk_events : int
        Rows after which a chunk is given out.

    """

    def __init__(
        self, symbol: str, default_columns: tuple[str, ...], *, chunk_events: int = CHUNK_EVENTS
    ) -> None:
        name = symbol.encode()
        if not 0 < len(name) <= SYMBOL_BYTES:
            raise DataError(f"symbol: expected 1 to {SYMBOL_BYTES} bytes, was {symbol!r}")
        streams = new_streams()[:1]
        streams[0]["symbol"][: len(name)] = np.frombuffer(name, dtype=np.uint8)
        streams[0]["length"] = len(name)
        super().__init__(streams, chunk_events)
        self._stream_of[:] = 0
        self._counts[STREAMS] = 1
        self._place = _columns(default_columns)

    def _parse(self, buf: Bytes, ends: npt.NDArray[np.int64], line: int, row: int) -> tuple[int, int]:
        if line == 0 and ends.size:
            first = buf[: ends[0]].tobytes().decode("ascii", errors="replace").strip("\ufeff\r ")
            # Every file of a series may begin with its header; a row begins with a digit.
            if first[:1].isalpha():
                self._place = _columns(tuple(name.strip() for name in first.split(",")))
                line = 1
        return csv_trade_lines(buf, ends, line, self._place, self._counts, self._out, row)


def bybit_trades_reader(symbol: str, *, chunk_events: int = CHUNK_EVENTS) -> CsvTradesReader:
    """Return a reader of Bybit's public trade dumps, derivatives or spot."""
    return CsvTradesReader(symbol, _BYBIT_COLUMNS, chunk_events=chunk_events)


def binance_agg_trades_reader(symbol: str, *, chunk_events: int = CHUNK_EVENTS) -> CsvTradesReader:
    """Return a reader of Binance's aggTrades dumps."""
    return CsvTradesReader(symbol, _BINANCE_COLUMNS, chunk_events=chunk_events)
