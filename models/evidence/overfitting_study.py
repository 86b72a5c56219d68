"""Study E7: whether the best of many tried configurations was found or merely chosen.

Here belongs the verdict over deflated Sharpe ratio and probability of backtest overfitting; both are computed elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.overfitting import BacktestOverfitting, backtest_overfitting
from models.evidence.sharpe import (
    DeflatedSharpe,
    deflated_sharpe_of_best,
    minimum_track_record_length,
    sharpe_moments,
)
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED

Floats = NDArray[np.float64]

DEFLATED_SHARPE_AT_LEAST = 0.95
OVERFITTING_AT_MOST = 0.2
BLOCKS = 16
LEAST_ROWS_PER_BLOCK = 4


@dataclass(frozen=True)
class OverfittingStudy:
    """Outcome of the study.

    Attributes
    ----------
    observations, trials : int
    best : int
        Column of the best trial.
    deflated_sharpe : DeflatedSharpe or None
        None, as for the next, says "not enough data".
    overfitting : BacktestOverfitting or None
    least_observations : float
        Track record the best trial needs against the deflated benchmark at 95 %; NaN without data, infinite where none
        suffices.
    verdict : str
        ``passed`` where the deflated Sharpe ratio is at least 0.95 and the probability of overfitting at most 0.2.

    """

    observations: int
    trials: int
    best: int
    deflated_sharpe: DeflatedSharpe | None
    overfitting: BacktestOverfitting | None
    least_observations: float
    verdict: str


def overfitting_study(
    returns: Floats,
    *,
    blocks: int = BLOCKS,
    deflated_sharpe_at_least: float = DEFLATED_SHARPE_AT_LEAST,
    overfitting_at_most: float = OVERFITTING_AT_MOST,
) -> OverfittingStudy:
    """Run the study.

    Parameters
    ----------
    returns : ndarray of float64, shape (t, n)
        Rows in time order (days, say), one column for every configuration that was tried, the discarded ones too.
    blocks : int
    deflated_sharpe_at_least, overfitting_at_most : float

    Returns
    -------
    OverfittingStudy
        ``not enough data`` where there are fewer than 4 rows a block or fewer than 2 trials.

    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise DataError(f"expected a finite table with one column per trial, was shape {x.shape}")
    rows, trials = x.shape
    if trials < 2 or rows < LEAST_ROWS_PER_BLOCK * blocks:
        return OverfittingStudy(rows, trials, -1, None, None, math.nan, NOT_ENOUGH_DATA)
    moments = [sharpe_moments(x[:, column]) for column in range(trials)]
    best = int(np.argmax([m.sharpe for m in moments]))
    deflated = deflated_sharpe_of_best(x)
    chance = backtest_overfitting(x, blocks)
    least = minimum_track_record_length(moments[best], deflated.benchmark, 0.95)
    passes = deflated.probability >= deflated_sharpe_at_least and chance.pbo <= overfitting_at_most
    return OverfittingStudy(rows, trials, best, deflated, chance, least, PASSED if passes else FAILED)
