from __future__ import annotations

import math

import pytest

from models.gates.permission import (
    ConfidenceRules,
    confidence_gate,
    probation_gate,
    rotation_gate,
    standing_gate,
)
from models.gates.records import Block, Pass, Standing
from models.portfolio.rotator import BOTH, NEITHER, SHORT, Activation, Rotation
from tests.gates.facts import SYMBOL, facts, fine


@pytest.mark.parametrize(
    ("state", "reason"), [("live", None), ("shadow", "SHADOW_ONLY"), ("vetoed", "VETOED")]
)
def test_standing(state: str, reason: str | None) -> None:
    policy = {"standings": {"impulse_engine": Standing(state, "E2 did not pass")}}
    answer = standing_gate(fine(), facts(policy=policy))
    assert (answer.reason if isinstance(answer, Block) else None) == reason
    assert "E2 did not pass" in answer.words


def test_without_a_standing_only_shadow() -> None:
    answer = standing_gate(fine(), facts(policy={"standings": {}}))
    assert isinstance(answer, Block)
    assert answer.reason == "SHADOW_ONLY"


@pytest.mark.parametrize(
    ("sides", "side", "passes"),
    [
        (BOTH, 1, True),
        (BOTH, 0, True),
        (SHORT, -1, True),
        (SHORT, 1, False),
        (SHORT, 0, False),
        (NEITHER, -1, False),
    ],
)
def test_rotation_by_side(sides: frozenset[int], side: int, passes: bool) -> None:
    rotation = Rotation("RANGE", 0, {"impulse_engine": Activation(sides, False, "words")})
    answer = rotation_gate(fine(side=side), facts(rotation=rotation))
    assert isinstance(answer, Pass) is passes
    assert answer.words == "words"


def test_unknown_to_the_rotator_is_rotated_out() -> None:
    for rotation in (None, Rotation("RANGE", 0, {})):
        answer = rotation_gate(fine(), facts(rotation=rotation))
        assert isinstance(answer, Block)
        assert answer.reason == "ROTATED_OUT"


@pytest.mark.parametrize(
    ("strategy", "confidence", "passes"),
    [
        ("funding_pressure", 0.6, False),
        ("funding_pressure", 0.601, True),
        ("funding_pressure", math.nan, False),
        ("liquidation_hunter", 0.7, False),
        ("liquidation_hunter", 0.71, True),
        ("impulse_engine", math.nan, True),
    ],
)
def test_confidence_at_its_edges(strategy: str, confidence: float, passes: bool) -> None:
    answer = confidence_gate(fine(strategy=strategy, confidence=confidence), facts(), ConfidenceRules())
    assert isinstance(answer, Pass) is passes


@pytest.mark.parametrize("factor", [0.2, 1.0, 0.0])
def test_probation_scales(factor: float) -> None:
    assert (
        probation_gate(fine(), facts(policy={"probation": {SYMBOL: factor}})).multiplier == factor  # type: ignore[union-attr]
    )
    assert probation_gate(fine(), facts()) == Pass("not on probation", 1.0)


@pytest.mark.parametrize("factor", [math.nan, -0.1, 1.1, math.inf])
def test_probation_out_of_range_blocks(factor: float) -> None:
    answer = probation_gate(fine(), facts(policy={"probation": {SYMBOL: factor}}))
    assert isinstance(answer, Block)
    assert answer.reason == "PROBATION_UNKNOWN"
