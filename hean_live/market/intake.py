"""One message, or one tick of all symbols, into market state, compiled: parse, apply, and say what it was.

The parser is the recordings' (`models.market.readers`), the step is research's (`models.market.step`): a live message
and the same message read from a tape do the same. What does not belong here: when ticks are due, sockets, what to do about a gap.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.market.readers.bybit_frames import bybit_frame
from models.market.readers.scan import Bytes
from models.market.readers.streams import count_malformed, find_stream
from models.market.step import event_of, tick_of
from models.market.tape import GAP, TRADE, Events

OWNER: Final = 0
ROWS: Final = 1
GAPPED: Final = 2
LATE: Final = 3
TRADES: Final = 4
EXCHANGE_NS: Final = 5
TOLD: Final = 6
"""Places in what `take_message` tells: symbol (-1 for none), rows, whether the book broke, trades older than one before
them, trades, venue time of the last row."""

MALFORMED: Final = -1
TOO_LONG: Final = -2
"""What `take_message` returns beside the number of rows."""

ROOM_PER_ROW: Final = 5
"""Bytes of text a row takes at least (see `readers.streams.fits`)."""


@njit(cache=True)
def add_symbols(buf: Bytes, ends: npt.NDArray[np.int64], streams: Any, counts: npt.NDArray[np.int64]) -> None:
    """Make the names in `buf`, one after the other and ending at `ends`, the first streams."""
    start = 0
    for end in ends:
        find_stream(streams, counts, buf, start, end)
        start = end


@njit(cache=True)
def take_message(
    buf: Bytes,
    received_ns: int,
    streams: Any,
    seen: Any,
    counts: npt.NDArray[np.int64],
    out: Events,
    stream_of: npt.NDArray[np.int32],
    symbols: npt.NDArray[np.void],
    newest_trade_ns: npt.NDArray[np.int64],
    told: npt.NDArray[np.int64],
) -> int:
    """Take one message; every tick due by `received_ns` must have been taken.

    Parameters
    ----------
    buf : array of uint8
        The message and a newline.
    received_ns : int
    streams, seen, counts, out, stream_of : arrays
        The parser's, see `bybit_frame`; the first streams are `symbols`, in their order.
    symbols : array of SYMBOL
        Changed in place.
    newest_trade_ns : ndarray of int64, shape (symbols,)
        Venue time of the newest trade of each; changed in place.
    told : ndarray of int64, shape (TOLD,)
        Gets what the message was.

    Returns
    -------
    int
        Rows applied, or `MALFORMED`; nothing has changed then.

    """
    told[:] = 0
    told[OWNER] = -1
    rows = bybit_frame(buf, 0, received_ns, streams, seen, counts, out, stream_of, 0)
    if rows < 0:
        count_malformed(counts)
        return MALFORMED
    if rows == 0:
        return 0
    owner = stream_of[0]
    if owner >= len(symbols):
        return 0
    told[OWNER] = owner
    told[ROWS] = rows
    for row in range(rows):
        kind = out[row].kind
        if kind == GAP:
            told[GAPPED] = 1
        elif kind == TRADE:
            told[TRADES] += 1
            if out[row].exch_ts < newest_trade_ns[owner]:
                told[LATE] += 1
            else:
                newest_trade_ns[owner] = out[row].exch_ts
        event_of(symbols, owner, out, row)
    told[EXCHANGE_NS] = out[rows - 1].exch_ts
    return rows


@njit(cache=True)
def take_tick(symbols: npt.NDArray[np.void], now_ns: int, ticked: npt.NDArray[np.int64]) -> int:
    """Take the next tick of every symbol whose tick is due, in one call: each call from Python costs more than a tick.

    Parameters
    ----------
    symbols : array of SYMBOL
        Changed in place.
    now_ns : int
    ticked : ndarray of int64, shape (symbols,)
        Gets the places of those that took one, in their order.

    Returns
    -------
    int
        How many took one.

    """
    taken = 0
    for place in range(len(symbols)):
        if tick_of(symbols, place, now_ns):
            ticked[taken] = place
            taken += 1
    return taken
