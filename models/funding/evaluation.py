"""Figures of merit of out-of-sample funding forecasts, and the choice among candidates.

Here belong scores by symbol and horizon, and the paired comparison that decides which candidate is put forward. Moving an
alias in a registry is the business of the pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.diebold_mariano import DieboldMariano, diebold_mariano
from models.funding.candidates import CANDIDATES
from models.funding.features import INDEX
from models.funding.table import FeatureTable
from models.funding.walk_forward import Predictions

Floats = NDArray[np.float64]
POOLED = "ALL"
FAVOURITE = "structural_offset"
"""The candidate that stands until another beats it."""

_SIGN_LEVEL = 0.05
_LEAST_VARIANCE = 1e-20  # rates that never moved have a variance of rounding errors, not of zero


@dataclass(frozen=True)
class Score:
    """How well one candidate forecast one symbol at one horizon.

    Attributes
    ----------
    model, symbol : str
        `symbol` is ``ALL`` for all symbols together.
    horizon_min, n : int
    r2 : float
        1 − squared error / squared deviation from the mean of the same rows; pooled: from each symbol's own mean. NaN
        where the rate never moved.
    mae : float
        Mean absolute error, fraction.
    sign_accuracy : float
        Share of settlements whose change against the last rate was forecast in its direction, where it changed.
    pinball : float
        Mean over 99 quantile levels, fraction.
    coverage_90 : float
        Share of realised rates within [q05, q95].

    """

    model: str
    symbol: str
    horizon_min: int
    n: int
    r2: float
    mae: float
    sign_accuracy: float
    pinball: float
    coverage_90: float


def score(table: FeatureTable, predictions: Predictions, symbol: str, horizon_min: int) -> Score | None:
    """Score one candidate; None where it has fewer than ten predictions there."""
    rows = predictions.rows
    mask = table.horizon_min[rows] == horizon_min
    if symbol != POOLED:
        mask &= table.symbol[rows] == symbol
    if int(mask.sum()) < 10:
        return None
    picked = rows[mask]
    realised, predicted = table.realised[picked], predictions.predicted[mask]
    centre = np.empty_like(realised)
    for each in np.unique(table.symbol[picked]):
        own = table.symbol[picked] == each
        centre[own] = realised[own].mean()
    deviation = float(((realised - centre) ** 2).sum())
    error = realised - predicted
    moved = realised - table.features[picked, INDEX["rate_last"]]
    forecast_move = predicted - table.features[picked, INDEX["rate_last"]]
    changed = np.abs(moved) > 1e-9
    right = np.sign(moved[changed]) == np.sign(forecast_move[changed])
    inside = (realised >= predictions.q05[mask] - 1e-12) & (realised <= predictions.q95[mask] + 1e-12)
    return Score(
        predictions.model,
        symbol,
        horizon_min,
        len(picked),
        1.0 - float((error**2).sum()) / deviation
        if deviation > _LEAST_VARIANCE * len(picked)
        else float("nan"),
        float(np.abs(error).mean()),
        float(right.mean()) if changed.any() else float("nan"),
        float(predictions.pinball[mask].mean()),
        float(inside.mean()),
    )


def score_all(table: FeatureTable, predictions: Mapping[str, Predictions]) -> list[Score]:
    """Score every candidate on every symbol and horizon, and pooled."""
    scores = [
        score(table, predictions[model], str(symbol), int(horizon))
        for model in predictions
        for symbol in (*np.unique(table.symbol), POOLED)
        for horizon in np.unique(table.horizon_min)
    ]
    return [s for s in scores if s is not None]


def compare(table: FeatureTable, first: Predictions, second: Predictions, horizon_min: int) -> DieboldMariano:
    """Test whether `first` forecasts better than `second` on the rows both have.

    Squared errors are divided by each symbol's own variance, so that a lively symbol does not decide alone, and averaged over
    the symbols that settle at the same instant, so that their common shocks count once.

    Raises
    ------
    DataError
        If they share too few settlements.

    """
    shared, at_first, at_second = np.intersect1d(first.rows, second.rows, return_indices=True)
    keep = table.horizon_min[shared] == horizon_min
    shared, at_first, at_second = shared[keep], at_first[keep], at_second[keep]
    if len(shared) < 6:
        raise DataError(
            f"{first.model} and {second.model} share {len(shared)} forecasts, need 6",
            remedy="backfill more days",
        )
    realised = table.realised[shared]
    variance = np.empty_like(realised)
    for symbol in np.unique(table.symbol[shared]):
        own = table.symbol[shared] == symbol
        variance[own] = max(float(realised[own].var()), 1e-16)
    losses = [
        (realised - candidate.predicted[at]) ** 2 / variance
        for candidate, at in ((first, at_first), (second, at_second))
    ]
    _, instant = np.unique(table.settlement_ns[shared], return_inverse=True)
    count = np.bincount(instant)
    means = [np.bincount(instant, weights=loss) / count for loss in losses]
    lags = int(np.floor(4.0 * (len(count) / 100.0) ** (2.0 / 9.0)))
    return diebold_mariano(means[0], means[1], lags=min(lags, len(count) // 4))


def choose(
    table: FeatureTable, predictions: Mapping[str, Predictions], horizon_min: int, level: float = _SIGN_LEVEL
) -> str:
    """Name the candidate to put forward: the structural forecast with its offset, unless another beats it.

    The venue's formula is known and its offset is learned from few settlements, so it is the one to beat: where little
    data cannot tell candidates apart, it stands. The others are tried from simple to complex, and one takes the place of
    the best so far only where it forecasts better by the Diebold–Mariano test at `level`.

    Parameters
    ----------
    table : FeatureTable
    predictions : mapping of str to Predictions
    horizon_min : int
        The horizon that matters: where the strategy decides.
    level : float
        One-sided.

    Returns
    -------
    str

    Raises
    ------
    DataError
        If no candidate has a prediction.

    """
    present = [name for name in CANDIDATES if name in predictions and len(predictions[name].rows) > 0]
    if not present:
        raise DataError(
            "no candidate has out-of-sample predictions", remedy="backfill more days of funding and premium"
        )
    best = FAVOURITE if FAVOURITE in present else present[0]
    for name in present:
        try:
            better = compare(table, predictions[name], predictions[best], horizon_min).p_first_better < level
        except DataError:  # itself, too few shared rows, or identical forecasts: nothing says it is better
            better = False
        if better:
            best = name
    return best


def unbeaten_baselines(
    table: FeatureTable, predictions: Mapping[str, Predictions], model: str, horizon_min: int
) -> list[str]:
    """Names of naive baselines whose mean absolute error the model does not undercut on the rows both have."""
    own = predictions[model]
    unbeaten = []
    for name in ("last_rate", "ewma"):
        if name == model or name not in predictions:
            continue
        other = predictions[name]
        shared, at_own, at_other = np.intersect1d(own.rows, other.rows, return_indices=True)
        keep = table.horizon_min[shared] == horizon_min
        realised = table.realised[shared[keep]]
        mine = np.abs(own.predicted[at_own[keep]] - realised)
        theirs = np.abs(other.predicted[at_other[keep]] - realised)
        if len(realised) == 0 or mine.mean() >= theirs.mean():
            unbeaten.append(name)
    return unbeaten
