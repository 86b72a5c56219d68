from __future__ import annotations

import math

import pytest

from models.gates.flow import ToxicityRules, WhaleRules, toxicity_gate, whale_gate
from models.gates.records import Block, Pass
from tests.gates.facts import facts, fine

WHALES = WhaleRules()
TOXIC = ToxicityRules()


def whales(cvd: float, intensity: float = 50.0, retail: float = 0.0):
    return facts({"whale_cvd_usd": cvd, "whale_intensity": intensity, "retail_imbalance": retail})


def informed(rank: float = 0.95, lambda_z: float = 2.0, flow: float = 0.0):
    return facts({"kyle_lambda_z": lambda_z, "flow_imbalance": flow}, {"vpin_rank": rank})


@pytest.mark.parametrize("side", [1, -1])
def test_whales_against_the_signal_block_it(side: int) -> None:
    answer = whale_gate(fine(side=side), whales(-1e5 * side), WHALES)
    assert isinstance(answer, Block)
    assert answer.reason == "WHALE_CONFLICT"
    assert f"{-1e5 * side:+.0f} USD" in answer.words


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("retail", "multiplier"), [(0.2, 2.5), (0.19, 1.0), (-0.5, 1.0), (math.nan, 1.0), (0.0, 1.0)]
)
def test_ultra_needs_whales_and_retail(side: int, retail: float, multiplier: float) -> None:
    answer = whale_gate(fine(side=side), whales(1e5 * side, retail=retail * side), WHALES)
    assert isinstance(answer, Pass)
    assert answer.multiplier == multiplier


@pytest.mark.parametrize(
    ("cvd", "intensity", "blocks"),
    [
        (-1e5, 20.0, True),
        (-1e5, 19.9, False),
        (-1e5, math.nan, False),
        (math.nan, 50.0, False),
        (0.0, 50.0, False),
    ],
)
def test_whales_need_intensity(cvd: float, intensity: float, blocks: bool) -> None:
    answer = whale_gate(fine(), whales(cvd, intensity, retail=0.5), WHALES)
    assert isinstance(answer, Block) is blocks
    assert isinstance(answer, Block) or answer.multiplier == 1.0


@pytest.mark.parametrize(
    ("strategy", "side"),
    [
        ("impact_reversion", 1),
        ("forced_flow_exhaustion", 1),
        ("inventory_neutral_mm", 0),
        ("funding_pressure", 1),
        ("basis_arbitrage", 1),
    ],
)
def test_whale_gate_leaves_others_alone(strategy: str, side: int) -> None:
    assert whale_gate(fine(strategy=strategy, side=side), whales(-1e6), WHALES) == Pass("does not apply")


@pytest.mark.parametrize(
    ("rank", "lambda_z", "flow", "blocks"),
    [
        (0.95, 2.0, 0.0, True),
        (0.95, 2.0, -0.5, True),
        (0.95, 2.0, 0.5, False),
        (0.95, 2.0, math.nan, True),
        (0.90, 2.0, 0.0, False),
        (0.95, 1.5, 0.0, False),
        (0.95, math.nan, 0.0, False),
    ],
)
def test_informed_flow_at_its_edges(rank: float, lambda_z: float, flow: float, blocks: bool) -> None:
    answer = toxicity_gate(fine(), informed(rank, lambda_z, flow), TOXIC)
    assert isinstance(answer, Block) is blocks
    assert not isinstance(answer, Block) or answer.reason == "INFORMED_FLOW"


@pytest.mark.parametrize(
    ("rank", "flow", "multiplier"),
    [
        (0.0, 0.0, 1.0),
        (0.5, 0.0, 1.0),
        (0.7, 0.0, 0.75),
        (0.9, 0.0, 0.5),
        (0.7, 0.5, 1.125),
        (1.0, 0.5, 1.25),
        (0.7, -0.5, 0.75),
    ],
)
def test_vpin_scales_size(rank: float, flow: float, multiplier: float) -> None:
    answer = toxicity_gate(fine(), informed(rank, 0.0, flow), TOXIC)
    assert isinstance(answer, Pass)
    assert answer.multiplier == pytest.approx(multiplier)


def test_fixed_level_is_an_option() -> None:
    level = ToxicityRules(by_rank=False)
    at = facts({"vpin": 0.65, "kyle_lambda_z": 2.0}, {"vpin_rank": 0.99})
    above = facts({"vpin": 0.66, "kyle_lambda_z": 2.0}, {"vpin_rank": 0.0})
    assert isinstance(toxicity_gate(fine(), at, level), Pass)
    assert isinstance(toxicity_gate(fine(), above, level), Block)


def test_unknown_vpin() -> None:
    unknown = facts({"kyle_lambda_z": 9.0}, {"vpin_rank": math.nan})
    answer = toxicity_gate(fine(), unknown, TOXIC)
    assert isinstance(answer, Pass)
    assert answer.multiplier == 0.5
    quotes = toxicity_gate(fine(strategy="inventory_neutral_mm", side=0), unknown, TOXIC)
    assert isinstance(quotes, Block)
    assert quotes.reason == "VPIN_UNKNOWN"


def test_quotes_on_both_sides_never_go_with_the_flow() -> None:
    quotes = fine(strategy="inventory_neutral_mm", side=0)
    assert isinstance(toxicity_gate(quotes, informed(flow=0.9), TOXIC), Block)


def test_long_holds_and_faders_are_not_filtered() -> None:
    assert isinstance(toxicity_gate(fine(horizon_s=3600.0), informed(), TOXIC), Block)
    assert isinstance(toxicity_gate(fine(horizon_s=3600.1), informed(), TOXIC), Pass)
    assert isinstance(toxicity_gate(fine(horizon_s=math.nan), informed(), TOXIC), Block)
    assert isinstance(toxicity_gate(fine(strategy="impact_reversion"), informed(), TOXIC), Pass)
