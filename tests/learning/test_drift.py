"""L5: the CUSUM against its textbook run length, and the stated false alarm rate on losses that remember."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.learning.drift import DriftRules, calibration_drift, cusum, mean_by_instant, prediction_drift


def test_cusum_by_hand() -> None:
    assert cusum(np.array([1.0, -2.0, 2.0, 1.0]), 0.5).tolist() == [0.5, 0.0, 1.5, 2.0]


def test_run_length_is_that_of_the_textbook() -> None:
    # Montgomery, Introduction to Statistical Quality Control: k = 0.5, h = 4, two-sided in-control run length 168, so one-sided
    # about 336. With exponential run lengths a run of 90 stays below h with probability exp(-90 / 336) = 0.765.
    runs = np.random.default_rng(1).normal(size=(20_000, 90))
    below = float((cusum(runs, 0.5).max(axis=1) < 4.0).mean())
    assert below == pytest.approx(0.765, abs=0.02)


def remembering(rng: np.random.Generator, n: int) -> np.ndarray:
    values = np.empty(n)
    values[0] = rng.normal()
    for i in range(1, n):
        values[i] = 0.4 * values[i - 1] + rng.normal() * np.sqrt(1 - 0.16)
    return np.exp(0.5 * values)


def test_the_stated_false_alarm_rate_holds_where_losses_remember() -> None:
    rules = DriftRules(resamples=300)
    alarms = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        losses = remembering(rng, 690)
        alarms += prediction_drift(losses[:600], losses[600:], rules).verdict == "drifted"
    assert alarms <= 14  # 5 % of 120 is 6; 14 has a probability below 0.3 %


def test_worse_forecasts_are_seen() -> None:
    rng = np.random.default_rng(2)
    found = prediction_drift(np.abs(rng.normal(size=600)), 1.8 * np.abs(rng.normal(size=90)))
    assert found.verdict == "drifted"
    assert found.highest > found.limit
    assert found.live_loss > found.reference_loss
    assert len(found.path) == 90


def test_better_forecasts_are_no_drift() -> None:
    rng = np.random.default_rng(2)
    assert (
        prediction_drift(np.abs(rng.normal(size=600)), 0.5 * np.abs(rng.normal(size=90))).verdict == "steady"
    )


@pytest.mark.parametrize(("before", "now"), [(99, 90), (600, 19), (0, 0)])
def test_few_losses_say_nothing(before: int, now: int) -> None:
    found = prediction_drift(np.arange(before, dtype=float), np.arange(now, dtype=float))
    assert found.verdict == "not enough data"


def test_constant_losses_say_nothing_and_nan_is_refused() -> None:
    assert prediction_drift(np.ones(200), np.ones(90)).verdict == "not enough data"
    with pytest.raises(DataError, match="finite"):
        prediction_drift(np.ones(200), np.array([np.nan] * 30))


def test_symbols_of_one_settlement_count_once() -> None:
    times, means = mean_by_instant(np.array([2, 1, 2]), np.array([4.0, 1.0, 6.0]))
    assert (times.tolist(), means.tolist()) == ([1, 2], [1.0, 5.0])


def gaps(rng: np.random.Generator, said: float, happens: float, n: int) -> np.ndarray:
    return (rng.random(n) < happens).astype(float) - said


@pytest.mark.parametrize(("happens", "sign"), [(0.6, 1.0), (0.05, -1.0)])
def test_calibration_drifts_to_both_sides(happens: float, sign: float) -> None:
    rng = np.random.default_rng(3)
    found = calibration_drift(gaps(rng, 0.3, 0.3, 600), gaps(rng, 0.3, happens, 90))
    assert found.verdict == "drifted"
    # What happened less what was said, of the side that drifted.
    assert found.live_loss == pytest.approx(sign * (happens - 0.3), abs=0.16)


def test_calibration_that_stays_is_steady_in_the_stated_share() -> None:
    rules = DriftRules(resamples=300)
    alarms = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        alarms += (
            calibration_drift(gaps(rng, 0.2, 0.2, 600), gaps(rng, 0.2, 0.2, 90), rules).verdict == "drifted"
        )
    assert alarms <= 14  # as above: 5 % of 120 is 6


def test_few_gaps_say_nothing() -> None:
    assert calibration_drift(np.zeros(10), np.zeros(5)).verdict == "not enough data"
