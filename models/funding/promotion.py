"""Whether a challenger takes the champion's place.

Here belongs the decision, as a function of what was measured. Reading the registry and moving the alias is the business of
the pipelines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.diebold_mariano import DieboldMariano
from models.funding.evaluation import compare
from models.funding.predictor import FundingPredictor
from models.funding.table import FeatureTable
from models.funding.walk_forward import Predictions

Floats = NDArray[np.float64]

LEAST_SHARED = 30
"""Fewer shared settlements than this say nothing about which of two models is better."""

SAME = 1e-12


@dataclass(frozen=True)
class Decision:
    """What happens to the alias and why.

    Attributes
    ----------
    promote : bool
    reason : str
        In words, with the figures it rests on.
    p_value : float or None
        One-sided p-value of "the challenger is not better", where a test was made.
    shared : int
        Settlements both forecast out of sample.

    """

    promote: bool
    reason: str
    p_value: float | None = None
    shared: int = 0


def champion_predictions(
    table: FeatureTable, champion: FundingPredictor, trained_through_ns: int
) -> Predictions:
    """Forecast with the present champion what it has never seen: rows made after its last training label.

    Parameters
    ----------
    table : FeatureTable
    champion : FundingPredictor
    trained_through_ns : int

    Returns
    -------
    Predictions
        Point forecasts; its quantiles are not needed here and are the point forecasts.

    """
    rows = np.flatnonzero(table.made_at_ns > trained_through_ns)
    predicted = champion.candidate.predict(table.features[rows], table.cap_lower[rows], table.cap_upper[rows])
    return Predictions("champion", rows, predicted, predicted, predicted, predicted, np.zeros(len(rows)))


def same_forecasts(table: FeatureTable, first: FundingPredictor, second: FundingPredictor) -> bool:
    """Whether two predictors give the same rates for every row of the table."""
    bounds = (np.full(len(table), -np.inf), np.full(len(table), np.inf))
    gap = first.candidate.predict(table.features, *bounds) - second.candidate.predict(table.features, *bounds)
    return len(gap) > 0 and bool(np.max(np.abs(gap)) <= SAME)


def first_champion(checks_passed: bool, failed: list[str]) -> Decision:
    """Decide where there is no usable champion: the checks alone speak."""
    if checks_passed:
        return Decision(True, "there is no usable champion, and the challenger passed its checks")
    return Decision(False, f"the challenger failed its checks: {', '.join(failed)}")


def against_champion(
    table: FeatureTable,
    challenger: Predictions,
    champion: Predictions,
    horizon_min: int,
    *,
    level: float,
    same: bool,
    expired: bool,
) -> Decision:
    """Decide between a challenger that passed its checks and the champion.

    Parameters
    ----------
    table : FeatureTable
    challenger, champion : Predictions
        Out of sample both: the challenger's from the walk-forward, the champion's after its last training label.
    horizon_min : int
        The horizon the strategy decides at.
    level : float
        Of the one-sided Diebold–Mariano test.
    same : bool
        Whether both give the same point forecasts.
    expired : bool
        Whether the champion may no longer be used.

    Returns
    -------
    Decision
        Promotion where the challenger forecasts better; renewal where it forecasts the same with newer errors, or where the
        champion expired and the challenger is not worse. Otherwise the champion stays.

    """
    if same:
        return Decision(True, "renewal: the same point forecasts with a newer error distribution and expiry")
    try:
        test, shared = _test(table, challenger, champion, horizon_min)
    except DataError as error:
        if expired:
            return Decision(True, f"the champion expired and cannot be compared ({error})")
        return Decision(False, f"the champion stays: {error}")
    figures = f"Diebold-Mariano t = {test.statistic:.2f}, p = {test.p_first_better:.4f}, {shared} settlements"
    if test.p_first_better < level:
        return Decision(True, f"the challenger forecasts better: {figures}", test.p_first_better, shared)
    if expired and test.p_first_better < 1.0 - level:
        return Decision(
            True,
            f"the champion expired and the challenger is not worse: {figures}",
            test.p_first_better,
            shared,
        )
    return Decision(False, f"the champion stays: {figures}", test.p_first_better, shared)


def _test(
    table: FeatureTable, challenger: Predictions, champion: Predictions, horizon_min: int
) -> tuple[DieboldMariano, int]:
    test = compare(table, challenger, champion, horizon_min)
    if test.observations < LEAST_SHARED:
        raise DataError(
            f"only {test.observations} settlements since the champion was trained, need {LEAST_SHARED}"
        )
    return test, test.observations
