"""The L2 order book: one fixed-size record, compiled functions over it, no fixed price range.

Prices are integer ticks. Each side keeps a window of `WINDOW_TICKS` ticks that follows the touch: a ring of sizes with
a two-level bitmap of occupied ticks, so that the next best level is two bit scans away however wide the gap. Levels
outside the window wait in a hash table and come back when the market gets there. A full table drops its farthest
levels and counts them in `dropped`; nothing near the market is ever lost. `book_levels.py` has both, `book_record.py`
the record.

A book is valid only after a snapshot of both sides with no gap since, at the end of a message, with both sides there,
uncrossed, and with every price on the tick grid. Nothing may trade on an invalid book; `is_valid` says so,
`invalid_reason` says why. A gap heals by a snapshot, a crossed book by a later message that uncrosses it.

What does not belong here: venue formats and sequence numbers (`readers/`), features, own orders.
"""

from __future__ import annotations

import math
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from models.errors import DataError
from models.market.book_levels import clear_side, next_key, set_level, size_down_to, size_of_key
from models.market.book_record import BOOK, NO_TICK, Book
from models.market.tape import (
    BBO,
    DEPTH,
    END_OF_MESSAGE,
    GAP,
    SNAPSHOT,
    SNAPSHOT_START,
)

__all__ = [
    "BOOK",
    "CROSSED",
    "EMPTY_SIDE",
    "GAPPED",
    "INSIDE_MESSAGE",
    "NO_ASK",
    "NO_BID",
    "NO_SNAPSHOT",
    "OFF_GRID",
    "VALID",
    "Book",
    "apply",
    "apply_all",
    "band_depth",
    "best_ask",
    "best_bid",
    "depth_levels",
    "invalid_reason",
    "is_valid",
    "mid_price",
    "new_book",
    "new_books",
    "size_at",
    "tick_of",
]

NO_BID: Final = NO_TICK
"""What `best_bid` returns for an empty side: below every tick."""
NO_ASK: Final = -NO_TICK
"""What `best_ask` returns for an empty side: above every tick."""

VALID: Final = 0
NO_SNAPSHOT: Final = 1
GAPPED: Final = 2
INSIDE_MESSAGE: Final = 3
CROSSED: Final = 4
EMPTY_SIDE: Final = 5
OFF_GRID: Final = 6


def new_books(tick_sizes: npt.ArrayLike) -> npt.NDArray[np.void]:
    """Return one empty, invalid book per tick size.

    Parameters
    ----------
    tick_sizes : array of shape (n,)
        Price step of each instrument, quote per base.

    Returns
    -------
    array of BOOK, shape (n,)
        A record array: an element is a view with its fields as attributes, and functions change it in place.

    Raises
    ------
    DataError
        When a tick size is not a positive number.

    """
    steps = np.atleast_1d(np.asarray(tick_sizes, dtype=np.float64))
    if not np.all(np.isfinite(steps) & (steps > 0)):
        raise DataError(f"book: expected positive tick sizes, was {steps.tolist()}")
    books = np.zeros(steps.size, dtype=BOOK).view(np.recarray)
    books["tick_size"] = steps
    books["ticks_per_unit"] = 1.0 / steps
    books["best"] = NO_TICK
    return books


def new_book(tick_size: float) -> Book:
    """Return one empty, invalid book; see `new_books`."""
    return cast(Book, new_books([tick_size])[0])


@njit(cache=True)
def tick_of(book: Book, price: float) -> int:
    """Return the tick nearest to a price."""
    return math.floor(price * book.ticks_per_unit + 0.5)


@njit(cache=True)
def _key_of(book: Book, side: int, price: float) -> int:
    exact = price * book.ticks_per_unit
    tick = math.floor(exact + 0.5)
    if abs(exact - tick) > 0.01:
        book.off_grid += 1
    return tick if side > 0 else -tick


@njit(cache=True)
def best_bid(book: Book) -> int:
    """Return the tick of the highest bid, `NO_BID` when there is none."""
    return int(book.best[0])


@njit(cache=True)
def best_ask(book: Book) -> int:
    """Return the tick of the lowest ask, `NO_ASK` when there is none."""
    return int(-book.best[1])


@njit(cache=True)
def size_at(book: Book, side: int, tick: int) -> float:
    """Return the size resting at a tick of a side (+1 bid, -1 ask), 0.0 when none rests there."""
    if side > 0:
        return size_of_key(book, 0, tick)
    return size_of_key(book, 1, -tick)


