from __future__ import annotations

import math

import pytest

from models.portfolio.tiers import TierRules, tier_of

RULES = TierRules()


@pytest.mark.parametrize(
    ("equity", "previous", "name"),
    [
        (300.0, "", "small"),
        (999.99, "", "small"),
        (1000.0, "", "middle"),
        (10_000.0, "", "middle"),
        (10_000.01, "", "large"),
        (0.0, "", "small"),
        (-5.0, "", "small"),
        (math.nan, "large", "small"),
        (math.inf, "", "small"),
        # Left only by a margin, entered without one.
        (950.0, "middle", "middle"),
        (949.99, "middle", "small"),
        (960.0, "small", "small"),
        (9_600.0, "large", "large"),
        (9_500.0, "large", "middle"),
        (9_600.0, "middle", "middle"),
        (100.0, "large", "small"),
        (980.0, "large", "middle"),
        (500.0, "gone", "small"),
    ],
)
def test_tiers_at_their_edges(equity: float, previous: str, name: str) -> None:
    assert tier_of(equity, RULES, previous).name == name


def test_a_small_account_runs_five() -> None:
    assert tier_of(300.0, RULES).strategies == {
        "impulse_engine",
        "funding_harvester",
        "inventory_neutral_mm",
        "liquidity_sweep",
        "rebate_farmer",
    }
    assert tier_of(5_000.0, RULES).strategies is None
    assert tier_of(50_000.0, RULES).weights == {
        "hf_scalping": 12,
        "inventory_neutral_mm": 12,
        "impulse_engine": 20,
    }
