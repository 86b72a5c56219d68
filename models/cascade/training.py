"""Fitting the learned candidates, and their calibration on a later purged stretch.

Here belongs turning a table of samples into a `Candidate`. The executor never imports this module: scikit-learn and
LightGBM's training half belong to the pipelines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from models.cascade.candidates import (
    BASE_RATE,
    FOREST,
    LIGHTGBM,
    LOGISTIC,
    Candidate,
    Logistic,
    Platt,
    logit,
    sigmoid,
)
from models.cascade.features import FEATURE_NAMES
from models.cascade.forest import Forest
from models.cascade.labels import CascadeTable
from models.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingParams:
    """How the learned candidates are fitted; small and strong, because samples before one cascade are one observation.

    Attributes
    ----------
    calibration_share : float
        Share of the rows, the last ones, that calibrate.
    embargo_s : float
        Between the last label fitted on and the first row that calibrates, beyond the purge.
    least_cascades, least_calibrating : int
        Different cascades needed to fit and to calibrate.
    logistic_c : float
        Inverse of the penalty on standardised coefficients.
    trees, tree_leaves, tree_min_rows : int
        Of the forest.
    rounds, leaves, min_rows_leaf : int
    learning_rate, l2 : float
        Of LightGBM.
    seed : int

    """

    calibration_share: float = 0.25
    embargo_s: float = 300.0
    least_cascades: int = 15
    least_calibrating: int = 5
    logistic_c: float = 0.001
    trees: int = 60
    tree_leaves: int = 8
    tree_min_rows: int = 150
    tree_features: float = 0.5
    rounds: int = 40
    leaves: int = 4
    min_rows_leaf: int = 200
    learning_rate: float = 0.05
    l2: float = 20.0
    seed: int = 7


def calibration_split(table: CascadeTable, params: TrainingParams) -> tuple[CascadeTable, CascadeTable]:
    """Cut a table into what is fitted on and what calibrates, purged and embargoed.

    Raises
    ------
    DataError
        If either holds too few different cascades, or cascades only.

    """
    cut = len(table) - round(params.calibration_share * len(table))
    if not 0 < cut < len(table):
        raise DataError(f"cascade: expected samples to fit on and to calibrate with, was {len(table)} in all")
    begins = int(table.made_at_ns[cut])
    fitted = table.take(table.known_ns + round(params.embargo_s * 1e9) <= begins)
    calibrating = table.take(np.arange(cut, len(table)))
    for part, least, words in (
        (fitted, params.least_cascades, "fit on"),
        (calibrating, params.least_calibrating, "calibrate with"),
    ):
        if part.cascades < least or part.label.all():
            raise DataError(
                f"cascade: expected at least {least} cascades to {words} and time without, was {part.cascades}",
                remedy="give a longer tape",
            )
    return fitted, calibrating


def fit(name: str, table: CascadeTable, params: TrainingParams | None = None) -> Candidate:
    """Fit and calibrate one candidate.

    Parameters
    ----------
    name : str
        One of `models.cascade.candidates.CANDIDATES`.
    table : CascadeTable
        Samples in order of time.
    params : TrainingParams, optional

    Raises
    ------
    DataError
        If there are too few cascades.

    """
    chosen = params or TrainingParams()
    base = float(table.label.mean())
    if name == BASE_RATE:
        return Candidate(name, base)
    fitted, calibrating = calibration_split(table, chosen)
    model = _FITS[name](np.ascontiguousarray(fitted.features), fitted.label, chosen)
    raw = Candidate(name, base, model=model).raw(np.ascontiguousarray(calibrating.features))
    return Candidate(name, base, fit_platt(raw, calibrating.label), model)


def fit_platt(probability: Floats, label: Floats, rounds: int = 100) -> Platt:
    """Fit Platt's calibration by Newton's method.

    Parameters
    ----------
    probability : ndarray of float64, shape (n,)
        What the model says.
    label : ndarray of float64, shape (n,)
        0 or 1. Targets are drawn in as Platt does, (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2), so that separable samples have a finite fit.
    rounds : int
        At most.

    """
    ones = float(label.sum())
    target = np.where(label > 0.5, (ones + 1.0) / (ones + 2.0), 1.0 / (len(label) - ones + 2.0))
    columns = np.column_stack([logit(probability), np.ones(len(label))])
    columns[:, 0] -= (center := float(columns[:, 0].mean()))
    weights = np.array([0.0, float(np.log(target.mean() / (1.0 - target.mean())))])
    if (
        float(np.ptp(columns[:, 0])) < 1e-12
    ):  # a model that says the same of everything: only its level can be mended
        return Platt(0.0, float(weights[1]))
    loss = _platt_loss(columns @ weights, target)
    for _ in range(rounds):
        said = sigmoid(columns @ weights)
        slope = columns.T @ (said - target)
        curve = (columns * (said * (1.0 - said))[:, None]).T @ columns
        step = np.linalg.solve(curve, slope)
        share = 1.0
        while share > 1e-9 and _platt_loss(columns @ (weights - share * step), target) > loss:
            share *= 0.5
        weights = weights - share * step
        now = _platt_loss(columns @ weights, target)
        if loss - now < 1e-12:
            break
        loss = now
    return Platt(float(weights[0]), float(weights[1] - weights[0] * center))


def _platt_loss(x: Floats, target: Floats) -> float:
    return float((np.logaddexp(0.0, x) - target * x).sum())


def _fit_logistic(features: Floats, label: Floats, params: TrainingParams) -> Logistic:
    known = np.isfinite(features)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, features, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, features - mean, 0.0) ** 2).sum(axis=0) / count)
    scale = np.where(scale > 1e-12, scale, 1.0)
    standard = np.nan_to_num((features - mean) / scale)
    model = LogisticRegression(C=params.logistic_c, max_iter=1000).fit(standard, label)
    return Logistic(mean, scale, np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0]))


def _fit_forest(features: Floats, label: Floats, params: TrainingParams) -> Forest:
    return export_forest(forest_classifier(params).fit(features, label > 0.5))


def forest_classifier(params: TrainingParams) -> Any:
    """Return the forest to be fitted; one thread, so that its trees add up in one order."""
    return RandomForestClassifier(
        n_estimators=params.trees,
        max_leaf_nodes=params.tree_leaves,
        min_samples_leaf=params.tree_min_rows,
        max_features=params.tree_features,
        random_state=params.seed,
        n_jobs=1,
    )


def export_forest(classifier: Any) -> Forest:
    """Take the arrays out of a fitted scikit-learn forest of two classes."""
    trees = [estimator.tree_ for estimator in classifier.estimators_]
    offsets = np.cumsum([0, *(tree.node_count for tree in trees)])
    sides = {
        side: np.concatenate(
            [
                np.where(getattr(tree, side) < 0, -1, getattr(tree, side) + offset)
                for tree, offset in zip(trees, offsets, strict=False)
            ]
        ).astype(np.int64)
        for side in ("children_left", "children_right")
    }
    inner = sides["children_left"] >= 0
    feature = np.concatenate([tree.feature for tree in trees]).astype(np.int64)
    # A split of missing from known has an infinite threshold, which JSON does not know: every known value is below this one.
    most = np.finfo(np.float64).max
    threshold = np.minimum(np.concatenate([tree.threshold for tree in trees]).astype(np.float64), most)
    return Forest(
        roots=offsets[:-1].astype(np.int64),
        left=sides["children_left"],
        right=sides["children_right"],
        feature=np.where(inner, feature, 0),
        threshold=np.where(inner, threshold, 0.0),
        missing_left=np.concatenate([tree.missing_go_to_left for tree in trees]).astype(np.int64),
        share=np.concatenate([tree.value[:, 0, 1] for tree in trees]).astype(np.float64),
    )


def _fit_booster(features: Floats, label: Floats, params: TrainingParams) -> lightgbm.Booster:
    settings = {
        "objective": "binary",
        "learning_rate": params.learning_rate,
        "num_leaves": params.leaves,
        "min_data_in_leaf": params.min_rows_leaf,
        "lambda_l2": params.l2,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": params.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(features, label=label, feature_name=list(FEATURE_NAMES))
    return lightgbm.train(settings, data, num_boost_round=params.rounds)


_FITS: dict[str, Callable[[Floats, Floats, TrainingParams], Any]] = {
    LOGISTIC: _fit_logistic,
    FOREST: _fit_forest,
    LIGHTGBM: _fit_booster,
}
