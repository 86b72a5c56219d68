"""How good a detector is where the truth is known: precision, recall and timing, with intervals.

Here belongs scoring of finished series; what is planted and what is detected come from elsewhere. Episodes are independent
by construction, so their shares get exact binomial intervals; ticks are not, so shares of ticks are summed per seed and the
seeds give the interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.intervals import Interval

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Matches:
    """Which detections belong to which episodes.

    Attributes
    ----------
    first : ndarray of int64, shape (episodes,)
        Index of the first detection of an episode, −1 where it was missed.
    owner : ndarray of int64, shape (detections,)
        Index of the episode a detection belongs to, −1 for a false alarm.

    """

    first: Ints
    owner: Ints

    @property
    def found(self) -> Bools:
        """Which episodes were found."""
        return self.first >= 0

    @property
    def true(self) -> Bools:
        """Which detections belong to an episode."""
        return self.owner >= 0


def match(
    detected_ns: Ints, detected_side: Ints, start_ns: Ints, end_ns: Ints, side: Ints, *, late_ns: int
) -> Matches:
    """Give each detection to the earliest begun episode of its side that was under way or ended at most `late_ns` before.

    Parameters
    ----------
    detected_ns, detected_side : ndarray of int64, shape (m,)
        Ascending times.
    start_ns, end_ns, side : ndarray of int64, shape (n,)
        Episodes; a point in time has both times equal.
    late_ns : int

    Returns
    -------
    Matches

    Raises
    ------
    DataError
        If the detections are not in time order.

    """
    times = np.asarray(detected_ns, dtype=np.int64)
    if (np.diff(times) < 0).any():
        raise DataError("detections should be in time order", remedy="sort them by time")
    first = np.full(len(start_ns), -1, np.int64)
    owner = np.full(len(times), -1, np.int64)
    for i in np.argsort(start_ns, kind="stable"):
        low, high = np.searchsorted(times, [start_ns[i], end_ns[i] + late_ns], side="left")
        own = low + np.flatnonzero((owner[low:high] < 0) & (np.asarray(detected_side)[low:high] == side[i]))
        if len(own):
            first[i] = own[0]
            owner[own] = i
    return Matches(first, owner)


def proportion(hits: int, n: int, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Share with the exact interval of Clopper and Pearson (1934); None of nothing.

    Examples
    --------
    >>> proportion(0, 0) is None
    True
    >>> round(proportion(10, 10).low, 4)
    0.6915

    """
    from scipy.special import betaincinv  # here: whoever only reads a score must not pay for scipy

    if not 0 <= hits <= n:
        raise DataError(f"proportion: expected hits from 0 to {n}, was {hits}")
    if n == 0:
        return None
    tail = 0.5 * (1.0 - confidence)
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1.0 - tail)) if hits < n else 1.0
    return Interval(hits / n, low, high, n)


def over_seeds(values: Sequence[float], *, confidence: float = CONFIDENCE) -> Interval | None:
    """Mean of one figure a seed with Student's t interval; undefined figures are left out, None under two."""
    from scipy.special import stdtrit

    x = np.array([value for value in values if math.isfinite(value)])
    if len(x) < 2:
        return None
    half = float(stdtrit(len(x) - 1, 0.5 + confidence / 2.0)) * float(x.std(ddof=1)) / math.sqrt(len(x))
    mean = float(x.mean())
    return Interval(mean, mean - half, mean + half, len(x))


def precision_recall(found: Bools, truth: Bools) -> tuple[float, float]:
    """Precision and recall of a state held tick by tick; NaN where nothing was found or planted.

    Parameters
    ----------
    found, truth : ndarray of bool, shape (ticks,)

    """
    both = float(np.sum(found & truth))
    all_found, all_true = float(np.sum(found)), float(np.sum(truth))
    precision = both / all_found if all_found > 0.0 else math.nan
    return precision, both / all_true if all_true > 0.0 else math.nan


def delay_quantiles_s(
    delays_ns: Ints, quantiles: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9)
) -> tuple[float, ...]:
    """Quantiles of signed delays, seconds; negative is early. NaN without any."""
    if len(delays_ns) == 0:
        return (math.nan,) * len(quantiles)
    return tuple(float(q) for q in np.quantile(1e-9 * np.asarray(delays_ns, dtype=np.float64), quantiles))


def rising_edges(flag: Bools) -> Ints:
    """Ticks at which a flag begins to hold."""
    return np.flatnonzero(flag & ~np.concatenate([[False], flag[:-1]]))
