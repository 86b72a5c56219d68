"""Cross-validation without leaks: purged and embargoed splits by the times of labels, and their combinatorial form.

Here belong row indices only; fitting and scoring do not. The method is López de Prado's (2018, Advances in Financial Machine
Learning, chapters 7 and 12). skfolio's ``CombinatorialPurgedCV`` counts rows; here a sample says when it was decided and when
its label was known, so that uneven events and several symbols are handled too. On evenly spaced samples whose labels last h
rows both give the same indices, with skfolio's ``purged_size=h`` and the embargo in rows; a test holds them together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rows to fit on and rows to test on.

    Attributes
    ----------
    train : ndarray of int64
    tests : tuple of ndarray of int64
        One per test fold, in time order.
    paths : tuple of int
        For each test fold, the path through history it belongs to.

    """

    train: Ints
    tests: tuple[Ints, ...]
    paths: tuple[int, ...]


def purged_splits(
    start_ns: Ints, end_ns: Ints, folds: int, test_folds: int = 1, embargo_ns: int = 0
) -> list[Split]:
    """Make every split of a purged, embargoed, combinatorial cross-validation.

    A row is left out of training where its label's time touches that of a test fold (from the fold's first decision to its
    last known label, both ends included) or where it was decided within the embargo after it.

    Parameters
    ----------
    start_ns : ndarray of int64, shape (n,)
        When each sample was decided, ascending; samples of several symbols may share an instant.
    end_ns : ndarray of int64, shape (n,)
        When its label was known; at or after the start.
    folds : int
        Contiguous folds of n // folds rows; the last takes the remainder.
    test_folds : int
        Folds tested at once; 1 is ordinary cross-validation.
    embargo_ns : int
        How much longer after a test fold's last label nothing is trained on.

    Returns
    -------
    list of Split
        C(folds, test_folds) splits.

    Raises
    ------
    DataError
        If the times are not in order, the numbers do not fit, or a split has nothing left to train on.

    """
    start, end = np.asarray(start_ns, dtype=np.int64), np.asarray(end_ns, dtype=np.int64)
    _check(start, end, folds, test_folds, embargo_ns)
    size = len(start) // folds
    edges = [size * fold for fold in range(folds)] + [len(start)]
    rows = [np.arange(a, b, dtype=np.int64) for a, b in itertools.pairwise(edges)]
    forbidden = []
    for own in rows:
        first, last = start[own[0]], end[own].max()
        out = (start <= last + embargo_ns) & (end >= first)
        out[own] = True
        forbidden.append(out)
    splits, seen = [], [0] * folds
    for chosen in itertools.combinations(range(folds), test_folds):
        train = np.flatnonzero(~np.logical_or.reduce([forbidden[fold] for fold in chosen]))
        if not len(train):
            raise DataError(
                f"purging and embargo leave nothing to train on when folds {chosen} are tested",
                remedy="use fewer test folds, shorter labels or more history",
            )
        paths = tuple(seen[fold] for fold in chosen)
        for fold in chosen:
            seen[fold] += 1
        splits.append(Split(train, tuple(rows[fold] for fold in chosen), paths))
    return splits


def number_of_paths(folds: int, test_folds: int) -> int:
    """Count the whole histories that the test folds make up: C(folds − 1, test_folds − 1)."""
    return math.comb(folds - 1, test_folds - 1)


def recombine(splits: Sequence[Split], values: Sequence[Sequence[Floats]]) -> Floats:
    """Put out-of-sample values together to whole histories.

    Parameters
    ----------
    splits : sequence of Split
        From `purged_splits`.
    values : sequence of sequences of ndarray
        For each split and each of its test folds, one value a row.

    Returns
    -------
    ndarray of float64, shape (paths, n)
        Every row is one path through history, tested out of sample throughout.

    """
    paths = 1 + max(path for split in splits for path in split.paths)
    n = 1 + max(int(rows[-1]) for split in splits for rows in split.tests)
    out = np.full((paths, n), np.nan)
    for split, own in zip(splits, values, strict=True):
        for path, rows, value in zip(split.paths, split.tests, own, strict=True):
            out[path, rows] = value
    return out


def _check(start: Ints, end: Ints, folds: int, test_folds: int, embargo_ns: int) -> None:
    if start.ndim != 1 or start.shape != end.shape:
        raise DataError(f"expected one start and one end per sample, was {start.shape} and {end.shape}")
    if not 1 <= test_folds < folds <= len(start):
        raise DataError(
            f"expected 1 ≤ test folds < folds ≤ samples, was {test_folds}, {folds} and {len(start)}"
        )
    if (np.diff(start) < 0).any():
        raise DataError("samples should be in order of their decision", remedy="sort them by start_ns")
    if (end < start).any() or embargo_ns < 0:
        raise DataError("a label should be known at or after its decision, and the embargo be ≥ 0")
