"""What picking the best variant earns where it was not picked: purged, embargoed, combinatorial cross-validation.

In every split the variant with the highest Sharpe ratio of the training rows is chosen, and its returns in the test rows
count. All of history decides who is chosen where, so rows far apart are tied together, and an interval from block means passes
7 % of worthless choices instead of 2.5 %; the whole procedure is therefore run again without each of ten blocks (a jackknife),
which passes 1 %. Here belongs that choice and its figure; the splits are `cross_validation`'s, the probability of overfitting is
`overfitting`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.cross_validation import Split, purged_splits, recombine
from models.evidence.intervals import BLOCKS, Interval, block_jackknife, effective_observations
from models.evidence.verdict import NOT_ENOUGH_DATA, judge

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDS = 8
TEST_FOLDS = 2
LEAST_ROWS_PER_FOLD = 5


@dataclass(frozen=True)
class SelectionStudy:
    """Outcome of choosing out of sample.

    Attributes
    ----------
    rows, splits : int
    path_means : ndarray of float64, shape (paths,)
        Mean return a row of each whole history made of test rows; empty without data.
    chosen : ndarray of int64, shape (variants,)
        In how many splits each variant was chosen.
    out_of_sample : Interval or None
        Mean return a row over all paths; None says "not enough data".
    verdict : str
        ``passed`` where that mean is positive and its interval lies above zero.

    """

    rows: int
    splits: int
    path_means: Floats
    chosen: Ints
    out_of_sample: Interval | None
    verdict: str


def selection_study(
    returns: Floats,
    start_ns: Ints,
    end_ns: Ints,
    *,
    embargo_ns: int = 0,
    folds: int = FOLDS,
    test_folds: int = TEST_FOLDS,
) -> SelectionStudy:
    """Run the study.

    Parameters
    ----------
    returns : ndarray of float64, shape (t, n)
        Rows in time order, one column for every variant.
    start_ns, end_ns : ndarray of int64, shape (t,)
        Begin of each row, and when all that was begun in it had ended.
    embargo_ns : int
        How much longer after a test fold nothing is trained on.
    folds, test_folds : int
        8 and 2 make 28 splits and 7 whole histories.

    Returns
    -------
    SelectionStudy

    Raises
    ------
    DataError
        If the table is not finite or times do not fit.

    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise DataError(f"expected a finite table with one column per variant, was shape {x.shape}")
    rows, variants = x.shape
    if variants < 2 or rows < folds * LEAST_ROWS_PER_FOLD:
        nothing = np.zeros(variants, np.int64)
        return SelectionStudy(rows, 0, np.empty(0), nothing, None, NOT_ENOUGH_DATA)
    start, end = np.asarray(start_ns, dtype=np.int64), np.asarray(end_ns, dtype=np.int64)
    splits = purged_splits(start, end, folds, test_folds, embargo_ns)
    picks, paths = _choose(x, splits)
    edges = np.linspace(0, rows, BLOCKS + 1).astype(np.int64)
    without = []
    for block in range(BLOCKS):
        kept = np.r_[0 : edges[block], edges[block + 1] : rows]
        own = purged_splits(start[kept], end[kept], folds, test_folds, embargo_ns)
        without.append(float(_choose(x[kept], own)[1].mean()))
    mean = float(paths.mean())
    half, error = block_jackknife(mean, without)
    effective = effective_observations(float(paths.mean(axis=0).var(ddof=1)), error, rows)
    interval = Interval(mean, mean - half, mean + half, rows, effective)
    chosen = np.bincount(picks, minlength=variants).astype(np.int64)
    verdict = judge(mean, interval.low, 0.0)
    return SelectionStudy(rows, len(splits), paths.mean(axis=1), chosen, interval, verdict)


def _choose(x: Floats, splits: list[Split]) -> tuple[list[int], Floats]:
    """Pick a variant in every split; returns the picks and what they earned, shape (paths, rows)."""
    picks = [_best(x[split.train]) for split in splits]
    tested = [[x[rows, pick] for rows in split.tests] for split, pick in zip(splits, picks, strict=True)]
    return picks, recombine(splits, tested)


def _best(train: Floats) -> int:
    """Column of the highest Sharpe ratio; a column that never moves has ratio zero, and the first of equals wins."""
    mean, spread = train.mean(axis=0), train.std(axis=0)
    ratio = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 0.0)
    return int(ratio.argmax())
