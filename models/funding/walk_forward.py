"""Purged walk-forward: every forecast is made by a model that had seen nothing from after the forecast was made.

Here belongs the splitting of time and the out-of-sample predictions with their quantiles. Folds are anchored to the
calendar, not to the end of the data, so that appending later data changes no earlier prediction. Fitting itself is in
`models.funding.training`, figures of merit in `models.funding.evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.funding.candidates import BASELINES, CANDIDATES
from models.funding.distribution import LEVELS, standardised_quantiles
from models.funding.features import INDEX
from models.funding.inputs import HOUR_NS
from models.funding.table import FeatureTable
from models.funding.training import TrainingParams, fit

Floats = NDArray[np.float64]
DAY_NS = 24 * HOUR_NS
_KEPT_ERRORS = 2000  # the newest errors the distribution is taken from


@dataclass(frozen=True)
class WalkForwardParams:
    """How time is split.

    Attributes
    ----------
    fold_days : int
        Length of a test fold and the time between refits, days; folds start at multiples of it since 1970.
    min_train_days : int
        A learned candidate predicts only after this many days of training rows.
    max_train_days : int
        Rolling window: rows older than this before the fold are not trained on.
    purge_h : float
        Hours between the last training label and the first test row's knowledge.
    training : TrainingParams

    """

    fold_days: int = 7
    min_train_days: int = 30
    max_train_days: int = 365
    purge_h: float = 0.0
    training: TrainingParams = field(default_factory=TrainingParams)


@dataclass(frozen=True)
class Predictions:
    """Out-of-sample predictions of one candidate for the rows of a table.

    Attributes
    ----------
    model : str
    rows : ndarray of int64
        Positions in the table, ascending.
    predicted, q05, q50, q95 : ndarray of float64
    pinball : ndarray of float64
        Mean pinball loss over `LEVELS` of each row; twice it is about the CRPS.

    """

    model: str
    rows: NDArray[np.int64]
    predicted: Floats
    q05: Floats
    q50: Floats
    q95: Floats
    pinball: Floats


def folds(
    table: FeatureTable, params: WalkForwardParams
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (fold start ns, training rows, test rows) in time order.

    A training row's settlement is at least `purge_h` before the fold starts; a test row's knowledge lies in the fold.
    """
    length = params.fold_days * DAY_NS
    fold_of = table.made_at_ns // length
    for fold in np.unique(fold_of):
        start = int(fold) * length
        labelled = table.settlement_ns <= start - round(params.purge_h * HOUR_NS)
        recent = table.made_at_ns >= start - params.max_train_days * DAY_NS
        yield start, np.flatnonzero(labelled & recent), np.flatnonzero(fold_of == fold)


def walk_forward(
    table: FeatureTable,
    params: WalkForwardParams | None = None,
    candidates: tuple[str, ...] = CANDIDATES,
    on_fold: Callable[[int, int], None] | None = None,
) -> dict[str, Predictions]:
    """Predict every row out of sample with every candidate.

    Parameters
    ----------
    table : FeatureTable
    params : WalkForwardParams, optional
    candidates : tuple of str
    on_fold : callable, optional
        Told (folds done, folds in all): for progress.

    Returns
    -------
    dict of str to Predictions
        A learned candidate has no rows before `min_train_days` of training data exist.

    """
    chosen = params or WalkForwardParams()
    predicted = {name: np.full(len(table), np.nan) for name in candidates}
    splits = list(folds(table, chosen))
    for done, (_, train, test) in enumerate(splits, start=1):
        enough = len(train) > 0 and (
            table.made_at_ns[train[-1]] - table.made_at_ns[train[0]] >= chosen.min_train_days * DAY_NS
        )
        known = table.take(train) if enough else None
        for name in candidates:
            if name in BASELINES or known is not None:
                model = fit(name, known if known is not None else table.take(test[:0]), chosen.training)
                predicted[name][test] = model.predict(
                    table.features[test], table.cap_lower[test], table.cap_upper[test]
                )
        if on_fold is not None:
            on_fold(done, len(splits))
    return {name: _with_quantiles(name, table, predicted[name], chosen) for name in candidates}


def _with_quantiles(
    name: str, table: FeatureTable, predicted: Floats, params: WalkForwardParams
) -> Predictions:
    """Attach quantiles learned from the candidate's own earlier out-of-sample errors."""
    rows = np.flatnonzero(np.isfinite(predicted))
    quantiles = np.empty((len(table), len(LEVELS)))
    errors = table.realised - predicted
    scale = table.features[:, INDEX["latent_sd"]]
    for start, _, test in folds(table, params):
        for horizon in np.unique(table.horizon_min[test]):
            same = np.isfinite(predicted) & (table.horizon_min == horizon)
            past = np.flatnonzero(same & (table.settlement_ns <= start))[-_KEPT_ERRORS:]
            shape = standardised_quantiles(errors[past], scale[past])
            here = test[same[test]]
            spread = predicted[here, None] + scale[here, None] * shape
            quantiles[here] = np.clip(spread, table.cap_lower[here, None], table.cap_upper[here, None])
    kept = quantiles[rows]
    gap = table.realised[rows, None] - kept
    pinball = np.maximum(LEVELS * gap, (LEVELS - 1.0) * gap).mean(axis=1)
    return Predictions(name, rows, predicted[rows], kept[:, 4], kept[:, 49], kept[:, 94], pinball)


def final_shapes(table: FeatureTable, predictions: Predictions) -> dict[int, Floats]:
    """Distribution shapes by horizon from all out-of-sample errors: what a bundle carries into the future."""
    errors = table.realised[predictions.rows] - predictions.predicted
    scale = table.features[predictions.rows, INDEX["latent_sd"]]
    horizon = table.horizon_min[predictions.rows]
    return {
        int(h): standardised_quantiles(
            errors[horizon == h][-_KEPT_ERRORS:], scale[horizon == h][-_KEPT_ERRORS:]
        )
        for h in np.unique(table.horizon_min)
    }
