"""Compiled market state of the configured symbols, driven by raw messages and by the clock.

A tick at T comes before every message received at T or later, as in a batch run over the recording: `take` sees to
that, and `take_ticks` serves a timer for when no message comes. Receive times never go back.

One thread owns an object of this class. What does not belong here: sockets, gaps being healed (`healing.py`), what
strategies do at a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hean_live.market.intake import (
    EXCHANGE_NS,
    GAPPED,
    LATE,
    MALFORMED,
    OWNER,
    ROOM_PER_ROW,
    TOLD,
    TOO_LONG,
    TRADES,
    add_symbols,
    take_message,
    take_tick,
)
from models.errors import DataError
from models.market.feature_params import params_record
from models.market.readers.blocks import COUNTERS, DUPLICATES, GAPS, IGNORED
from models.market.readers.streams import MAX_STREAMS, SYMBOL_BYTES, new_streams
from models.market.readers.trade_ids import new_seen
from models.market.record import new_symbols
from models.market.symbol_params import params_of_symbol
from models.market.tape import EVENT, Events

LONGEST_MESSAGE: Final = 1 << 20
"""Bytes; the venue's longest, a snapshot of 1 000 levels, has some 60 000."""

OnTick = Callable[[Sequence[int], int], None]
"""Called after each tick with the places of the symbols that took it and its time."""
OnRows = Callable[[int, Events], None]
"""Called with a symbol's place and the rows a message brought, which are good until the next message."""


@dataclass
class Counts:
    """What was seen so far; nothing is lost without one of these growing."""

    messages: int = 0
    malformed: int = 0
    too_long: int = 0
    ignored: int = 0
    duplicates: int = 0
    gaps: int = 0
    late_trades: int = 0
    trades: int = 0
    ticks: int = 0
    clock_went_back: int = 0


