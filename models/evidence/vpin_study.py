"""Study E2: what VPIN says about the next five minutes.

Here belongs the study: its figure, interval and verdict. The figure that decides is the correlation with the signed change
of the mid, as specified; that with the size of the change, which the literature on VPIN speaks of, stands beside it and
decides nothing. With accurate trade sides the study may honestly fail (Andersen and Bondarenko 2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.as_of import as_of
from models.evidence.intervals import Interval, block_edges, correlation_interval, decorrelation_length
from models.evidence.verdict import NOT_ENOUGH_DATA, judge

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PASSES_ABOVE = 0.15
HORIZON_S = 300.0


@dataclass(frozen=True)
class VpinStudy:
    """Correlation of VPIN with the next change of the mid.

    Attributes
    ----------
    n : int
        Instants at which both were known.
    signed : Interval or None
        Correlation with the change; None says "not enough data".
    size : Interval or None
        Correlation with the absolute change; decides nothing.
    verdict : str
        ``passed`` where |signed| exceeds 0.15 and its interval excludes zero.

    """

    n: int
    signed: Interval | None
    size: Interval | None
    verdict: str


def vpin_study(
    vpin_ns: Ints,
    vpin: Floats,
    quote_ns: Ints,
    mid: Floats,
    *,
    horizon_s: float = HORIZON_S,
    passes_above: float = PASSES_ABOVE,
) -> VpinStudy:
    """Run the study.

    Parameters
    ----------
    vpin_ns, vpin : ndarray, shape (n,)
        VPIN and when it was known, ascending; NaN where undefined.
    quote_ns, mid : ndarray, shape (m,)
        Mids in force from each receive time on; NaN marks gaps.
    horizon_s : float
    passes_above : float

    Returns
    -------
    VpinStudy
        ``not enough data`` where 10 blocks, each twice as long as the horizon and as VPIN's own memory (the lag at which
        its autocorrelation falls below 1/e), cannot be formed.

    """
    times, level = np.asarray(vpin_ns, dtype=np.int64), np.asarray(vpin, dtype=np.float64)
    if times.shape != level.shape or (np.diff(times) < 0).any():
        raise DataError("expected one VPIN a time, in time order", remedy="sort them by time")
    horizon_ns = round(horizon_s * 1e9)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.log(as_of(quote_ns, mid, times + horizon_ns) / as_of(quote_ns, mid, times))
    known = np.isfinite(level) & np.isfinite(change)
    times, level, change = times[known], level[known], change[known]
    edges = _edges(times, level, horizon_ns)
    if edges is None:
        return VpinStudy(len(times), None, None, NOT_ENOUGH_DATA)
    signed = correlation_interval(level, change, edges)
    size = correlation_interval(level, np.abs(change), edges)
    if signed is None:
        return VpinStudy(len(times), None, size, NOT_ENOUGH_DATA)
    low = signed.low if signed.estimate > 0.0 else -signed.high
    return VpinStudy(len(times), signed, size, judge(abs(signed.estimate), low, passes_above))


def _edges(times: Ints, level: Floats, horizon_ns: int) -> Ints | None:
    if len(times) < 2:
        return None
    spacing = float(times[-1] - times[0]) / (len(times) - 1)
    memory_ns = math.ceil(decorrelation_length(level) * spacing)
    return block_edges(times, max(horizon_ns, memory_ns))
