"""X4 for live fills: the mid of a recorded tape at times after each fill.

The arithmetic of what markouts mean is the backtest's (`models.simulation.backtest.markouts`), so that a live fill and a
simulated one are read alike. Here belongs finding the mids: the book as of a time by the venue's clock, which is the clock of
fills too. A book that may not be traded on or is older than `STALE_S`, and a time the tape does not reach, give none. Which
fills and which tape, is the business of the pipelines.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.errors import DataError
from models.market.book import apply, is_valid, mid_price, new_book
from models.market.tape import NO_TIME, Events
from models.simulation.backtest.records import FILL, MARKOUTS_S

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STALE_S = 10.0
"""As old as a book may be that is traded on (G12)."""
_STALE_NS = int(STALE_S * 1e9)
_HORIZONS_NS = (np.array(MARKOUTS_S) * 1e9).astype(np.int64)


@njit(cache=True)
def _read(book: Any, events: Events, times: Ints, mids: Floats, start: int) -> int:
    """Write the mid as of each time that lies before an event, from `start` on; returns the next one to be read."""
    reached = start
    for i in range(len(events)):
        event = events[i]
        now_ns = event.local_ts if event.exch_ts == NO_TIME else event.exch_ts
        while reached < len(times) and times[reached] < now_ns:
            seen_ns = book.local_ts if book.exch_ts == NO_TIME else book.exch_ts
            is_good = is_valid(book) and times[reached] - seen_ns <= _STALE_NS
            mids[reached] = mid_price(book) if is_good else math.nan
            reached += 1
        if reached == len(times):
            break
        apply(book, event)
    return reached


class MidReader:
    """Reads the mid of a tape at given times, stretch by stretch.

    Parameters
    ----------
    tick_size : float
        Price step of the instrument.
    times_ns : ndarray of int64, shape (n,)
        By the venue's clock, ascending.

    Raises
    ------
    DataError
        When times are not in order.

    """

    def __init__(self, tick_size: float, times_ns: Ints) -> None:
        if np.any(np.diff(times_ns) < 0):
            raise DataError("mids: expected times in order, were not")
        self._book = new_book(tick_size)
        self._times = np.ascontiguousarray(times_ns, np.int64)
        self._reached = 0
        self.mids: Floats = np.full(len(times_ns), np.nan)
        """As of each time, shape (n,); NaN without a valid book, and where the tape has not come yet."""

    def take(self, events: Events) -> None:
        """Take the next stretch of the tape."""
        self._reached = _read(self._book, events, self._times, self.mids, self._reached)


def fills_of(at_ns: Ints, side: Ints, price: Floats, is_maker: NDArray[np.bool_]) -> NDArray[np.void]:
    """Return fills whose markouts are not known yet, in order of time.

    Parameters
    ----------
    at_ns, side, price, is_maker : ndarray, shape (n,)
        Venue time, +1 or -1, quote currency.

    Returns
    -------
    array of FILL, shape (n,)

    """
    fills: NDArray[np.void] = np.zeros(len(at_ns), FILL)
    fills["exch_ns"], fills["side"], fills["price"], fills["maker"] = at_ns, side, price, is_maker
    fills["markout_bps"] = np.nan
    return fills[np.argsort(fills["exch_ns"], kind="stable")]


def times_of(fills: NDArray[np.void]) -> Ints:
    """Return the times at which mids are needed, ascending and each once."""
    return np.unique(fills["exch_ns"][:, None] + _HORIZONS_NS)


def mark_out(fills: NDArray[np.void], times_ns: Ints, mids: Floats) -> None:
    """Write the markouts of fills: side × (mid after − price) / price, bps; changes `fills` in place.

    Parameters
    ----------
    fills : array of FILL
    times_ns : ndarray of int64
        `times_of` these fills.
    mids : ndarray of float64
        At these times.

    """
    after = mids[np.searchsorted(times_ns, fills["exch_ns"][:, None] + _HORIZONS_NS)]
    price = fills["price"][:, None]
    fills["markout_bps"] = 1e4 * fills["side"][:, None] * (after - price) / price
