"""The test against published and library values, and its size on simulated forecasts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.diebold_mariano import diebold_mariano
from tests.support import shared_path

FIRST, SECOND = np.array([0, 1, 2, 3, 4, 5.0]), np.array([0, 2, 3, 3, 5, 6.0])


@pytest.mark.parametrize(
    ("lags", "bartlett", "statistic", "p"),
    [
        (0, False, -2.490488234376871, 0.05512811990291335),
        (0, True, -2.490488234376871, 0.05512811990291335),
        (1, False, -1.8226447537315345, 0.12797293779288194),
        (1, True, -1.9194297398747864, 0.11301127410445054),
    ],
)
def test_six_squared_errors(lags: int, bartlett: bool, statistic: float, p: float) -> None:
    found = diebold_mariano(FIRST**2, SECOND**2, lags, bartlett=bartlett)
    assert found.statistic == pytest.approx(statistic, rel=1e-12)
    assert found.p_two_sided == pytest.approx(p, rel=1e-10)
    assert found.p_first_better == pytest.approx(p / 2, rel=1e-10)
    assert found.observations == 6


def test_every_reference_vector() -> None:
    cases = json.loads(shared_path("reference_vectors/dm_test_newey_west.json").read_text())["dm_cases"]
    compared = 0
    for case in cases:
        losses = [np.abs(np.array(case[key], dtype=float)) ** case["power"] for key in ("e1", "e2")]
        bartlett = case["varestimator"] == "bartlett"
        if len(losses[0]) < 6 or case["expected"] is None:
            with pytest.raises(DataError):
                diebold_mariano(*losses, case["h"] - 1, bartlett=bartlett)
            continue
        found = diebold_mariano(*losses, case["h"] - 1, bartlett=bartlett)
        expected = case["expected"]
        assert found.statistic == pytest.approx(expected["dm_hln"], rel=1e-9), case["name"]
        assert found.p_two_sided == pytest.approx(expected["p_two"], rel=1e-9), case["name"]
        assert found.p_first_better == pytest.approx(expected["p_less"], rel=1e-9), case["name"]
        compared += 1
    assert compared >= 5


def test_the_long_run_variance_is_newey_wests() -> None:
    # With the sample factor and without, the statistic gives back the published standard error of the mean.
    y = np.array([0.5, -0.2, 0.8, 0.9, 0.1, -0.4, -0.6, 0.3, 0.7, 1.1, 0.4, -0.1])
    for lags, se in ((0, 0.14928455924719625), (1, 0.1701700651708371), (2, 0.16042919223185237)):
        n, h = len(y), lags + 1
        factor = np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
        found = diebold_mariano(y, np.zeros(n), lags)
        assert y.mean() / (found.statistic / factor) == pytest.approx(se, rel=1e-9)


def test_swapping_the_forecasts_swaps_the_verdict() -> None:
    found, turned = diebold_mariano(FIRST, SECOND), diebold_mariano(SECOND, FIRST)
    assert turned.statistic == pytest.approx(-found.statistic)
    assert turned.p_first_better == pytest.approx(1 - found.p_first_better)
    assert turned.p_two_sided == pytest.approx(found.p_two_sided)


def test_equal_forecasts_are_told_apart_at_the_level() -> None:
    rng = np.random.default_rng(7)
    size = np.mean(
        [diebold_mariano(*(rng.normal(size=(2, 120)) ** 2), lags=2).p_two_sided < 0.05 for _ in range(600)]
    )
    assert 0.02 < size < 0.08


def test_a_better_forecast_is_found() -> None:
    rng = np.random.default_rng(8)
    power = np.mean(
        [
            diebold_mariano(rng.normal(size=200) ** 2, (1.5 * rng.normal(size=200)) ** 2, 2).p_first_better
            < 0.05
            for _ in range(100)
        ]
    )
    assert power > 0.95


def test_too_few_observations_and_equal_forecasts_are_refused() -> None:
    with pytest.raises(DataError, match="at least 6 observations, had 5"):
        diebold_mariano(np.arange(5.0), np.zeros(5))
    with pytest.raises(DataError, match="not positive"):
        diebold_mariano(np.ones(10), np.ones(10))
