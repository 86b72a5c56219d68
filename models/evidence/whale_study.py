"""Study E5: the price five seconds after whale trades.

Here belongs the study: its figure, interval and verdict. Which trades are whales is F9's business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evidence.event_study import SECOND_NS, markouts_bps
from models.evidence.intervals import BlockMean, block_mean
from models.evidence.verdict import NOT_ENOUGH_DATA, judge

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PASSES_ABOVE_BPS = 1.0
HORIZON_S = 5.0
ENTRY_DELAY_S = 0.5
PATH_S: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class WhaleStudy:
    """Mean reversion after whale trades.

    Attributes
    ----------
    events, measured : int
        Whale trades, and those with a known mid before and after.
    reversion_bps : BlockMean or None
        Move against the whale from `ENTRY_DELAY_S` to `HORIZON_S` after its trade; None says "not enough data".
    path_bps : tuple of (float, float)
        Seconds after the trade, and the mean move against the whale since the entry delay; NaN where nothing is known.
    p_value : float
        One-sided, of "there is no reversion"; NaN without an interval.
    verdict : str
        ``passed`` where the mean exceeds 1 bp and its interval lies above zero.

    """

    events: int
    measured: int
    reversion_bps: BlockMean | None
    path_bps: tuple[tuple[float, float], ...]
    p_value: float
    verdict: str


def whale_study(
    whale_ns: Ints,
    side: NDArray[np.int8],
    quote_ns: Ints,
    mid: Floats,
    *,
    horizon_s: float = HORIZON_S,
    entry_delay_s: float = ENTRY_DELAY_S,
    path_s: Sequence[float] = PATH_S,
    passes_above_bps: float = PASSES_ABOVE_BPS,
) -> WhaleStudy:
    """Run the study.

    Parameters
    ----------
    whale_ns : ndarray of int64, shape (n,)
        Ascending.
    side : ndarray of int8, shape (n,)
        The whale's (taker's) side.
    quote_ns, mid : ndarray, shape (m,)
        Mids in force from each receive time on; NaN marks gaps.
    horizon_s : float
        Seconds after the trade.
    entry_delay_s : float
        Reversion counts from here: the mid at the trade itself does not show its impact yet, and nobody could trade at it.
    path_s : sequence of float
    passes_above_bps : float

    Returns
    -------
    WhaleStudy

    """
    whales = np.asarray(whale_ns, dtype=np.int64)
    against = -np.asarray(side, dtype=np.int8)
    horizons = (*path_s, horizon_s)
    moves = markouts_bps(whales, against, quote_ns, mid, horizons, entry_delay_s=entry_delay_s)
    known = np.isfinite(moves[:, -1])
    means = [float(own[np.isfinite(own)].mean()) if np.isfinite(own).any() else math.nan for own in moves.T]
    path = tuple((float(s), mean) for s, mean in zip(path_s, means, strict=False))
    mean = block_mean(moves[known, -1], whales[known], round(horizon_s * SECOND_NS))
    if mean is None:
        return WhaleStudy(len(whales), int(known.sum()), None, path, math.nan, NOT_ENOUGH_DATA)
    verdict = judge(mean.estimate, mean.low, passes_above_bps)
    return WhaleStudy(len(whales), mean.n, mean, path, mean.p_not_above(), verdict)
