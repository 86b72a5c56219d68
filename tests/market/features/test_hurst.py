"""The Hurst estimator against published samples, its error rates against published ones, and the strict window."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from models.market.features.hurst import (
    FINER,
    HIGH,
    HURST,
    LOW,
    NOISE,
    NULL_HIGH,
    NULL_LOW,
    PERIODS,
    RANDOM,
    TRUE_TREND,
    close_period,
    hurst_exponent,
    label,
    null_z,
    rolling,
    rolling_finer,
)
from models.market.features.records import new_record
from tests.support import shared_path


def path(increments: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(increments)])


def noise(n: int, h: float, seed: int, paths: int) -> np.ndarray:
    """Exact fractional Gaussian noise by circulant embedding, one path a row."""
    k = np.arange(n + 1)
    g = 0.5 * (np.abs(k + 1.0) ** (2 * h) - 2.0 * np.abs(k * 1.0) ** (2 * h) + np.abs(k - 1.0) ** (2 * h))
    weights = np.sqrt(np.maximum(np.fft.fft(np.concatenate([g, g[-2:0:-1]])).real, 0.0) / (2 * n))
    generator = np.random.default_rng(seed)
    shape = (paths, 2 * n)
    z = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    return np.fft.fft(weights * z, axis=1).real[:, :n]


def test_published_samples() -> None:
    case = json.loads(shared_path("reference_vectors/hurst_samples.json").read_text())
    tiny = case["tiny"]
    assert hurst_exponent(path(np.array(tiny["x"]))) == pytest.approx(tiny["ghe2_dc"], rel=1e-12)
    compared = 0
    for sample in case["samples"]:
        if "x" in sample:
            wanted = sample["estimates"]["ghe2_drift_corrected_lags_1_2_4"]
            assert hurst_exponent(path(np.array(sample["x"]))) == pytest.approx(wanted, rel=1e-8)
            compared += 1
    assert compared == 3


@pytest.mark.parametrize(
    ("h", "low", "high", "n", "trend", "noisy"),
    [
        (0.5, LOW, HIGH, 100, 0.21, 0.26),
        (0.5, NULL_LOW, NULL_HIGH, 100, 0.05, 0.05),
        (0.5, LOW, HIGH, 500, 0.044, 0.052),
        (0.65, LOW, HIGH, 100, 0.87, 0.01),
        (0.65, NULL_LOW, NULL_HIGH, 100, 0.64, 0.0),
        (0.65, LOW, HIGH, 500, 0.998, 0.0),
    ],
)
def test_published_label_rates(h: float, low: float, high: float, n: int, trend: float, noisy: float) -> None:
    labels = np.array([label(hurst_exponent(path(x)), low, high) for x in noise(n, h, 11, 4000)])
    assert np.mean(labels == TRUE_TREND) == pytest.approx(trend, abs=0.025)
    assert np.mean(labels == NOISE) == pytest.approx(noisy, abs=0.025)


def test_drift_and_scale_do_not_matter() -> None:
    y = path(noise(100, 0.5, 4, 1)[0])
    h = hurst_exponent(y)
    assert hurst_exponent(7.0 * y) == pytest.approx(h, rel=1e-9)
    assert hurst_exponent(y + 0.5 * np.arange(101)) == pytest.approx(h, rel=1e-9)


def test_undefined_without_movement_or_points() -> None:
    assert math.isnan(hurst_exponent(np.ones(101)))
    assert math.isnan(hurst_exponent(np.arange(5.0)))
    assert math.isnan(label(math.nan, LOW, HIGH))


def test_labels() -> None:
    assert label(0.56, LOW, HIGH) == TRUE_TREND
    assert label(0.44, LOW, HIGH) == NOISE
    assert label(0.55, LOW, HIGH) == RANDOM
    assert null_z(0.493) == 0.0


def test_rolling_windows_are_strict_and_equal_the_batch() -> None:
    y = path(noise(3000, 0.5, 8, 1)[0])
    state = new_record(HURST)
    for i, point in enumerate(y):
        whole = close_period(state, point)
        assert whole == (i % FINER == 0)
        if i < PERIODS * FINER:
            assert math.isnan(rolling(state))
            assert math.isnan(rolling_finer(state))
        elif whole:
            window = y[i - PERIODS * FINER : i + 1]
            assert rolling(state) == hurst_exponent(np.ascontiguousarray(window[::FINER]))
            assert rolling_finer(state) == hurst_exponent(window)


def test_a_hole_empties_the_window() -> None:
    y = path(noise(500, 0.5, 8, 1)[0])
    state = new_record(HURST)
    for point in y:
        close_period(state, point)
    assert not math.isnan(rolling(state))
    assert not close_period(state, math.nan)
    assert math.isnan(rolling(state))
