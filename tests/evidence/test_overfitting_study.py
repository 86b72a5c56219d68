"""Study E7 on chosen noise and on found skill."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.overfitting_study import OverfittingStudy, overfitting_study
from models.evidence.sharpe import SharpeMoments
from tests.evidence.planted import heavy, verdicts


def _study(seed: int, skill: float, rows: int = 365, trials: int = 16) -> OverfittingStudy:
    """Daily returns of `trials` configurations; the first has `skill` as Sharpe ratio a day."""
    rng = np.random.default_rng(seed)
    returns = heavy(rng, rows * trials).reshape(rows, trials)
    returns[:, 0] += skill
    return overfitting_study(0.01 * returns, blocks=10)


def test_size_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, 0.0), range(150))["passed"] <= 0.03


def test_power_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, 0.3), range(60))["passed"] >= 0.8
    assert (
        verdicts(lambda seed: _study(seed, 0.1), range(60))["passed"] <= 0.3
    )  # a year is too short to see it


def test_figures() -> None:
    study = _study(1, 0.4)
    assert study.verdict == "passed"
    assert (study.observations, study.trials, study.best) == (365, 16, 0)
    assert study.deflated_sharpe is not None
    assert study.overfitting is not None
    assert study.deflated_sharpe.probability > 0.95
    assert study.overfitting.pbo < 0.05
    assert 10 < study.least_observations < 365
    moments = SharpeMoments(study.deflated_sharpe.sharpe, 0.0, 3.0, 365)
    assert moments.sharpe == pytest.approx(0.4, abs=0.15)


def test_too_short_or_nothing_to_choose_is_not_enough() -> None:
    assert _study(1, 0.5, rows=39).verdict == "not enough data"
    alone = _study(1, 0.5, trials=1)
    assert (alone.verdict, alone.best, alone.deflated_sharpe) == ("not enough data", -1, None)
    assert math.isnan(alone.least_observations)


def test_missing_returns_are_refused() -> None:
    with pytest.raises(DataError, match="finite table"):
        overfitting_study(np.array([[0.1, np.nan]]))
