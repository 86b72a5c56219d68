from __future__ import annotations

import math

import pytest

from models.portfolio.phases import PHASES, phase_weights
from models.regimes.kernel import REGIME_NAMES

BASE = {"funding_harvester": 14.0, "basis_arbitrage": 10.0, "impulse_engine": 18.0, "sentiment": 5.0}


def test_phases_are_regimes() -> None:
    assert set(PHASES) == set(REGIME_NAMES.values()) - {"HIGH_ENTROPY", "UNKNOWN"}


def test_accumulation_belongs_to_those_that_suit_it() -> None:
    assert phase_weights(BASE, {"RANGE": 1.0}) == pytest.approx(
        {"funding_harvester": 14 / 24, "basis_arbitrage": 10 / 24, "impulse_engine": 0.0, "sentiment": 0.0}
    )


def test_a_mixed_market_is_a_mixture() -> None:
    found = phase_weights(BASE, {"RANGE": 3.0, "DISTRIBUTION": 1.0})
    assert found["sentiment"] == pytest.approx(0.25)
    assert found["funding_harvester"] == pytest.approx(0.75 * 14 / 24)


@pytest.mark.parametrize(
    "regimes",
    [{}, {"UNKNOWN": 2.0}, {"HIGH_ENTROPY": 1.0}, {"RANGE": 0.0}, {"RANGE": math.nan}, {"RANGE": math.inf}],
)
def test_without_a_phase_everyone_keeps_its_base(regimes) -> None:
    assert phase_weights(BASE, regimes) == pytest.approx({name: w / 47 for name, w in BASE.items()})


def test_where_nobody_suits_a_phase_all_share_it() -> None:
    assert phase_weights({"rebate_farmer": 5.0, "enhanced_grid": 5.0}, {"DISTRIBUTION": 1.0}) == {
        "rebate_farmer": 0.5,
        "enhanced_grid": 0.5,
    }
