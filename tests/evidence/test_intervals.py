"""Block intervals: hand cases, refusals, and coverage where simpler intervals fail."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from models.errors import DataError
from models.evidence.bootstrap import bootstrap_variance_of_mean, optimal_block_length
from models.evidence.intervals import (
    block_edges,
    block_mean,
    correlation_interval,
    decorrelation_length,
    mean_overlap,
)
from tests.support import shared_path


def test_a_block_mean_by_hand() -> None:
    values = np.repeat(np.arange(1.0, 11.0), 5)
    found = block_mean(values, np.arange(50) * 10, 5)
    assert found is not None
    assert found.block_means == tuple(range(1, 11))
    half = stats.t(9).ppf(0.975) * math.sqrt(55 / 6) / math.sqrt(10)
    assert (found.estimate, found.n) == (5.5, 50)
    assert (found.low, found.high) == pytest.approx((5.5 - half, 5.5 + half))
    expected = stats.ttest_1samp(np.arange(1, 11), 4.0, alternative="greater").pvalue
    assert found.p_not_above(4.0) == pytest.approx(expected)


def test_values_that_never_change_are_certain() -> None:
    found = block_mean(np.full(50, -0.3), np.arange(50), 1)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((-0.3, -0.3))
    assert (found.p_not_above(), found.p_not_above(-0.4)) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("n", "gap", "horizon", "enough"),
    [
        (50, 10, 25, True),
        (49, 10, 25, False),
        (50, 10, 26, False),
        (5000, 1, 251, False),
        (5000, 1, 250, True),
    ],
)
def test_blocks_that_are_too_small_or_too_short_are_not_enough(
    n: int, gap: int, horizon: int, enough: bool
) -> None:
    times = np.arange(n) * gap
    assert (block_mean(np.ones(n), times, horizon) is not None) == enough
    assert (block_edges(times, horizon) is not None) == enough


def test_one_burst_makes_a_block_too_short() -> None:
    times = np.arange(500) * 100
    times[100:200] = times[100] + np.arange(100)
    assert block_mean(np.ones(500), times, 200) is None
    assert block_mean(np.ones(500), np.arange(500) * 100, 200) is not None


def test_values_out_of_order_or_missing_are_refused() -> None:
    with pytest.raises(DataError, match="in time order"):
        block_mean(np.ones(3), np.array([1, 3, 2]), 1)
    with pytest.raises(DataError, match="one finite value a time"):
        block_mean(np.array([1.0, np.nan]), np.array([1, 2]), 1)


def test_overlap_is_the_mean_number_of_later_windows() -> None:
    assert mean_overlap(np.arange(1000) * 10, 5) == 0.0
    assert mean_overlap(np.arange(1000) * 10, 20) == pytest.approx(1.0, abs=0.01)
    assert mean_overlap(np.array([0, 1, 2, 100]), 3) == pytest.approx(3 / 4)
    assert mean_overlap(np.array([], dtype=np.int64), 3) == 0.0
    assert mean_overlap(np.array([5, 5, 5]), 1) == 1.0
    times = np.cumsum(np.random.default_rng(1).geometric(0.1, 20_000))
    for horizon, expected in ((5, 0.5), (20, 2.0), (100, 10.0)):
        assert mean_overlap(times, horizon) == pytest.approx(expected, rel=0.25)


def _newey_west(x: np.ndarray, lags: int) -> float:
    e = x - x.mean()
    variance = e @ e + 2 * sum((1 - k / (lags + 1)) * (e[k:] @ e[:-k]) for k in range(1, lags + 1))
    return math.sqrt(float(variance)) / len(x)


def test_coverage_as_the_reference_table_says() -> None:
    """Four set-ups of overlapping windows over heavy-tailed returns; nominal 95 %."""
    table = json.loads(shared_path("reference_vectors/event_study_bootstrap.json").read_text())["coverage"]
    rng = np.random.default_rng(20)
    worst_block = 1.0
    for row in table:
        horizon, n, overlap = row["horizon"], row["n_events"], row["mean_overlap"]
        hit: dict[str, list[bool]] = {key: [] for key in row["methods"]}
        for _ in range(400):
            times = np.cumsum(rng.geometric(0.1, n))
            price = np.concatenate([[0.0], np.cumsum(rng.standard_t(4, times[-1] + horizon))])
            x = price[times + horizon] - price[times]
            block = max(2 * overlap, 1.0)
            halves = {
                "naive_t": stats.t(n - 1).ppf(0.975) * x.std(ddof=1) / math.sqrt(n),
                "nw_lag=overlap": 1.96 * _newey_west(x, max(round(2 * overlap), 1)),
                "SB_normal_block=2*overlap": 1.96 * math.sqrt(bootstrap_variance_of_mean(x, block)),
                "SB_opt_block": 1.96
                * math.sqrt(bootstrap_variance_of_mean(x, max(optimal_block_length(x), 1.0))),
            }
            for key, half in halves.items():
                hit[key].append(abs(x.mean()) <= half)
            # At 60 events the shortest block is often below two horizons; the table measures the interval, not the refusal.
            found = block_mean(x, np.arange(n), 0)
            assert found is not None
            hit["cluster_blocks(10)_t"].append(found.low <= 0.0 <= found.high)
        for key, hits in hit.items():
            assert np.mean(hits) == pytest.approx(row["methods"][key]["coverage"], abs=0.05), (row, key)
        worst_block = min(worst_block, float(np.mean(hit["cluster_blocks(10)_t"])))
    assert worst_block >= 0.915


@pytest.mark.parametrize(("horizon", "n", "bursts"), [(20, 300, False), (100, 400, False), (20, 400, True)])
def test_what_is_not_refused_covers(horizon: int, n: int, bursts: bool) -> None:
    rng = np.random.default_rng(horizon + n)
    hits: list[bool] = []
    for _ in range(500):
        gaps = rng.geometric(0.1, n)
        if bursts:
            gaps = np.where(rng.random(n) < 0.1, gaps * 9, np.maximum(gaps // 10, 1))
        times = np.cumsum(gaps)
        price = np.concatenate([[0.0], np.cumsum(rng.standard_t(4, times[-1] + horizon))])
        found = block_mean(price[times + horizon] - price[times], times, horizon)
        if found is not None:
            hits.append(found.low <= 0.0 <= found.high)
    assert len(hits) > 200
    assert 0.91 <= np.mean(hits) <= 0.98


def _pair(
    rng: np.random.Generator, n: int, correlation: float, memory: float
) -> tuple[np.ndarray, np.ndarray]:
    x, y = (
        lfilter([math.sqrt(1 - memory**2)], [1.0, -memory], rng.normal(size=n + 300))[300:] for _ in range(2)
    )
    return x, correlation * x + math.sqrt(1 - correlation**2) * y


@pytest.mark.parametrize(("correlation", "memory"), [(0.0, 0.0), (0.0, 0.8), (0.3, 0.8), (0.7, 0.5)])
def test_intervals_of_correlations_cover(correlation: float, memory: float) -> None:
    rng = np.random.default_rng(int(100 * correlation + 10 * memory))
    edges = block_edges(np.arange(600), 30)
    assert edges is not None
    hits = []
    for _ in range(250):
        found = correlation_interval(*_pair(rng, 600, correlation, memory), edges)
        assert found is not None
        assert found.low <= found.estimate <= found.high
        hits.append(found.low <= correlation <= found.high)
    assert 0.9 <= np.mean(hits) <= 1.0


def test_a_correlation_needs_both_to_move() -> None:
    edges = np.linspace(0, 100, 11).astype(np.int64)
    x, still, once = np.random.default_rng(1).normal(size=100), np.full(100, 0.1), np.zeros(100)
    once[33] = 1.0
    assert correlation_interval(x, still, edges) is None
    assert correlation_interval(once, x, edges) is None
    same = correlation_interval(x, x, edges)
    assert same is not None
    assert same.low == pytest.approx(1.0)


def test_the_decorrelation_length_of_an_autoregression() -> None:
    rng = np.random.default_rng(2)
    assert decorrelation_length(rng.normal(size=2000)) == 1
    slow = lfilter([1.0], [1.0, -0.95], rng.normal(size=20_000))
    assert decorrelation_length(slow) == pytest.approx(-1 / math.log(0.95), rel=0.25)
    assert decorrelation_length(np.ones(10)) == 0
    assert decorrelation_length(np.array([1.0, 2.0])) == 1


def test_effective_observations_are_all_where_independent_and_few_where_not() -> None:
    """An AR(1) of coefficient φ is worth n·(1 − φ)/(1 + φ) independent values for its mean."""
    times = np.arange(4000, dtype=np.int64) * 10**9
    independent, persistent = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        shocks = rng.normal(size=4200)
        own = block_mean(shocks[200:], times, 10**9)
        series = lfilter([1.0], [1.0, -0.8], shocks)[200:]
        other = block_mean(series, times, 10**9)
        assert own is not None
        assert other is not None
        independent.append(1.0 / own.effective_n)
        persistent.append(1.0 / other.effective_n)
        assert own.effective_n <= 4000
    assert 1.0 / np.mean(persistent) == pytest.approx(4000 * 0.2 / 1.8, rel=0.15)
    # Capped at n, so a little too careful.
    assert 0.7 < 1.0 / np.mean(independent) / 4000 <= 1.0


def test_effective_pairs_of_a_correlation() -> None:
    times = np.arange(2000, dtype=np.int64) * 10**9
    edges = block_edges(times, 10**9)
    assert edges is not None
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        interval = correlation_interval(rng.normal(size=2000), rng.normal(size=2000), edges)
        assert interval is not None
        found.append(1.0 / interval.effective_n)
    assert 0.7 < 1.0 / np.mean(found) / 2000 <= 1.0
