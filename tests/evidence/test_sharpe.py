"""Probabilistic and deflated Sharpe ratios against the papers' figures, exact values and simulation."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from models.errors import DataError
from models.evidence.sharpe import (
    SharpeMoments,
    deflated_sharpe_of_best,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_moments,
)
from tests.support import shared_path

PAPER = SharpeMoments(2.5 / math.sqrt(250), -3.0, 10.0, 1250)
HEDGE_FUND = SharpeMoments(1.585 / math.sqrt(12), -2.448, 10.164, 24)


def _vectors() -> dict[str, Any]:
    loaded = json.loads(shared_path("reference_vectors/sharpe_psr_dsr.json").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_the_papers_deflated_sharpe_ratio() -> None:
    found = deflated_sharpe_ratio(PAPER, 100, 0.5 / 250)
    assert found.benchmark == pytest.approx(0.113172, abs=5e-7)
    assert found.probability == pytest.approx(0.90039683444939034, rel=1e-9)
    assert (found.trials, found.sharpe) == (100, PAPER.sharpe)


@pytest.mark.parametrize(
    ("moments", "trials", "periods", "expected"),
    [
        (PAPER, 46, 250, 0.9505017),
        (SharpeMoments(2.5 / math.sqrt(250), 0.0, 3.0, 1250), 88, 250, 0.9504908),
        (SharpeMoments(2.5 / math.sqrt(252), -3.0, 10.0, 1250), 100, 252, 0.8996723),
    ],
)
def test_deflated_sharpe_ratio(moments: SharpeMoments, trials: int, periods: int, expected: float) -> None:
    assert deflated_sharpe_ratio(moments, trials, 0.5 / periods).probability == pytest.approx(
        expected, abs=5e-8
    )


def test_probabilistic_sharpe_ratio_of_the_hedge_fund() -> None:
    assert probabilistic_sharpe_ratio(HEDGE_FUND) == pytest.approx(0.9132343069, abs=5e-11)
    normal = SharpeMoments(HEDGE_FUND.sharpe, 0.0, 3.0, 24)
    assert probabilistic_sharpe_ratio(normal) == pytest.approx(0.9815912, abs=5e-8)
    longer = SharpeMoments(HEDGE_FUND.sharpe, -2.448, 10.164, 36)
    assert probabilistic_sharpe_ratio(longer) == pytest.approx(0.9534088, abs=5e-8)


@pytest.mark.parametrize(
    ("sharpe", "benchmark", "periods", "skewness", "kurtosis", "years"),
    [
        (2.0, 1.0, 250, 0.0, 3.0, 2.7311878017281761),
        (2.0, 1.0, 52, 0.0, 3.0, 2.8288335869452368),
        (2.0, 1.0, 12, 0.0, 3.0, 3.239800696444647),
        (2.0, 1.0, 12, -0.72, 5.78, 4.991258223875627),
        (3.0, 2.5, 12, -0.72, 5.78, 27.352920196040301),
    ],
)
def test_minimum_track_record_length(
    sharpe: float, benchmark: float, periods: int, skewness: float, kurtosis: float, years: float
) -> None:
    root = math.sqrt(periods)
    moments = SharpeMoments(sharpe / root, skewness, kurtosis, 0)
    assert minimum_track_record_length(moments, benchmark / root) / periods == pytest.approx(years, rel=1e-9)


def test_every_reference_vector() -> None:
    for case in _vectors()["cases"]:
        given, expected = case["input"], case["expected"]
        periods = given.get("periods_per_year", 1)
        sharpe = given["sr"] if "sr" in given else given["sr_annual"] / math.sqrt(periods)
        moments = SharpeMoments(sharpe, given["skew"], given["kurt"], given.get("T", 0))
        if "dsr" in expected:
            found = deflated_sharpe_ratio(moments, given["N"], given["V"])
            assert found.benchmark == pytest.approx(expected["sr0"], rel=1e-9), case["name"]
            assert found.probability == pytest.approx(expected["dsr"], rel=1e-9), case["name"]
        elif "psr" in expected:
            assert probabilistic_sharpe_ratio(moments, given["sr_star"]) == pytest.approx(
                expected["psr"], rel=1e-9
            ), case["name"]
        else:
            length = minimum_track_record_length(
                moments, given["sr_star_annual"] / math.sqrt(periods), given["prob"]
            )
            assert length == pytest.approx(expected["n_obs"], rel=1e-9), case["name"]


def test_expected_maximum_against_the_vectors_and_the_exact_integral() -> None:
    for trials, expected in _vectors()["expected_max_of_N_std_normals"].items():
        n = int(trials)
        formula = expected_maximum_sharpe(n, 1.0)
        assert formula == pytest.approx(expected["formula"], rel=1e-9)
        exact = integrate.quad(
            lambda x, n=n: x * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1), -12, 12, limit=200
        )[0]
        assert exact == pytest.approx(expected["exact"], rel=1e-7)
        assert (formula > exact) == (n >= 3)
    assert expected_maximum_sharpe(1, 1.0) == 0.0


def test_moments_of_raw_returns() -> None:
    given = _vectors()["from_raw_returns"]
    x = np.array(given["returns"])
    for ddof, psr in ((0, 0.878076), (1, 0.868443)):
        moments, expected = sharpe_moments(x, ddof=ddof), given["results"][f"ddof{ddof}"]
        assert moments.sharpe == pytest.approx(expected["sr"], rel=1e-9)
        assert moments.skewness == pytest.approx(expected["skew_biased"], rel=1e-9)
        assert moments.kurtosis == pytest.approx(expected["kurt_biased"], rel=1e-9)
        assert probabilistic_sharpe_ratio(moments) == pytest.approx(expected["psr0"], rel=1e-9)
        assert probabilistic_sharpe_ratio(moments) == pytest.approx(psr, abs=5e-7)
    assert sharpe_moments(x) == sharpe_moments(x, ddof=1)
    # purgedcv corrects the moments for bias and takes ddof 0.
    theirs = SharpeMoments(
        sharpe_moments(x, ddof=0).sharpe,
        float(stats.skew(x, bias=False)),
        3.0 + float(stats.kurtosis(x, bias=False)),
        len(x),
    )
    assert probabilistic_sharpe_ratio(theirs) == pytest.approx(given["results"]["purgedcv"]["psr0"], rel=1e-9)
    found = deflated_sharpe_ratio(theirs, 10, 0.01).probability
    assert found == pytest.approx(given["results"]["purgedcv"]["dsr_n10_var0_01"], rel=1e-9)


def test_at_the_benchmark_it_is_even() -> None:
    assert probabilistic_sharpe_ratio(SharpeMoments(0.1, -1.0, 5.0, 100), 0.1) == 0.5


def test_the_least_length_gives_the_asked_confidence() -> None:
    length = minimum_track_record_length(PAPER, 0.05, 0.9)
    whole = SharpeMoments(PAPER.sharpe, PAPER.skewness, PAPER.kurtosis, round(length))
    assert probabilistic_sharpe_ratio(whole, 0.05) == pytest.approx(0.9, abs=5e-4)
    assert minimum_track_record_length(PAPER, PAPER.sharpe) == math.inf


def test_size_on_worthless_strategies_and_power_on_good_ones() -> None:
    rng = np.random.default_rng(1)
    claimed = [probabilistic_sharpe_ratio(sharpe_moments(rng.standard_t(5, 250))) > 0.95 for _ in range(1000)]
    assert 0.03 < np.mean(claimed) < 0.07
    chosen = [deflated_sharpe_of_best(rng.standard_t(5, (250, 20))).probability > 0.95 for _ in range(200)]
    assert np.mean(chosen) < 0.03
    undeflated = [
        max(probabilistic_sharpe_ratio(sharpe_moments(column)) for column in rng.standard_t(5, (20, 250)))
        > 0.95
        for _ in range(100)
    ]
    assert np.mean(undeflated) > 0.5  # what the deflation is for
    skilled = rng.standard_t(5, (200, 250, 20))
    skilled[:, :, 3] += 0.35 * math.sqrt(5 / 3)
    assert np.mean([deflated_sharpe_of_best(x).probability > 0.95 for x in skilled]) > 0.8


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match="at least 3 finite returns"):
        sharpe_moments(np.array([0.1, 0.2]))
    with pytest.raises(DataError, match="all the same"):
        sharpe_moments(np.full(10, 0.1))
    with pytest.raises(DataError, match="finite"):
        sharpe_moments(np.array([0.1, np.nan, 0.2]))
    with pytest.raises(DataError, match="at least 1 trial"):
        expected_maximum_sharpe(0, 1.0)
    with pytest.raises(DataError, match=r"skewness² \+ 1") as caught:
        probabilistic_sharpe_ratio(SharpeMoments(1.0, 2.0, 1.0, 100))
    assert "full kurtosis" in caught.value.remedy
    with pytest.raises(DataError, match="at least 2 observations"):
        probabilistic_sharpe_ratio(SharpeMoments(0.1, 0.0, 3.0, 1))
    with pytest.raises(DataError, match="one column per trial"):
        deflated_sharpe_of_best(np.ones(5))
