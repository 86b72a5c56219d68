"""The compiled regime: its figures against published ones and the rules', a market for every label, hysteresis, dwell."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.records import new_record
from models.regimes import rules
from models.regimes.kernel import (
    DISTRIBUTION,
    HIGH_ENTROPY,
    MARKDOWN,
    MARKUP,
    RANGE,
    REGIME_NAMES,
    REGIME_STATE,
    UNKNOWN,
    Evidence,
    RegimeKernelParams,
    classify,
    efficiency_ratio,
    evidence_of,
    permutation_entropy,
    realised_volatility,
    step,
)
from tests.support import shared_path

PARAMS = RegimeKernelParams()
QUIET = Evidence(1, 0.1, 0.9, 1.0, 1.0, 0.5)
TREND = QUIET._replace(efficiency=0.5)


def published(name: str) -> list[dict] | dict:
    return json.loads(shared_path("reference_vectors/entropy_er_rv_hmm.json").read_text())[name]


def test_every_published_permutation_entropy() -> None:
    last, compared = None, 0
    for case in published("permutation_entropy"):
        last = case["x"] if isinstance(case["x"], list) else last
        found = permutation_entropy(np.array(last, dtype=float), case["order"], case["delay"])
        assert found == pytest.approx(abs(case["normalised"]), rel=1e-9, abs=1e-12), case
        assert math.copysign(1.0, found) == 1.0
        compared += 1
    assert compared >= 16


def test_every_published_efficiency_ratio() -> None:
    compared = 0
    for case in published("efficiency_ratio"):
        prices, n = np.array(case["prices"], dtype=float), case["n"]
        for i, wanted in enumerate(case["er"]):
            if i < n:
                continue
            found = efficiency_ratio(prices[i - n : i + 1])
            if wanted is None:
                assert math.isnan(found)
            else:
                assert found == pytest.approx(float(wanted), rel=1e-12)
            compared += 1
    assert compared > 10


def test_published_realised_volatility() -> None:
    case = published("realised_vol")
    found = realised_volatility(np.array(case["prices"], dtype=float))
    assert found == pytest.approx(case["realised_vol"], rel=1e-12)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(1.0, 2.0), min_size=4, max_size=40))
def test_the_figures_are_those_of_the_rules(closes: list[float]) -> None:
    window = np.array(closes)
    ratio = rules.efficiency_ratio(window)
    assert efficiency_ratio(window) == pytest.approx(ratio, nan_ok=True)
    assert permutation_entropy(window, 3, 1) == pytest.approx(rules.permutation_entropy(window, 3))


def test_the_codes_name_every_label_of_the_rules() -> None:
    assert set(REGIME_NAMES.values()) == set(rules.REGIMES)


@pytest.mark.parametrize(
    ("evidence", "wanted"),
    [
        (TREND, MARKUP),
        (TREND._replace(direction=-1), MARKDOWN),
        (TREND._replace(hurst=0.3), RANGE),
        (TREND._replace(hurst=math.nan), MARKUP),
        (QUIET, RANGE),
        (QUIET._replace(volatility_ratio=1.6), DISTRIBUTION),
        (QUIET._replace(volatility_ratio=1.6, volume_ratio=0.5), RANGE),
        (QUIET._replace(entropy=0.99), HIGH_ENTROPY),
        (QUIET._replace(efficiency=math.nan), UNKNOWN),
    ],
)
def test_a_market_for_every_label(evidence: Evidence, wanted: int) -> None:
    assert classify(evidence, UNKNOWN, PARAMS) == wanted


@pytest.mark.parametrize(
    ("evidence", "regime", "gone"),
    [
        (QUIET._replace(efficiency=0.3), MARKUP, QUIET._replace(efficiency=0.2)),
        (QUIET._replace(volatility_ratio=1.3), DISTRIBUTION, QUIET._replace(volatility_ratio=1.1)),
        (QUIET._replace(entropy=0.98), HIGH_ENTROPY, QUIET._replace(entropy=0.96)),
    ],
)
def test_a_regime_is_kept_between_its_thresholds(evidence: Evidence, regime: int, gone: Evidence) -> None:
    assert classify(evidence, regime, PARAMS) == regime
    assert classify(evidence, RANGE, PARAMS) == RANGE
    assert classify(gone, regime, PARAMS) == RANGE


def test_least_dwell() -> None:
    state = new_record(REGIME_STATE)
    assert step(state, TREND, PARAMS) == MARKUP  # UNKNOWN is left at once
    found = [step(state, QUIET, PARAMS) for _ in range(12)]
    assert found == [MARKUP] * 9 + [RANGE] * 3
    assert state.changes == 2


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([TREND, QUIET, QUIET._replace(entropy=0.99)]), max_size=60))
def test_no_regime_is_shorter_than_the_dwell(bars: list[Evidence]) -> None:
    state = new_record(REGIME_STATE)
    found = [step(state, evidence, PARAMS) for evidence in bars]
    changes = [i for i in range(1, len(found)) if found[i] != found[i - 1]]
    assert all(b - a >= PARAMS.least_dwell_bars for a, b in zip([0, *changes], changes, strict=False))


def test_evidence_of_a_window() -> None:
    closes = 100.0 * np.exp(np.cumsum(np.concatenate([[0.0], np.full(48, 1e-4), np.full(47, 2e-4)])))
    volumes = np.concatenate([np.full(48, 1.0), np.full(48, 3.0)])
    found = evidence_of(closes, volumes, 0.6)
    assert found.direction == 1
    assert found.efficiency == pytest.approx(1.0)
    assert found.entropy == 0.0
    assert found.volatility_ratio == pytest.approx(2.0, rel=0.02)
    assert found.volume_ratio == pytest.approx(3.0)
    assert found.hurst == 0.6
    assert math.isnan(evidence_of(np.full(96, 5.0), volumes, 0.5).efficiency)
