"""Choosing out of sample: found where one variant is better, nothing where none is."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.selection import SelectionStudy, selection_study
from tests.evidence.planted import heavy, verdicts

STEP = 300_000_000_000


def _study(seed: int, skill: float, rows: int = 96, trials: int = 8) -> SelectionStudy:
    rng = np.random.default_rng(seed)
    returns = heavy(rng, rows * trials).reshape(rows, trials)
    returns[:, 3] += skill
    start = np.arange(rows, dtype=np.int64) * STEP
    return selection_study(returns, start, start + STEP + STEP // 3, embargo_ns=STEP)


def test_size_and_power_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, 0.0), range(200))["passed"] <= 0.03
    assert verdicts(lambda seed: _study(seed, 0.8), range(40))["passed"] >= 0.95


def test_the_better_variant_is_chosen_and_its_mean_found() -> None:
    found = [_study(seed, 1.0) for seed in range(100)]
    assert np.mean([s.chosen[3] / s.splits for s in found]) > 0.99
    means = [s.out_of_sample.estimate for s in found if s.out_of_sample is not None]
    assert np.mean(means) == pytest.approx(1.0, abs=0.03)
    assert (found[0].splits, len(found[0].path_means), found[0].rows) == (28, 7, 96)


def test_every_row_of_every_path_is_out_of_sample() -> None:
    """A variant that is good in one fold only is never chosen by training rows that do not hold that fold."""
    rng = np.random.default_rng(1)
    returns = 0.01 * rng.normal(size=(80, 2))
    returns[:10, 1] += 100.0
    returns[10:, 1] -= 1.0
    start = np.arange(80, dtype=np.int64) * STEP
    study = selection_study(returns, start, start + STEP // 2)
    # Whenever the first fold is tested, the other variant was picked: no path ever earns the hundred.
    assert np.all(study.path_means < 1.0)


def test_few_rows_or_one_variant_are_not_enough() -> None:
    assert _study(1, 1.0, rows=39).verdict == "not enough data"
    alone = _study(1, 0.0, rows=96, trials=8)
    assert alone.out_of_sample is not None
    start = np.arange(96, dtype=np.int64) * STEP
    one = selection_study(np.ones((96, 1)), start, start + STEP)
    assert (one.verdict, one.splits, one.out_of_sample) == ("not enough data", 0, None)


def test_missing_returns_are_refused() -> None:
    with pytest.raises(DataError, match="finite table"):
        selection_study(np.array([[np.nan, 1.0]]), np.array([0]), np.array([1]))
