"""Fitting the learned candidates.

Here belongs turning a table of features and realised rates into a `Candidate`. The executor never imports this module:
scikit-learn and LightGBM's training half belong to the pipelines.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge as SklearnRidge

from models.funding.candidates import BASELINES, BPS, RESIDUAL_BASE, Candidate, Ridge
from models.funding.features import FEATURE_NAMES, INDEX
from models.funding.table import FeatureTable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingParams:
    """How the learned candidates are fitted.

    Attributes
    ----------
    ridge_alpha : float
        Penalty on standardised coefficients, per row of training data (the sum of squares is not averaged).
    rounds, leaves, learning_rate, min_rows_leaf, l2 : LightGBM's boosting rounds, leaves and regularisation
        Small and strong: a year of one symbol has only about a thousand settlements.
    seed, threads : int
        One thread count everywhere, because sums of floats depend on it; one thread, because on a few thousand rows more
        only wait for each other, and twenty times as long where another process wants the cores.

    """

    ridge_alpha: float = 20.0
    rounds: int = 120
    leaves: int = 8
    learning_rate: float = 0.05
    min_rows_leaf: int = 60
    l2: float = 20.0
    seed: int = 7
    threads: int = 1


def fit(name: str, table: FeatureTable, params: TrainingParams | None = None) -> Candidate:
    """Fit one candidate.

    Parameters
    ----------
    name : str
        One of `models.funding.candidates.CANDIDATES`.
    table : FeatureTable
        Training rows of all symbols and horizons together.
    params : TrainingParams, optional

    Returns
    -------
    Candidate

    """
    chosen = params or TrainingParams()
    if name in BASELINES:
        return Candidate(name)
    target = table.realised * BPS
    # Row-major: a table from a file is column-major, and sums over it would differ in the last bit.
    features = np.ascontiguousarray(table.features)
    if name == "ridge":
        return Candidate(name, ridge=_fit_ridge(features, target, chosen))
    if name == "lightgbm_residual":
        target = target - features[:, INDEX[RESIDUAL_BASE]] * BPS
    return Candidate(name, booster=_fit_booster(features, target, chosen))


def _fit_ridge(features: Floats, target: Floats, params: TrainingParams) -> Ridge:
    known = np.isfinite(features)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, features, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, features - mean, 0.0) ** 2).sum(axis=0) / count)
    scale = np.where(scale > 1e-12, scale, 1.0)
    standard = np.nan_to_num((features - mean) / scale)
    model = SklearnRidge(alpha=params.ridge_alpha).fit(standard, target)
    return Ridge(mean, scale, np.asarray(model.coef_, dtype=np.float64), float(model.intercept_))


def _fit_booster(features: Floats, target: Floats, params: TrainingParams) -> lightgbm.Booster:
    settings = {
        "objective": "regression",
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
        "num_threads": params.threads,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(features, label=target, feature_name=list(FEATURE_NAMES))
    return lightgbm.train(settings, data, num_boost_round=params.rounds)
