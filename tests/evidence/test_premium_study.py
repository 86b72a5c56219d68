"""Study E1: figure, interval and verdict on simulated premiums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from models.evidence.premium_study import (
    FAILED,
    LEAST_SETTLEMENTS,
    NOT_ENOUGH_DATA,
    PASSED,
    PremiumStudy,
    premium_study,
)
from models.funding.features import FEATURE_NAMES, INDEX
from models.funding.inputs import HOUR_NS, MINUTE_NS
from models.funding.table import FeatureTable


def _table(premium: np.ndarray, rate: np.ndarray, symbol: str = "AAAUSDT", horizon: int = 90) -> FeatureTable:
    n = len(rate)
    settlement = np.arange(1, n + 1, dtype=np.int64) * 8 * HOUR_NS
    features = np.full((n, len(FEATURE_NAMES)), np.nan)
    features[:, INDEX["premium_now"]] = premium
    return FeatureTable(
        np.array([symbol] * n),
        settlement,
        settlement - horizon * MINUTE_NS,
        np.full(n, horizon),
        features,
        np.full(n, -np.inf),
        np.full(n, np.inf),
        rate,
    )


def _join(*tables: FeatureTable) -> FeatureTable:
    return FeatureTable(
        *(np.concatenate([getattr(t, name) for t in tables]) for name in FeatureTable.__dataclass_fields__)
    )


def _ar(rng: np.random.Generator, n: int, persistence: float = 0.7) -> np.ndarray:
    shocks = rng.normal(0, np.sqrt(1 - persistence**2), n + 50)
    return np.asarray(lfilter([1.0], [1.0, -persistence], shocks)[50:])


def _pair(rng: np.random.Generator, n: int, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    premium, other = _ar(rng, n), _ar(rng, n)
    return 3e-4 * premium, 1e-4 * (correlation * premium + np.sqrt(1 - correlation**2) * other)


def _only(table: FeatureTable) -> PremiumStudy:
    studies = premium_study(table)
    assert [s.symbol for s in studies] == ["AAAUSDT", "ALL"]
    first, pooled = studies
    assert (first.n, first.verdict) == (pooled.n, pooled.verdict)
    return first


@pytest.mark.parametrize("correlation", [0.3, 0.55, 0.8])
def test_interval_covers_the_true_figure(correlation: float) -> None:
    rng = np.random.default_rng(int(correlation * 100))
    covered = []
    for _ in range(150):
        study = _only(_table(*_pair(rng, 400, correlation)))
        assert study.low <= study.r2 <= study.high
        covered.append(study.low <= correlation**2 <= study.high)
    assert 0.88 <= np.mean(covered) <= 1.0


@pytest.mark.parametrize(("correlation", "verdict"), [(0.8, PASSED), (-0.8, PASSED), (0.2, FAILED)])
def test_verdict_follows_the_figure(correlation: float, verdict: str) -> None:
    study = _only(_table(*_pair(np.random.default_rng(1), 2000, correlation)))
    assert study.verdict == verdict
    assert study.r2 == pytest.approx(correlation**2, abs=0.1)


def test_an_interval_that_contains_no_correlation_starts_at_zero() -> None:
    study = _only(_table(*_pair(np.random.default_rng(2), 400, 0.0)))
    assert study.low == 0.0
    assert study.high > 0.0


def test_too_few_settlements_are_not_enough() -> None:
    premium, rate = _pair(np.random.default_rng(3), LEAST_SETTLEMENTS, 0.9)
    assert _only(_table(premium, rate)).verdict == PASSED
    short = _only(_table(premium[1:], rate[1:]))
    assert short.verdict == NOT_ENOUGH_DATA
    assert np.isnan([short.r2, short.low, short.high]).all()


@pytest.mark.parametrize("moving", [slice(0, 0), slice(13, 14), slice(100, 118)])
def test_a_rate_that_moves_in_one_block_only_is_not_enough(moving: slice) -> None:
    # A calm market pays exactly the interest for weeks; 0.0001 is no exact binary fraction, its deviation no exact zero.
    premium, lively = _pair(np.random.default_rng(4), 200, 0.8)
    rate = np.full(200, 0.0001)
    rate[moving] += lively[moving]
    assert _only(_table(premium, rate)).verdict == NOT_ENOUGH_DATA


def test_a_perfect_correlation_has_a_finite_interval() -> None:
    premium, _ = _pair(np.random.default_rng(5), 200, 0.5)
    study = _only(_table(premium, premium.copy()))
    assert study.verdict == PASSED
    assert study.r2 == pytest.approx(1.0)
    assert study.low == pytest.approx(1.0)


def test_pooling_takes_each_symbols_own_means() -> None:
    rng = np.random.default_rng(6)
    one = _pair(rng, 200, 0.1)
    two = _pair(rng, 200, 0.1)
    apart = _join(_table(*one), _table(two[0] + 0.01, two[1] + 0.01, "BBBUSDT"))
    studies = {s.symbol: s for s in premium_study(apart)}
    assert list(studies) == ["AAAUSDT", "BBBUSDT", "ALL"]
    assert studies["ALL"].n == 400
    assert studies["ALL"].r2 < 0.1  # levels alone would give nearly one


def test_only_the_asked_horizon_counts() -> None:
    rng = np.random.default_rng(7)
    both = _join(_table(*_pair(rng, 200, 0.9)), _table(*_pair(rng, 300, 0.0), horizon=30))
    assert premium_study(both)[0].n == 200
    assert premium_study(both, horizon_min=30)[0].n == 300
