from __future__ import annotations

import pytest

from models.gates.hurst import HurstRules, hurst_gate
from models.market.features.hurst import HURST_NAMES
from tests.gates.facts import facts, fine

RULES = HurstRules()


@pytest.mark.parametrize(
    ("plain", "finer", "multiplier"),
    [
        ("RANDOM", "", 0.5),
        ("TRUE_TREND", "", 1.0),
        ("NOISE", "", 1.0),
        ("TRUE_TREND", "RANDOM", 0.5),
        ("RANDOM", "NOISE", 1.0),
        ("", "", 0.5),
    ],
)
def test_random_is_smaller_and_the_finer_label_counts(plain: str, finer: str, multiplier: float) -> None:
    assert hurst_gate(fine(), facts({"hurst": plain, "hurst_finer": finer}), RULES).multiplier == multiplier


def test_labels_are_those_of_the_feature() -> None:
    sizes = {
        name: hurst_gate(fine(), facts({"hurst_finer": name}), RULES).multiplier
        for name in HURST_NAMES.values()
    }
    assert sizes == {"TRUE_TREND": 1.0, "RANDOM": 0.5, "NOISE": 1.0}


@pytest.mark.parametrize("strategy", ["funding_pressure", "basis_arbitrage", "inventory_neutral_mm"])
def test_only_bets_on_direction(strategy: str) -> None:
    answer = hurst_gate(fine(strategy=strategy), facts({"hurst": "RANDOM", "hurst_finer": ""}), RULES)
    assert answer.multiplier == 1.0
