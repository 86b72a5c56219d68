"""What is written down of a tape for the studies: rows of quotes, readings and signals, and counts of ticks.

Here belongs layout. How a tape fills them is in `tape_signals`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

WHALE: Final = 1
CASCADE: Final = 2
EXHAUSTED: Final = 3

READING_NS: Final = 10_000_000_000

QUOTE: Final = np.dtype([("at_ns", np.int64), ("mid", np.float64)], align=True)
"""The mid from a receive time on; NaN on an invalid book."""

READING: Final = np.dtype([("at_ns", np.int64), ("vpin", np.float64)], align=True)

SIGNAL: Final = np.dtype(
    [
        ("at_ns", np.int64),
        ("kind", np.int64),
        ("side", np.int64),
        ("multiple", np.float64),
        ("spread_bps", np.float64),
        ("funding_rate", np.float64),
    ],
    align=True,
)
"""A whale trade (its side and multiple of the median), the begin of a cascade (its side), or the first tick at which forced
flow is exhausted (the side of that flow: −1 where selling was forced)."""

FOLLOW: Final = np.dtype(
    [
        ("quotes", np.int64),
        ("readings", np.int64),
        ("signals", np.int64),
        ("ticks", np.int64),
        ("quoted_ticks", np.int64),
        ("vpin_ticks", np.int64),
        ("lpi_ticks", np.int64),
        ("oi_ticks", np.int64),
        ("forced_ticks", np.int64),
        ("reading_ns", np.int64),
        ("cascades", np.int64),
        ("whales", np.int64),
        ("whale_ns", np.int64),
        ("whale_side", np.int64),
        ("exhausted", np.int64),
        ("mid", np.float64),
    ],
    align=True,
)
"""Rows written since they were last taken, counts of ticks, and what is remembered of the latest signals."""


class Counts(NamedTuple):
    """Ticks of a tape, and those at which something was known.

    Attributes
    ----------
    ticks : int
    quoted : int
        With a valid book.
    vpin, lpi, oi_fall : int
        With that feature defined.
    forced : int
        With forced flow.

    """

    ticks: int
    quoted: int
    vpin: int
    lpi: int
    oi_fall: int
    forced: int


class TapeSignals(NamedTuple):
    """What the studies take.

    Attributes
    ----------
    quotes : array of QUOTE
        Changes of the mid, then the last one again at the tape's end.
    readings : array of READING
        VPIN every `READING_NS`; NaN where undefined.
    signals : array of SIGNAL
        Whales and cascades.
    exhaustions : dict of float to array of SIGNAL
        By threshold θ in basis points.
    counts : Counts
        At the first threshold.
    off_grid : int
        Levels whose price is no multiple of the tick size.

    """

    quotes: NDArray[np.void]
    readings: NDArray[np.void]
    signals: NDArray[np.void]
    exhaustions: dict[float, NDArray[np.void]]
    counts: Counts
    off_grid: int

    def of_kind(self, kind: int) -> NDArray[np.void]:
        """Signals of one kind: `WHALE` or `CASCADE`."""
        own: NDArray[np.void] = self.signals[self.signals["kind"] == kind]
        return own
