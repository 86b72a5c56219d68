"""Study E5 on planted reversions and on none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.evidence.whale_study import WhaleStudy, whale_study
from tests.evidence.planted import SECOND, heavy, quotes, verdicts


def _study(
    seed: int, reversion_bps: float, *, n: int = 300, noise_bps: float = 1.0, impact_bps: float = 4.0
) -> WhaleStudy:
    """Whales move the price at once; within 0.5 to 5 s part of it comes back."""
    rng = np.random.default_rng(seed)
    moves = heavy(rng, n * 40) * noise_bps
    at, side = np.sort(rng.choice(np.arange(10, n * 40 - 30), n, replace=False)), rng.choice([-1, 1], n)
    np.add.at(moves, at + 1, side * impact_bps)
    for k in range(2, 11):
        np.add.at(moves, at + k, -side * reversion_bps / 9)
    times, mid = quotes(moves, SECOND // 2)
    return whale_study(at * (SECOND // 2), side.astype(np.int8), times, mid)


def test_the_planted_reversion_is_measured() -> None:
    study = _study(1, 3.0, n=1000)
    assert study.reversion_bps is not None
    assert study.reversion_bps.estimate == pytest.approx(3.0, abs=0.35)
    assert study.verdict == "passed"
    assert study.p_value < 0.001
    assert [s for s, _ in study.path_bps] == [0.5, 1.0, 2.0, 5.0]
    path = [mean for _, mean in study.path_bps]
    assert path[0] == 0.0
    assert path[-1] == pytest.approx(study.reversion_bps.estimate)
    assert path == sorted(path)


def test_intervals_cover_the_planted_reversion() -> None:
    found = [_study(seed, 3.0).reversion_bps for seed in range(200)]
    assert np.mean([f.low < 3.0 < f.high for f in found if f is not None]) == pytest.approx(0.95, abs=0.04)
    assert np.mean([f.estimate for f in found if f is not None]) == pytest.approx(3.0, abs=0.05)


def test_size_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, 0.0), range(200))["failed"] == 1.0
    loud = verdicts(lambda seed: _study(seed, 0.0, n=100, noise_bps=3.0), range(300))
    assert loud["passed"] <= 0.05
    assert loud["not enough data"] > 0.0  # more than a basis point by chance, and the interval says so


def test_power_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, 2.0), range(100))["passed"] >= 0.98
    assert (
        0.35 < verdicts(lambda seed: _study(seed, 1.0), range(200))["passed"] < 0.65
    )  # on the threshold: even


def test_few_whales_or_no_prices_are_not_enough() -> None:
    assert _study(1, 5.0, n=45).verdict == "not enough data"
    times, mid = quotes(np.zeros(3), SECOND)
    none = whale_study(np.arange(100) * 10**12, np.ones(100, np.int8), times, mid)
    assert (none.events, none.measured, none.verdict) == (100, 0, "not enough data")
    assert none.reversion_bps is None
    assert math.isnan(none.p_value)
    assert math.isnan(none.path_bps[-1][1])
