"""Study E2 on planted correlations and on none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from models.errors import DataError
from models.evidence.vpin_study import VpinStudy, vpin_study
from tests.evidence.planted import SECOND, heavy, quotes, verdicts

STEP = 60  # seconds between readings: windows of 300 s overlap fivefold


def _study(seed: int, correlation: float, *, days: float = 4.0, memory: float = 0.98) -> VpinStudy:
    rng = np.random.default_rng(seed)
    n = int(days * 86_400 / STEP)
    level = lfilter([math.sqrt(1 - memory**2)], [1.0, -memory], rng.normal(size=n + 500))[500:]
    # The five-minute change is the sum of five minutes each of which leans on the level just before it.
    lean = correlation / math.sqrt(5.0)
    moves = np.concatenate([[0.0], lean * level + math.sqrt(1 - lean**2) * heavy(rng, n)]) * 5.0
    times, mid = quotes(moves, STEP * SECOND)
    return vpin_study(times[:-1], 0.3 + 0.05 * level, times, mid)


def _truth(correlation: float, memory: float = 0.98) -> float:
    """Correlation of the level with the sum of the next five moves."""
    lean = correlation / math.sqrt(5.0)
    lags = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    variance = 5.0 * (1.0 - lean**2) + lean**2 * (memory**lags).sum()
    return float(lean * (memory ** np.arange(5)).sum() / math.sqrt(variance))


def test_the_planted_correlation_is_measured() -> None:
    studies = [_study(seed, 0.4) for seed in range(150)]
    signed = [s.signed for s in studies if s.signed is not None]
    assert len(signed) > 100
    assert np.mean([s.estimate for s in signed]) == pytest.approx(_truth(0.4), abs=0.01)
    assert np.mean([s.low < _truth(0.4) < s.high for s in signed]) == pytest.approx(0.94, abs=0.05)
    assert {s.verdict for s in studies if s.signed is not None} == {"passed"}
    negative = _study(2, -0.4, days=30)
    assert negative.signed is not None
    assert negative.signed.high < -0.15
    assert negative.verdict == "passed"
    assert negative.size is not None
    assert abs(negative.size.estimate) < 0.1


def test_size_over_many_seeds() -> None:
    found = verdicts(lambda seed: _study(seed, 0.0), range(200))
    assert found["passed"] <= 0.025
    short = verdicts(lambda seed: _study(seed, 0.0, days=1.0, memory=0.9), range(200))
    assert short["passed"] <= 0.06


def test_the_interval_covers_nothing_where_nothing_is() -> None:
    studies = [_study(seed, 0.0) for seed in range(200)]
    covered = [s.signed.low <= 0.0 <= s.signed.high for s in studies if s.signed is not None]
    assert len(covered) > 150
    assert np.mean(covered) >= 0.91


def test_power_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, 0.35, days=8.0), range(60))["passed"] >= 0.95


def test_a_correlation_below_the_threshold_fails() -> None:
    assert verdicts(lambda seed: _study(seed, 0.05, days=20.0), range(30))["failed"] >= 0.95


def test_too_short_a_stretch_or_too_long_a_memory_is_not_enough() -> None:
    assert _study(1, 0.9, days=0.05).verdict == "not enough data"
    drifting = _study(1, 0.0, days=1.0, memory=0.9999)
    assert drifting.verdict == "not enough data"
    assert drifting.signed is None
    times, mid = quotes(np.ones(2000), STEP * SECOND)
    assert vpin_study(times, np.full(2000, 0.4), times, mid).verdict == "not enough data"
    nothing = vpin_study(np.array([], np.int64), np.array([]), times, mid)
    assert (nothing.n, nothing.verdict) == (0, "not enough data")


def test_undefined_readings_are_left_out() -> None:
    rng = np.random.default_rng(3)
    times, mid = quotes(rng.normal(size=3001), STEP * SECOND)
    level = rng.random(3001)
    level[:50] = np.nan
    assert vpin_study(times, level, times, mid).n == 3001 - 50 - 5


def test_readings_out_of_order_are_refused() -> None:
    times, mid = quotes(np.zeros(10), SECOND)
    with pytest.raises(DataError, match="in time order"):
        vpin_study(np.array([2, 1]), np.array([0.1, 0.2]), times, mid)