@njit(cache=True)
def mid_price(book: Book) -> float:
    """Return the middle of the touch, not a number while a side is empty."""
    if book.levels[0] == 0 or book.levels[1] == 0:
        return math.nan
    return float(0.5 * book.tick_size * (book.best[0] - book.best[1]))


@njit(cache=True)
def depth_levels(book: Book, side: int, n: int, out: npt.NDArray[np.float64]) -> int:
    """Write the best `n` levels of a side, best first.

    Parameters
    ----------
    book : record of BOOK
    side : int
        +1 bid, -1 ask.
    n : int
        Levels wanted.
    out : array of float64, shape (at least n, 2)
        Gets tick and size of each level.

    Returns
    -------
    int
        Levels written, fewer than `n` when the side has no more.

    """
    h = 0 if side > 0 else 1
    key = book.best[h]
    count = 0
    while count < n and key != NO_TICK:
        out[count, 0] = key if side > 0 else -key
        out[count, 1] = size_of_key(book, h, key)
        count += 1
        key = next_key(book, h, key)
    return count


@njit(cache=True)
def band_depth(book: Book, side: int, bps: float) -> float:
    """Return the size (base units) resting within `bps` basis points of the mid; not a number on an empty side."""
    mid = mid_price(book)
    if math.isnan(mid):
        return mid
    h = 0 if side > 0 else 1
    sign = 1.0 if side > 0 else -1.0
    # The epsilon keeps a level that lies exactly on the limit, whatever the rounding of the product.
    last = math.ceil(sign * mid * (1.0 - sign * bps * 1e-4) * book.ticks_per_unit - 1e-6)
    return float(size_down_to(book, h, last))


@njit(cache=True)
def invalid_reason(book: Book) -> int:
    """Return `VALID`, or the first reason why nothing may trade on this book."""
    if book.complete[0] == 0 or book.complete[1] == 0:
        return GAPPED if book.gaps > 0 else NO_SNAPSHOT
    if book.inside_message != 0:
        return INSIDE_MESSAGE
    if book.off_grid > 0:
        return OFF_GRID
    if book.levels[0] == 0 or book.levels[1] == 0:
        return EMPTY_SIDE
    if book.best[0] >= -book.best[1]:
        return CROSSED
    return VALID


@njit(cache=True)
def is_valid(book: Book) -> bool:
    """Say whether the book may be traded on: complete, gapless, whole message, uncrossed."""
    return (
        book.complete[0] != 0
        and book.complete[1] != 0
        and book.inside_message == 0
        and book.off_grid == 0
        and book.levels[0] > 0
        and book.levels[1] > 0
        and book.best[0] < -book.best[1]
    )


@njit(cache=True)
def _start_snapshot(book: Book, side: int) -> None:
    if side >= 0:
        clear_side(book, 0)
        book.complete[0] = 1
    if side <= 0:
        clear_side(book, 1)
        book.complete[1] = 1


@njit(cache=True)
def _replace_touch(book: Book, h: int, key: int, size: float) -> None:
    while book.best[h] > key:
        set_level(book, h, book.best[h], 0.0)
    set_level(book, h, key, size)


@njit(cache=True)
def apply(book: Book, event: Any) -> None:
    """Bring the book up to one event of the tape; kinds that do not touch a book leave it as it is.

    Parameters
    ----------
    book : record of BOOK
        Changed in place.
    event : record of EVENT

    """
    kind = event.kind
    if kind in (DEPTH, SNAPSHOT):
        h = 0 if event.side > 0 else 1
        set_level(book, h, _key_of(book, event.side, event.price), event.size)
        book.inside_message = 1
    elif kind == END_OF_MESSAGE:
        book.inside_message = 0
        book.local_ts = event.local_ts
        book.exch_ts = event.exch_ts
        if book.best[0] >= -book.best[1] and book.levels[0] > 0 and book.levels[1] > 0:
            book.crossings += 1
    elif kind == BBO:
        h = 0 if event.side > 0 else 1
        _replace_touch(book, h, _key_of(book, event.side, event.price), event.size)
        book.inside_message = 1
    elif kind == SNAPSHOT_START:
        _start_snapshot(book, event.side)
        book.inside_message = 1
    elif kind == GAP:
        book.complete[0] = 0
        book.complete[1] = 0
        book.gaps += 1


@njit(cache=True)
def apply_all(book: Book, events: npt.NDArray[np.void]) -> None:
    """Bring the book up to every event of a tape."""
    for i in range(events.shape[0]):
        apply(book, events[i])
