"""What a series of quotes said at given instants.

Here belongs the lookup that event studies share: the last value received by an instant, never a later one.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def as_of(quote_ns: Ints, quote: Floats, at_ns: Ints) -> Floats:
    """Value in force at each instant.

    Parameters
    ----------
    quote_ns : ndarray of int64, shape (m,)
        Receive times, ascending; of several at one instant the last counts.
    quote : ndarray of float64, shape (m,)
        For example the mid. NaN says that from then on there was no valid one (a gap).
    at_ns : ndarray of int64, any shape
        Fastest where they ascend.

    Returns
    -------
    ndarray of float64, shape of `at_ns`
        NaN before the first quote, after the last (nobody knows what came then), and within gaps.

    Raises
    ------
    DataError
        If shapes differ or times are not in order.

    """
    times, values = np.ascontiguousarray(quote_ns, np.int64), np.ascontiguousarray(quote, np.float64)
    if times.ndim != 1 or times.shape != values.shape:
        raise DataError(f"expected one quote a time, was {values.shape} quotes and {times.shape} times")
    if (times[1:] < times[:-1]).any():
        raise DataError("quotes should be in the order they were received", remedy="sort them by time")
    at = np.ascontiguousarray(at_ns, np.int64)
    return np.asarray(_as_of(times, values, at.reshape(-1))).reshape(at.shape)


@njit(cache=True)
def _as_of(times: Ints, values: Floats, at: Ints) -> Floats:
    out = np.full(len(at), np.nan)
    m = len(times)
    low = 0
    for i in range(len(at)):
        instant = at[i]
        if m == 0 or instant < times[0] or instant > times[m - 1]:
            continue
        if times[low] > instant:
            low = 0
        # Gallop from the last answer, then bisect: next to nothing where instants ascend.
        step = 1
        high = low + 1
        while high < m and times[high] <= instant:
            low = high
            high += step
            step *= 2
        high = min(high, m)
        while high - low > 1:
            middle = (low + high) // 2
            if times[middle] <= instant:
                low = middle
            else:
                high = middle
        out[i] = values[low]
    return out
