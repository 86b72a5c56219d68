"""Stationary bootstrap: its resamples, its closed form, its block length, and what its quantile intervals cover."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.bootstrap import (
    bootstrap_variance_of_mean,
    optimal_block_length,
    quantile_intervals,
    resampled_rows,
)
from models.evidence.intervals import mean_overlap
from tests.support import shared_path


def _example() -> dict[str, Any]:
    loaded = json.loads(shared_path("reference_vectors/event_study_bootstrap.json").read_text())["example"]
    assert isinstance(loaded, dict)
    return loaded


def test_the_closed_form_against_every_vector_and_our_own_resamples() -> None:
    example = _example()
    x = np.array(example["x"])
    for row in example["results"]:
        se = math.sqrt(bootstrap_variance_of_mean(x, row["block"]))
        assert se == pytest.approx(row["se_closed_form_politis_romano"], rel=1e-9)
        means = np.concatenate([x[rows].mean(axis=1) for rows in resampled_rows(60, row["block"], 40_000, 5)])
        assert means.std() == pytest.approx(se, rel=0.015)
        assert np.quantile(means, [0.025, 0.975]) == pytest.approx(row["percentile95"], abs=0.04)
        assert row["se_arch_100000_seed5"] == pytest.approx(se, rel=0.01)
    assert math.sqrt(bootstrap_variance_of_mean(x, 5)) == pytest.approx(0.251663, abs=5e-7)
    assert math.sqrt(bootstrap_variance_of_mean(x, 1)) == pytest.approx(example["iid_se"], rel=1e-9)


def test_the_optimal_block_length() -> None:
    example = _example()
    found = optimal_block_length(np.array(example["x"]))
    assert found == pytest.approx(example["optimal_block_length"]["stationary"], rel=1e-9)
    assert optimal_block_length(np.full(50, 0.1)) == 0.0
    assert optimal_block_length(np.array([1.0])) == 0.0
    trend = np.arange(100.0)
    assert optimal_block_length(trend) <= 30.0


def test_resamples_are_runs_of_geometric_length_on_a_circle() -> None:
    rows = np.concatenate(list(resampled_rows(200, 8.0, 2000, 1)))
    assert rows.shape == (2000, 200)
    assert (rows.min(), rows.max()) == (0, 199)
    runs_on = (np.diff(rows, axis=1) % 200 == 1).mean()
    assert runs_on == pytest.approx(1 - 1 / 8 + 1 / 8 / 200, abs=0.003)
    assert np.bincount(rows.ravel(), minlength=200) == pytest.approx(np.full(200, 2000), rel=0.3)
    again = np.concatenate(list(resampled_rows(200, 8.0, 2000, 1)))
    assert (rows == again).all()
    assert not (rows == np.concatenate(list(resampled_rows(200, 8.0, 2000, 2)))).all()


def test_chunks_do_not_change_what_is_asked_for() -> None:
    sizes = [len(rows) for rows in resampled_rows(500_000, 3.0, 9, 1)]
    assert sum(sizes) == 9
    assert max(sizes) < 9


def test_figures_are_the_samples_own_quantiles() -> None:
    x = np.random.default_rng(1).normal(size=400)
    median, fifth = quantile_intervals(x, (0.5, 0.05), 0.0, seed=1, resamples=300)
    assert median is not None
    assert fifth is not None
    assert (median.estimate, fifth.estimate) == pytest.approx((np.median(x), np.quantile(x, 0.05)))
    assert median.low < median.estimate < median.high
    assert fifth.high < median.low


@pytest.mark.parametrize(
    ("n", "overlap", "enough"),
    [
        (9, 0.0, (False, False)),
        (60, 0.0, (True, False)),
        (120, 0.0, (True, True)),
        (120, 10.0, (False, False)),
    ],
)
def test_too_few_values_are_not_enough(n: int, overlap: float, enough: tuple[bool, bool]) -> None:
    x = np.random.default_rng(3).normal(size=n)
    found = quantile_intervals(x, (0.5, 0.05), overlap, seed=1, resamples=50)
    assert tuple(interval is not None for interval in found) == enough


@pytest.mark.parametrize(
    ("horizon", "n", "least_median", "least_fifth"), [(5, 300, 0.91, 0.87), (20, 400, 0.88, 0.8)]
)
def test_coverage_of_quantiles(horizon: int, n: int, least_median: float, least_fifth: float) -> None:
    """Nominal 95 %; a little less is known and said."""
    rng = np.random.default_rng(horizon)
    sums = rng.standard_t(4, (horizon, 400_000)).sum(axis=0)
    truth = {0.5: 0.0, 0.05: float(np.quantile(sums, 0.05))}
    hits: dict[float, list[bool]] = {0.5: [], 0.05: []}
    for seed in range(250):
        times = np.cumsum(rng.geometric(0.1, n))
        price = np.concatenate([[0.0], np.cumsum(rng.standard_t(4, times[-1] + horizon))])
        x = price[times + horizon] - price[times]
        found = quantile_intervals(x, (0.5, 0.05), mean_overlap(times, horizon), seed=seed, resamples=200)
        for q, interval in zip(hits, found, strict=True):
            assert interval is not None
            hits[q].append(interval.low <= truth[q] <= interval.high)
    assert least_median <= np.mean(hits[0.5]) <= 1.0
    assert least_fifth <= np.mean(hits[0.05]) <= 1.0


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match="mean block ≥ 1"):
        next(resampled_rows(10, 0.5, 5, 1))
    with pytest.raises(DataError, match="finite"):
        quantile_intervals(np.array([1.0, np.inf]), (0.5,), 0.0, seed=1)
