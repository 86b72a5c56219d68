"""One turn: cold start, what becomes of findings, and the names everyone uses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.learning.gate_cost import gate_costs
from models.learning.loop import VALID_NS, Findings, next_policy
from models.learning.probation import Standing
from models.learning.roster import REQUIREMENTS, STRATEGIES, canonical
from models.learning.shares import base_shares
from models.learning.slippage import BufferChange
from models.portfolio import roster as portfolio_roster
from models.portfolio.allocation import STARTING_WEIGHTS
from models.portfolio.policy import Reason, from_text, to_text
from tests.learning.made import NOW_NS, trades

PROMOTED = ("live", (Reason("PROMOTED", "earns"),))


def test_a_cold_start_shadows_everything_and_says_so() -> None:
    policy = next_policy(None, Findings(NOW_NS, 0))
    assert [reason.word for reason in policy.reasons] == ["COLD_START", "NOTHING_LIVE"]
    assert {each.state for each in policy.strategies.values()} == {"shadow"}
    assert tuple(sorted(policy.strategies)) == tuple(sorted(STRATEGIES))
    assert sum(each.base_share for each in policy.strategies.values()) == pytest.approx(0.8)
    assert (policy.number, policy.previous, policy.symbols) == (1, "", {})
    assert policy.expires_ns == NOW_NS + VALID_NS
    assert from_text(to_text(policy)) == policy


def test_findings_become_decisions_one_step_at_a_time() -> None:
    change = BufferChange("BTCUSDT", 2.0, "raise", "apart")
    standing = Standing("BTCUSDT", 40, 0.5, 0.9, 0.2, True, "loses")
    found = Findings(
        NOW_NS, 99, {"BTCUSDT": change}, [standing], {"impulse_engine": PROMOTED}, matrix_version="3"
    )
    first = next_policy(None, found)
    symbol = first.symbols["BTCUSDT"]
    assert (symbol.slippage_buffer_bps, symbol.buffer_raised_ns) == (2.0, NOW_NS)
    assert (symbol.probation, symbol.probation_since_ns) == (0.2, NOW_NS)
    assert first.strategies["impulse_engine"].share == pytest.approx(0.05)
    second = next_policy(first, replace(found, now_ns=NOW_NS + 1))
    assert (second.number, second.previous) == (2, first.digest)
    assert second.strategies["impulse_engine"].share == pytest.approx(0.10)
    assert second.symbols["BTCUSDT"].slippage_buffer_bps == 4.0


def test_other_shares_can_be_put_in() -> None:
    policy = None
    for turn in range(12):
        found = Findings(NOW_NS + turn, 9, decisions={"impulse_engine": PROMOTED, "sentiment": PROMOTED})
        policy = next_policy(policy, found, divide=lambda names: dict.fromkeys(names, 0.31))
    assert policy is not None
    assert {name: each.share for name, each in policy.strategies.items() if each.share} == pytest.approx(
        {"impulse_engine": 0.31, "sentiment": 0.31}
    )


def test_a_live_strategy_without_capital_says_so() -> None:
    found = Findings(
        NOW_NS, 9, decisions={"sentiment": PROMOTED}, account=(Reason("TIER_SMALL", "500.00 USD"),)
    )
    policy = next_policy(None, found, divide=lambda names: {})
    own = policy.strategies["sentiment"]
    assert (own.state, own.share) == ("live", 0.0)
    assert [reason.word for reason in own.reasons] == ["PROMOTED", "NO_CAPITAL"]
    assert policy.reasons[-1].word == "TIER_SMALL"


def test_costs_of_gates_are_carried_along() -> None:
    costs = gate_costs(trades([1.0, 2.0], blocked_by="HURST"))
    policy = next_policy(None, Findings(NOW_NS, 2, costs=costs))
    assert policy.gates["HURST"].trades == 2
    assert policy.gates["HURST"].net_bps is None
    assert policy.gates["HURST"].verdict == "not enough data"


def test_names_and_shares() -> None:
    assert len(STRATEGIES) == 19
    assert [REQUIREMENTS[name].system for name in STRATEGIES] == [f"S{n}" for n in range(1, 20)]
    assert canonical("S19") == "synthetic_convexity"
    assert STRATEGIES == portfolio_roster.STRATEGIES
    assert set(STARTING_WEIGHTS) <= set(STRATEGIES)
    assert sum(STARTING_WEIGHTS.values()) == 100.0
    assert base_shares([]) == {}
    assert base_shares(["sentiment"]) == {"sentiment": 0.4}
