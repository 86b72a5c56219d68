"""Study E3: how far cascades overshoot, and how much comes back.

Here belongs the study: its figures, intervals and verdict. What a cascade is, is F11's business.

An extreme is beyond its start and the price returns from an extreme in *any* random walk: with 0.3 % of five-minute
volatility both thresholds are passed by noise alone. So each cascade's own path is replayed with its moves' signs thrown
anew: same volatility, no direction. Excess overshoot is what exceeds the mean of the replays, excess reversal what exceeds the
mean of those fifth of the replays whose overshoot comes nearest. The verdict asks for both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.as_of import as_of
from models.evidence.intervals import BlockMean, block_mean
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED, judge, worst

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OVERSHOOT_ABOVE = 0.002
REVERSAL_ABOVE = 0.001
OVERSHOOT_S = 300.0
REVERSAL_S = 600.0
STEP_S = 5.0
REPLAYS = 200


@dataclass(frozen=True)
class CascadeStudy:
    """Overshoot and reversal of cascades, as fractions.

    Attributes
    ----------
    events, measured : int
        Cascades, and those whose price was known throughout.
    overshoot : BlockMean or None
        Farthest move in the cascade's direction within 5 minutes; None, as for the others, says "not enough data".
    reversal : BlockMean or None
        Move back from that extreme 10 minutes later.
    overshoot_excess, reversal_excess : BlockMean or None
        The same, less what the cascade's own volatility gives without any direction (see above).
    verdict : str
        ``passed`` where overshoot exceeds 0.2 %, reversal 0.1 %, and the intervals of both excesses lie above zero.

    """

    events: int
    measured: int
    overshoot: BlockMean | None
    reversal: BlockMean | None
    overshoot_excess: BlockMean | None
    reversal_excess: BlockMean | None
    verdict: str


def cascade_study(
    cascade_ns: Ints,
    direction: NDArray[np.int8],
    quote_ns: Ints,
    mid: Floats,
    *,
    seed: int,
    overshoot_above: float = OVERSHOOT_ABOVE,
    reversal_above: float = REVERSAL_ABOVE,
    replays: int = REPLAYS,
) -> CascadeStudy:
    """Run the study.

    Parameters
    ----------
    cascade_ns : ndarray of int64, shape (n,)
        When each cascade was detected, ascending.
    direction : ndarray of int8, shape (n,)
        +1 rising, −1 falling.
    quote_ns, mid : ndarray, shape (m,)
        Mids in force from each receive time on; NaN marks gaps.
    seed : int
        Of the replays.
    overshoot_above, reversal_above : float
    replays : int

    Returns
    -------
    CascadeStudy

    """
    events, sides = np.asarray(cascade_ns, dtype=np.int64), np.asarray(direction, dtype=np.float64)
    if events.shape != sides.shape or not (np.abs(sides) == 1.0).all():
        raise DataError("expected one direction of +1 or −1 per cascade")
    ahead, back = round(OVERSHOOT_S / STEP_S), round(REVERSAL_S / STEP_S)
    grid = np.arange(ahead + back + 1, dtype=np.int64) * round(STEP_S * 1e9)
    with np.errstate(invalid="ignore", divide="ignore"):
        path = np.log(as_of(quote_ns, mid, events[:, None] + grid)) * sides[:, None]
    known = np.isfinite(path).all(axis=1)
    times, path = events[known], path[known]
    moves = np.diff(path, axis=1)
    seen = np.array(_figures(moves, ahead, back))
    rng = np.random.default_rng(seed)
    chance = np.zeros_like(seen)
    for i, own in enumerate(moves):
        signs = rng.integers(0, 2, (replays, len(own)), dtype=np.int8) * 2.0 - 1.0
        overshoots, reversals = _figures(signs * own, ahead, back)
        # Without direction the observed path is one replay among others, and so it is among those of its own overshoot.
        alike = np.argsort(np.abs(overshoots - seen[0, i]), kind="stable")[: max(1, replays // 5)]
        chance[:, i] = overshoots.mean(), reversals[alike].mean()
    horizon_ns = int(grid[-1])
    found = [block_mean(row, times, horizon_ns) for row in (*seen, *(seen - chance))]
    verdict = _verdict(found, (overshoot_above, reversal_above))
    return CascadeStudy(len(events), len(times), found[0], found[1], found[2], found[3], verdict)


def _figures(moves: Floats, ahead: int, back: int) -> tuple[Floats, Floats]:
    """Overshoot and reversal of paths that start at zero, shape (k, steps) to (k,) each, as simple returns."""
    path = np.concatenate([np.zeros((len(moves), 1)), np.cumsum(moves, axis=1)], axis=1)
    peak = path[:, : ahead + 1].argmax(axis=1)
    row = np.arange(len(path))
    return np.expm1(path[row, peak]), -np.expm1(path[row, peak + back] - path[row, peak])


def _verdict(found: list[BlockMean | None], thresholds: tuple[float, float]) -> str:
    verdicts = []
    for figure, excess, threshold in zip(found[:2], found[2:], thresholds, strict=True):
        if figure is None or excess is None:
            return NOT_ENOUGH_DATA
        verdicts.append(judge(figure.estimate, excess.low, threshold))
        verdicts.append(PASSED if excess.estimate > 0.0 else FAILED)
    return worst(*verdicts)
