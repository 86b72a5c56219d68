"""The record of a book: its fields, their meaning, and the sizes they are given.

What does not belong here: functions over it (`book_levels.py`, `book.py`).
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

WINDOW_TICKS: Final = 4096
"""Ticks a side keeps in its window: 64 words of 64 ticks."""
FAR_LEVELS: Final = 16384
"""Slots of a side's table of levels outside the window."""
NO_TICK: Final = -(1 << 62)
"""Key of an empty side."""

BOOK: Final = np.dtype(
    [
        ("tick_size", np.float64),
        ("ticks_per_unit", np.float64),
        ("base", np.int64, (2,)),
        ("best", np.int64, (2,)),
        ("levels", np.int64, (2,)),
        ("far_levels", np.int64, (2,)),
        ("dropped", np.int64),
        ("gaps", np.int64),
        ("crossings", np.int64),
        ("off_grid", np.int64),
        ("local_ts", np.int64),
        ("exch_ts", np.int64),
        ("complete", np.uint8, (2,)),
        ("inside_message", np.uint8),
        ("summary", np.uint64, (2,)),
        ("words", np.uint64, (2, 64)),
        ("sizes", np.float64, (2, WINDOW_TICKS)),
        ("far_keys", np.int64, (2, FAR_LEVELS)),
        ("far_sizes", np.float64, (2, FAR_LEVELS)),
    ],
    align=True,
)
"""One book, about 0.6 MB. Paired fields: bid, ask. `base` is the number of the window's first word of 64 keys,
`levels` counts all levels, `far_levels` those in the table; a slot of the table is free where its size is 0."""

_Int64s = npt.NDArray[np.int64]
_Uint64s = npt.NDArray[np.uint64]
_Float64s = npt.NDArray[np.float64]


class Book(Protocol):
    """What a record of `BOOK` looks like to the type checker; at run time it is a NumPy record."""

    tick_size: float
    ticks_per_unit: float
    base: _Int64s
    best: _Int64s
    levels: _Int64s
    far_levels: _Int64s
    dropped: int
    gaps: int
    crossings: int
    off_grid: int
    local_ts: int
    exch_ts: int
    complete: npt.NDArray[np.uint8]
    inside_message: int
    summary: _Uint64s
    words: _Uint64s
    sizes: _Float64s
    far_keys: _Int64s
    far_sizes: _Float64s
