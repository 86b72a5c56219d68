"""Purged, embargoed walk-forward: every probability is said by a model that had seen nothing from after it was said.

Folds and purging are those of `models.evidence.cross_validation`; of each split only what lies before its test fold is kept.
Here belongs the splitting of time; fitting is in `training`, figures of merit in `scores`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.cascade.candidates import BASE_RATE, CANDIDATES
from models.cascade.labels import CascadeTable
from models.cascade.training import TrainingParams, calibration_split, fit
from models.errors import DataError
from models.evidence.cross_validation import purged_splits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class WalkForwardParams:
    """How time is split.

    Attributes
    ----------
    folds : int
        Stretches of equal counts; the first ones only train.
    embargo_s : float
        Between the last label trained on and the first row tested, beyond the purge.
    training : TrainingParams

    """

    folds: int = 6
    embargo_s: float = 300.0
    training: TrainingParams = field(default_factory=TrainingParams)


@dataclass(frozen=True)
class Predictions:
    """Out-of-sample probabilities of one candidate.

    Attributes
    ----------
    model : str
    rows : ndarray of int64
        Positions in the table, ascending.
    probability : ndarray of float64

    """

    model: str
    rows: Ints
    probability: Floats


def folds(table: CascadeTable, params: WalkForwardParams) -> list[tuple[Ints, Ints]]:
    """Return (training rows, test rows) of every fold with enough to train on.

    A training row's label was known, and the embargo over, before the first test row was taken.
    """
    embargo_ns = round(params.embargo_s * 1e9)
    if len(table) < params.folds:
        return []
    found = []
    # The first folds have no past; the combinatorial splits train on what comes after, which is left out here.
    for split in purged_splits(table.made_at_ns, table.known_ns, params.folds, embargo_ns=embargo_ns):
        [test] = split.tests
        begins = table.made_at_ns[test[0]]
        train = split.train[table.known_ns[split.train] + embargo_ns <= begins]
        if not len(train):
            continue
        try:
            calibration_split(table.take(train), params.training)
        except DataError:  # too few cascades yet: a later fold may have enough
            continue
        found.append((train, test))
    return found


def walk_forward(
    table: CascadeTable,
    params: WalkForwardParams | None = None,
    candidates: tuple[str, ...] = CANDIDATES,
    on_fold: Callable[[int, int], None] | None = None,
) -> dict[str, Predictions]:
    """Say a probability for every row of the tested folds, with every candidate.

    Parameters
    ----------
    table : CascadeTable
    params : WalkForwardParams, optional
    candidates : tuple of str
        The base rate among them.
    on_fold : callable, optional
        Told (folds done, folds in all): for progress.

    Returns
    -------
    dict of str to Predictions
        The same rows for all; none where no fold has enough cascades before it.

    """
    chosen = params or WalkForwardParams()
    if BASE_RATE not in candidates:
        raise DataError(f"cascade: expected {BASE_RATE} among the candidates, was {', '.join(candidates)}")
    splits = folds(table, chosen)
    said: dict[str, list[Floats]] = {name: [np.empty(0)] for name in candidates}
    for done, (train, test) in enumerate(splits, start=1):
        known, asked = table.take(train), np.ascontiguousarray(table.features[test])
        for name in candidates:
            said[name].append(fit(name, known, chosen.training).predict(asked))
        if on_fold is not None:
            on_fold(done, len(splits))
    rows = np.concatenate([np.empty(0, np.int64), *(test for _, test in splits)])
    return {name: Predictions(name, rows, np.concatenate(parts)) for name, parts in said.items()}
