from __future__ import annotations

import math

import pytest

from models.gates.costs import CostRules, cost_gate, round_trip_bps
from models.gates.records import Block, Fees, Pass, SecondLeg
from tests.gates.facts import SYMBOL, facts, fine

RULES = CostRules()


@pytest.mark.parametrize(
    ("entry_taker", "exit_taker", "cost"),
    [(True, True, 13.0), (False, True, 8.5), (True, False, 8.5), (False, False, 4.0)],
)
def test_round_trip_of_a_standard_account(entry_taker: bool, exit_taker: bool, cost: float) -> None:
    # 0.02 % maker, 0.055 % taker, a spread of 2 bps half of which each crossing pays.
    candidate = fine(entry_taker=entry_taker, exit_taker=exit_taker)
    assert round_trip_bps(candidate, facts()) == pytest.approx(cost)
    buffered = facts(policy={"slippage_buffer_bps": {SYMBOL: 4.0}})
    assert round_trip_bps(candidate, buffered) == pytest.approx(cost + 4.0)


def test_edge_must_beat_costs() -> None:
    assert isinstance(cost_gate(fine(expected_edge_bps=13.01), facts(), RULES), Pass)
    answer = cost_gate(fine(expected_edge_bps=13.0), facts(), RULES)
    assert answer == Block(
        "EDGE_BELOW_COSTS",
        "edge should be above 1 × costs: edge 13.00 bps, costs 5.5 + 5.5 + 2 × 2.00 / 2 + buffer 0 = 13.00 bps",
    )
    assert isinstance(cost_gate(fine(expected_edge_bps=19.0), facts(), CostRules(1.5)), Block)


PARTNER = "SOLUSDT"
BOTH_FEES = {"fees": {SYMBOL: Fees(2.0, 5.5), PARTNER: Fees(2.0, 6.0)}}


def test_a_pair_pays_for_its_second_leg_by_its_part_of_the_notional() -> None:
    pair = fine(second=SecondLeg(PARTNER, share=0.5, spread_bps=3.0))
    # Own 5.5 + 5.5 + 2 / 2 + 2 / 2; half of 6 + 6 + 3.
    assert round_trip_bps(pair, facts(account=BOTH_FEES)) == pytest.approx(13.0 + 7.5)
    buffered = facts(account=BOTH_FEES, policy={"slippage_buffer_bps": {PARTNER: 4.0}})
    assert round_trip_bps(pair, buffered) == pytest.approx(13.0 + 9.5)
    answer = cost_gate(fine(second=pair.second, expected_edge_bps=20.6), facts(account=BOTH_FEES), RULES)
    assert answer == Pass(
        "edge 20.60 bps, costs 5.5 + 5.5 + 2 × 2.00 / 2 + buffer 0 + SOLUSDT 7.50 = 20.50 bps"
    )


@pytest.mark.parametrize(
    ("second", "account"),
    [
        (SecondLeg(PARTNER, 0.5, 3.0), {}),
        (SecondLeg(PARTNER, math.nan, 3.0), BOTH_FEES),
        (SecondLeg(PARTNER, 0.5), BOTH_FEES),
    ],
)
def test_a_second_leg_of_unknown_costs_blocks(second: SecondLeg, account) -> None:
    answer = cost_gate(fine(second=second, expected_edge_bps=1e6), facts(account=account), RULES)
    assert isinstance(answer, Block)
    assert (answer.reason, "and its partner" in answer.words) == ("COSTS_UNKNOWN", True)


@pytest.mark.parametrize(
    "unknown",
    [
        {"account": {"fees": {}}},
        {"account": {"fees": {SYMBOL: Fees(math.nan, math.nan)}}},
        {"sight": {"spread_bps": math.nan}},
        {"policy": {"slippage_buffer_bps": {SYMBOL: math.nan}}},
    ],
)
def test_unknown_costs_block(unknown) -> None:
    answer = cost_gate(fine(expected_edge_bps=1e6), facts(**unknown), RULES)
    assert isinstance(answer, Block)
    assert answer.reason == "COSTS_UNKNOWN"


def test_unknown_edge_blocks() -> None:
    answer = cost_gate(fine(expected_edge_bps=math.nan), facts(), RULES)
    assert isinstance(answer, Block)
    assert answer.reason == "EDGE_UNKNOWN"


def test_a_maker_on_both_ways_needs_no_spread() -> None:
    quiet = fine(entry_taker=False, exit_taker=False, expected_edge_bps=4.1)
    answer = cost_gate(quiet, facts(sight={"spread_bps": math.nan}), RULES)
    assert answer == Pass("edge 4.10 bps, costs 2 + 2 + buffer 0 = 4.00 bps")
