"""A recording in the order of the venue's clock: what a venue that lived through it would have shown, and when.

A recording is in the order of its receiver; a venue plays by its own stamps. Rows of a message have one stamp and stay together;
rows without a stamp take that of the rows before them. Here belongs that reordering, in bounded memory; files do not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.market.readers.blocks import Chunk
from models.market.tape import EVENT, NO_TIME

SLACK_NS = 5_000_000_000
"""Messages are received at most so much out of the venue's order; later ones are played as soon as they are met."""


class VenueOrder:
    """Events of one symbol, sorted by venue time as they are read.

    Parameters
    ----------
    shift_ns : int
        Added to every venue time.

    """

    def __init__(self, shift_ns: int = 0) -> None:
        self._shift = shift_ns
        self._held: NDArray[np.void] = np.empty(0, dtype=EVENT)
        self._played = np.iinfo(np.int64).min
        self._stamp = NO_TIME
        self.newest_ns = np.iinfo(np.int64).min

    def add(self, events: NDArray[np.void]) -> None:
        """Take in the next rows of the recording."""
        rows = events.copy()
        stamps = np.where(rows["exch_ts"] == NO_TIME, 0, rows["exch_ts"])
        # A row without a stamp: the newest one before it, at the beginning of a recording the receiver's.
        last = np.maximum.accumulate(np.where(stamps > 0, np.arange(1, len(rows) + 1), 0))
        known = np.concatenate(([self._stamp or int(rows["local_ts"][0])], stamps))
        stamps = known[last]
        self._stamp = int(stamps[-1])
        rows["exch_ts"] = rows["local_ts"] = stamps + self._shift
        self.newest_ns = max(int(self.newest_ns), int(rows["exch_ts"].max()))
        held = np.concatenate([self._held.view(np.uint8), rows.view(np.uint8)]).view(EVENT)
        self._held = held[np.argsort(held["exch_ts"], kind="stable")]

    def take(self, until_ns: int) -> NDArray[np.void]:
        """Remove and return the rows up to a venue time; a row that came too late is played at the time reached."""
        played, self._played = self._played, max(self._played, until_ns + 1)
        if not len(self._held) or int(self._held["exch_ts"][0]) > until_ns:
            return self._held[:0]
        stop = int(np.searchsorted(self._held["exch_ts"], until_ns, side="right"))
        taken = np.ascontiguousarray(self._held[:stop])
        taken["exch_ts"] = np.maximum(taken["exch_ts"], played)
        self._held = self._held[stop:]
        return taken


class Replay:
    """A recording of several symbols, read as far as it has been played.

    Parameters
    ----------
    chunks : iterator of Chunk
        The recording, in the order received.
    symbols : sequence of str
        Those wanted; others are passed over.
    shift_ns : int
        Added to every venue time.

    """

    def __init__(self, chunks: Iterator[Chunk], symbols: tuple[str, ...], shift_ns: int) -> None:
        self._chunks = chunks
        self._orders = {symbol: VenueOrder(shift_ns) for symbol in symbols}
        self._ended = False

    def read(self, symbol: str, until_ns: int) -> NDArray[np.void]:
        """Return the next events of a symbol up to a venue time."""
        while not self._ended and self._newest() < until_ns + SLACK_NS:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
            elif chunk.symbol in self._orders and chunk.events.size:
                self._orders[chunk.symbol].add(chunk.events)
        return self._orders[symbol].take(until_ns)

    def _newest(self) -> int:
        return max(order.newest_ns for order in self._orders.values())


class ReplaySource:
    """One symbol's share of a replay."""

    def __init__(self, replay: Replay, symbol: str) -> None:
        self._replay = replay
        self._symbol = symbol

    def read(self, until_ns: int) -> NDArray[np.void]:
        """Return the next events up to a venue time."""
        return self._replay.read(self._symbol, until_ns)
