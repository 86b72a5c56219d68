"""The rules' figures against published values, and a market for every label."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.regimes.rules import (
    DISTRIBUTION,
    HIGH_ENTROPY,
    IMPULSE_DOWN,
    IMPULSE_UP,
    RANGE,
    REGIMES,
    UNKNOWN,
    RegimeParams,
    classify_regime,
    efficiency_ratio,
    permutation_entropy,
)
from tests.support import shared_path

BARS = RegimeParams().bars
PRICES = np.array([100, 101, 102, 101, 103, 104, 104, 102, 101, 105, 106.0])


def test_permutation_entropy_of_bandt_and_pompe() -> None:
    values = np.array([4, 7, 9, 10, 6, 11, 3.0])
    assert permutation_entropy(values, 2) == pytest.approx(0.9182958340544896, rel=1e-12)
    normalised = permutation_entropy(values, 3)
    assert normalised == pytest.approx(0.5887621559162939, rel=1e-12)
    assert normalised * math.log2(6) == pytest.approx(1.5219280948873621, rel=1e-12)


def test_ties_rank_by_position_and_monotone_is_plain_zero() -> None:
    alternating = permutation_entropy(np.array([1, 2] * 10, dtype=float), 3)
    assert alternating * math.log2(6) == pytest.approx(1.0, rel=1e-12)
    zero = permutation_entropy(np.arange(20.0))
    assert zero == 0.0
    assert math.copysign(1.0, zero) == 1.0


def test_every_entropy_vector() -> None:
    cases = json.loads(shared_path("reference_vectors/entropy_er_rv_hmm.json").read_text())[
        "permutation_entropy"
    ]
    last, compared = None, 0
    for case in cases:
        last = case["x"] if isinstance(case["x"], list) else last
        if case["delay"] != 1:
            continue
        found = permutation_entropy(np.array(last, dtype=float), case["order"])
        assert found == pytest.approx(abs(case["normalised"]), rel=1e-9, abs=1e-12), case["name"]
        compared += 1
    assert compared >= 9


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (PRICES, 3 / 7),
        (PRICES[:6], 2 / 3),
        (PRICES[2:8], 0.0),
        (PRICES[5:], 0.25),
        (np.arange(1.0, 7.0), 1.0),
        (np.array([1, 2, 1, 2, 1, 2, 1.0]), 0.0),
    ],
)
def test_efficiency_ratio(prices: np.ndarray, expected: float) -> None:
    assert efficiency_ratio(prices) == pytest.approx(expected, rel=1e-12)


def test_a_price_that_never_moved_has_no_efficiency() -> None:
    assert math.isnan(efficiency_ratio(np.full(4, 5.0)))


def test_every_efficiency_vector() -> None:
    cases = json.loads(shared_path("reference_vectors/entropy_er_rv_hmm.json").read_text())[
        "efficiency_ratio"
    ]
    compared = 0
    for case in cases:
        prices, n = np.array(case["prices"], dtype=float), case["n"]
        for end, expected in enumerate(case["er"]):
            if end >= n:
                found = efficiency_ratio(prices[end - n : end + 1])
                assert math.isnan(found) if expected is None else found == pytest.approx(expected, rel=1e-12)
                compared += 1
    assert compared >= 18


def _wave(period: float) -> np.ndarray:
    return 100 + np.sin(np.arange(BARS) * 2 * np.pi / period)


MARKETS = {
    IMPULSE_UP: 100 + 0.1 * np.arange(BARS) + 0.05 * np.sin(np.arange(BARS)),
    IMPULSE_DOWN: 100 - 0.1 * np.arange(BARS) + 0.05 * np.sin(np.arange(BARS)),
    RANGE: _wave(16),
    DISTRIBUTION: 100 + np.sin(np.arange(BARS)) * np.where(np.arange(BARS) < BARS // 2, 0.1, 1.0),
    HIGH_ENTROPY: 100 + np.random.default_rng(3).normal(0, 0.1, BARS),
    UNKNOWN: np.full(BARS, 100.0),
}


@pytest.mark.parametrize("regime", REGIMES)
def test_every_regime_has_its_market(regime: str) -> None:
    assert classify_regime(MARKETS[regime]) == regime


def test_few_bars_are_unknown() -> None:
    rising = 100 + np.arange(float(BARS))
    assert classify_regime(rising) == IMPULSE_UP
    assert classify_regime(rising[1:]) == UNKNOWN
    assert classify_regime(rising[:0]) == UNKNOWN
    assert classify_regime(rising[1:], RegimeParams(bars=BARS - 1)) == IMPULSE_UP


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_a_price_that_is_none_is_unknown(bad: float) -> None:
    closes = 100 + np.arange(float(BARS))
    closes[40] = bad
    assert classify_regime(closes) == UNKNOWN


def test_only_the_last_bars_count() -> None:
    for regime, closes in MARKETS.items():
        assert classify_regime(np.concatenate([np.array([1.0, 1e6, 3.0]), closes])) == regime


def test_a_regime_needs_no_unit() -> None:
    for regime, closes in MARKETS.items():
        assert classify_regime(closes * 1e-4) == regime


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_every_label_is_declared(seed: int, count: int) -> None:
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 1e-3, count)))
    assert classify_regime(closes) in REGIMES
