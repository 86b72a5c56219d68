from __future__ import annotations

import doctest
import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ConfigError
from models.gates.order import ORDER, GateRules, pass_gates
from models.gates.records import Entries
from models.gates.session import SessionRules
from models.portfolio.roster import STRATEGIES
from tests.gates.facts import FACTS, FINE, NOON, SYMBOL, facts, fine
from tests.support import ROOT

RULES = GateRules()
EDGES = st.sampled_from([math.nan, -math.inf, math.inf, -1.0, 0.0, 0.5, 1.0, 50.0, 1e9])


def test_every_row_has_one_gate() -> None:
    assert {gate.row for gate in ORDER} == {f"G{i}" for i in range(1, 14)}
    assert len({gate.name for gate in ORDER}) == len(ORDER) == 13


def test_a_fine_candidate_passes_every_gate() -> None:
    verdict = pass_gates(FINE, FACTS, RULES)
    assert verdict.passed
    assert verdict.blocks == ()
    assert verdict.factors == {}
    assert [o.name for o in verdict.outcomes] == [gate.name for gate in ORDER]
    assert verdict.journal()["reason"] == "PASS"


BLOCKED = {
    "stale_data": ("STALE_BOOK", {"sight": {"book_at_ns": 0}}, {}),
    "standing": ("SHADOW_ONLY", {"policy": {"standings": {}}}, {}),
    "rotator": ("ROTATED_OUT", {"rotation": None}, {}),
    "pace": ("COOLDOWN", {"account": {"entries": {("impulse_engine", SYMBOL): Entries(NOON, 0, 1)}}}, {}),
    "whale_cvd": ("WHALE_CONFLICT", {"market": {"whale_cvd_usd": -1e6, "whale_intensity": 90.0}}, {}),
    "vpin": ("INFORMED_FLOW", {"market": {"kyle_lambda_z": 3.0}, "sight": {"vpin_rank": 0.99}}, {}),
    "costs": ("EDGE_BELOW_COSTS", {}, {"expected_edge_bps": 1.0}),
    "probation": ("PROBATION_UNKNOWN", {"policy": {"probation": {SYMBOL: -1.0}}}, {}),
    "fair_slots": ("NO_SLOT", {"account": {"free_slots": 0}}, {}),
    "confidence": ("LOW_CONFIDENCE", {}, {"strategy": "funding_pressure"}),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_one_gate_alone_blocks_and_its_counterfactual_is_its_own(name: str) -> None:
    reason, changes, candidate = BLOCKED[name]
    verdict = pass_gates(fine(**candidate), facts(**changes), RULES)
    assert [(o.name, o.reason, o.multiplier) for o in verdict.blocks] == [(name, reason, 0.0)]
    assert verdict.passed_without(name)
    assert not any(verdict.passed_without(gate.name) for gate in ORDER if gate.name != name)
    assert verdict.journal()["reason"] == reason
    others = [gate for gate in ORDER if gate.name != name]
    assert pass_gates(fine(**candidate), facts(**changes), RULES, others).passed


def test_all_are_asked_after_a_block_and_the_first_is_the_reason() -> None:
    at_night = GateRules(session=SessionRules({"impulse_engine": (0.0, 1.0)}))
    verdict = pass_gates(fine(expected_edge_bps=1.0), facts(policy={"standings": {}}), at_night)
    assert [o.name for o in verdict.blocks] == ["standing", "golden_hour", "costs"]
    assert len(verdict.outcomes) == len(ORDER)
    assert not any(verdict.passed_without(gate.name) for gate in ORDER)
    assert verdict.journal()["reason"] == "SHADOW_ONLY"


def test_factors_are_named_by_gate() -> None:
    changes = facts(
        {"whale_cvd_usd": 1e6, "whale_intensity": 60.0, "retail_imbalance": 0.4, "hurst_finer": "RANDOM"},
        {"vpin_rank": 0.7},
        policy={"probation": {SYMBOL: 0.2}},
    )
    verdict = pass_gates(FINE, changes, RULES)
    assert verdict.passed
    assert verdict.factors == pytest.approx({"whale_cvd": 2.5, "vpin": 0.75, "hurst": 0.5, "probation": 0.2})


def test_an_unknown_strategy_is_an_error() -> None:
    with pytest.raises(ConfigError, match="should be one of funding_pressure"):
        pass_gates(fine(strategy="S7"), FACTS, RULES)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(STRATEGIES),
    st.sampled_from([-1, 0, 1]),
    st.lists(EDGES, min_size=9, max_size=9),
    st.sampled_from(["", "RANDOM", "NOISE", "TRUE_TREND"]),
)
def test_whatever_the_facts_every_gate_answers(strategy: str, side: int, n: list[float], label: str) -> None:
    given_facts = facts(
        {
            "vpin": n[0],
            "kyle_lambda_z": n[1],
            "flow_imbalance": n[2],
            "whale_cvd_usd": n[3],
            "whale_intensity": n[4],
            "retail_imbalance": n[5],
            "hurst": label,
            "hurst_finer": label,
        },
        {"spread_bps": n[6], "vpin_rank": n[0]},
        policy={"slippage_buffer_bps": {SYMBOL: n[7]}, "probation": {SYMBOL: n[7]}},
    )
    candidate = fine(strategy=strategy, side=side, expected_edge_bps=n[8], confidence=n[5], horizon_s=n[8])
    verdict = pass_gates(candidate, given_facts, RULES)
    for outcome in verdict.outcomes:
        assert outcome.words
        assert math.isfinite(outcome.multiplier)
        assert 0.0 <= outcome.multiplier <= 2.5
        assert outcome.passed is (outcome.reason == "PASS")
    assert json.loads(json.dumps(verdict.journal(), allow_nan=False))["strategy"] == strategy


def test_the_page_shows_the_order_and_every_reason() -> None:
    page = (ROOT / "docs" / "gates.md").read_text()
    rows = re.findall(r"^\| (G\d+) \| `(\w+)` \|", page, re.MULTILINE)
    assert rows == [(gate.row, gate.name) for gate in ORDER]
    source = "".join(path.read_text() for path in (ROOT / "models" / "gates").glob("*.py"))
    for reason in set(re.findall(r'Block\(\s*"([A-Z_]+)"', source)):
        assert f"`{reason}`" in page, reason


def test_the_page_runs() -> None:
    page = str(ROOT / "docs" / "gates.md")
    found = doctest.testfile(page, module_relative=False, encoding="utf-8")
    assert found.attempted > 0
    assert found.failed == 0