class Markets:
    """Market state of some symbols.

    Parameters
    ----------
    symbols : sequence of str
    tick_sizes : sequence of float
        Price step of each.
    params : sequence of record of PARAMS, optional
        Of each; by default those of the symbol on the main network.
    on_tick : callable, optional

    Attributes
    ----------
    state : array of SYMBOL, shape (symbols,)
        Books, features; changed by the calls.
    next_tick_ns : int
        0 before the first message.
    on_tick : callable or None
        May be set before the first message.

    """

    def __init__(
        self,
        symbols: Sequence[str],
        tick_sizes: Sequence[float],
        params: Sequence[np.record] | None = None,
        on_tick: OnTick | None = None,
    ) -> None:
        if any(not 0 < len(name) <= SYMBOL_BYTES for name in symbols):
            raise DataError(f"markets: expected symbols of at most {SYMBOL_BYTES} letters, was {symbols}")
        own = (
            list(params)
            if params is not None
            else [params_record(params_of_symbol(name)) for name in symbols]
        )
        self.names = tuple(symbols)
        self.state: Any = new_symbols(list(tick_sizes), own)
        self.next_tick_ns = 0
        self.step_ns = int(own[0]["tick_ns"])
        self.on_tick = on_tick
        self.on_rows: OnRows | None = None
        self._now_ns = 0
        self._counts = Counts()
        self._make_room()
        self._add_names()
        self._compile()

    def _make_room(self) -> None:
        rows = LONGEST_MESSAGE // ROOM_PER_ROW + 4
        self._buf: npt.NDArray[np.uint8] = np.zeros(LONGEST_MESSAGE + 1, dtype=np.uint8)
        self._view = memoryview(self._buf)  # type: ignore[arg-type]
        self._streams = new_streams()
        self._seen = new_seen(MAX_STREAMS)
        self._parsed: npt.NDArray[np.int64] = np.zeros(COUNTERS, dtype=np.int64)
        self._out = np.empty(rows, dtype=EVENT)
        self._stream_of: npt.NDArray[np.int32] = np.zeros(rows, dtype=np.int32)
        self._newest_trade_ns: npt.NDArray[np.int64] = np.zeros(len(self.names), dtype=np.int64)
        self._ticked: npt.NDArray[np.int64] = np.zeros(len(self.names), dtype=np.int64)
        self._told: npt.NDArray[np.int64] = np.zeros(TOLD, dtype=np.int64)

    def _add_names(self) -> None:
        text = "".join(self.names).encode()
        ends = np.cumsum([len(name.encode()) for name in self.names])
        add_symbols(np.frombuffer(text, dtype=np.uint8), ends, self._streams, self._parsed)

    def _compile(self) -> None:
        """Have everything compiled before the first message waits for it: seconds where no cache is."""
        self.take(b"{}", 0)
        take_tick(self.state, 0, self._ticked)
        self._counts = Counts()
        self._parsed[IGNORED] = 0

    @property
    def counts(self) -> Counts:
        """A copy of what was seen so far."""
        parsed = self._parsed.tolist()
        self._counts.ignored = parsed[IGNORED]
        self._counts.duplicates = parsed[DUPLICATES]
        self._counts.gaps = parsed[GAPS]
        return Counts(**vars(self._counts))

    def newest_trade_ns(self, symbol: int) -> int:
        """Return the venue's time of a symbol's newest trade, 0 without."""
        return int(self._newest_trade_ns[symbol])

    def is_valid(self, symbol: int) -> bool:
        """Whether a symbol's book may be traded on: whole since a snapshot, both sides there, uncrossed."""
        return bool(self.state[symbol]["market"]["valid"] == 1)

    def take(self, payload: bytes, received_ns: int) -> int:
        """Take a message and the ticks due before it.

        Parameters
        ----------
        payload : bytes
            As it came, without a newline in it.
        received_ns : int
            Our clock, ns UTC; where it went back, the newest time seen stands in for it.

        Returns
        -------
        int
            Rows applied, `MALFORMED` or `TOO_LONG`.

        """
        self._told[:] = 0
        self._told[OWNER] = -1
        counts = self._counts
        counts.messages += 1
        if received_ns < self._now_ns:
            counts.clock_went_back += 1
            received_ns = self._now_ns
        self._now_ns = received_ns
        if 0 < self.next_tick_ns <= received_ns:
            self.take_ticks(received_ns)
        size = len(payload)
        if size > LONGEST_MESSAGE:
            counts.too_long += 1
            return TOO_LONG
        self._view[:size] = payload
        self._buf[size] = 10
        told = self._told
        rows = take_message(
            self._buf,
            received_ns,
            self._streams,
            self._seen,
            self._parsed,
            self._out,
            self._stream_of,
            self.state,
            self._newest_trade_ns,
            told,
        )
        if rows > 0:
            if self.next_tick_ns == 0:
                self.next_tick_ns = (received_ns // self.step_ns + 1) * self.step_ns
            if self.on_rows is not None and told[OWNER] >= 0:
                self.on_rows(int(told[OWNER]), self._out[:rows])
            counts.trades += int(told[TRADES])
            counts.late_trades += int(told[LATE])
        elif rows == MALFORMED:
            counts.malformed += 1
        return int(rows)

    @property
    def last_symbol(self) -> int:
        """Place of the symbol the last message brought rows of, -1 if none of ours."""
        return int(self._told[OWNER])

    @property
    def last_exchange_ns(self) -> int:
        """Venue time of the last message, `NO_TIME` if it brought no rows."""
        return int(self._told[EXCHANGE_NS])

    @property
    def gapped(self) -> int:
        """Place of the symbol whose book the last message found broken, -1 if none."""
        return int(self._told[OWNER]) if self._told[GAPPED] else -1

    def take_ticks(self, now_ns: int) -> None:
        """Take every tick due by `now_ns`, of all symbols, in the order of time."""
        self._now_ns = max(self._now_ns, now_ns)
        while 0 < self.next_tick_ns <= now_ns:
            at_ns = self.next_tick_ns
            taken = take_tick(self.state, at_ns, self._ticked)
            self._counts.ticks += taken
            if taken and self.on_tick is not None:
                self.on_tick(self._ticked[:taken].tolist(), at_ns)
            self.next_tick_ns += self.step_ns
