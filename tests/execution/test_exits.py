"""Exits: tiers at their prices, held in a trend, stops that always work, and a state that survives a restart."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ConfigError, DataError
from models.execution.exit_state import ExitState, entered
from models.execution.exits import (
    EXIT_PLANS,
    LADDER,
    PRICE_STOP,
    SIGMA_STOP,
    TIME_EXIT,
    TIME_STOP,
    ExitMarket,
    ExitParams,
    ExitPosition,
    ExitStep,
    RestingTier,
    Tier,
    exits,
    planned_s,
)
from models.execution.market_gates import PriceHistory, PricePoint
from models.execution.memory import WorkMemory, dump_memory, join_memory, load_memory, split_memory
from models.execution.sight import MarketSight
from tests.execution.situations import NOW, NS, instrument

STATE = ExitState(1, D("100.0"), D("1.00"), NOW, is_trend=False, sigma=0.004)
TREND = replace(STATE, is_trend=True)
HOLD = 45 * 60 * NS


def market(mark="100.0", at_ns=NOW, exit_ns=NOW + 3600 * NS, **changes):
    bid, ask = D(mark) - D("0.1"), D(mark) + D("0.1")
    return ExitMarket(at_ns, bid, ask, D(mark), exit_ns, changes.get("instrument", instrument()))


def held(qty="1.00", resting=(), sold=None):
    return ExitPosition(D(qty), resting, sold or {})


def tiers(step):
    return [(order.tier, order.side, order.qty, order.price) for order in step.orders]


def test_the_ladder_rests_at_half_a_percent_steps():
    assert tiers(exits(held(), market(), LADDER, STATE)) == [
        (0, -1, D("0.25"), D("100.5")),
        (1, -1, D("0.25"), D("101.0")),
        (2, -1, D("0.25"), D("101.5")),
        (3, -1, D("0.25"), D("102.0")),
    ]


def test_a_short_mirrors_it():
    found = tiers(exits(held(), market(), LADDER, replace(STATE, side=-1)))
    assert [(side, price) for _, side, _, price in found] == [
        (1, D("99.5")),
        (1, D("99.0")),
        (1, D("98.5")),
        (1, D("98.0")),
    ]


def test_what_rests_is_not_placed_again_and_what_was_sold_not_sold_twice():
    resting = [RestingTier("x2", 1, D("101.0"), D("0.25"))]
    found = exits(held("0.75", resting, {0: D("0.25")}), market(), LADDER, STATE)
    assert [tier for tier, *_ in tiers(found)] == [2, 3]
    assert found.cancels == ()


def test_a_tier_the_market_has_passed_is_quoted_at_the_touch():
    found = tiers(exits(held(), market("101.2"), LADDER, STATE))
    assert [price for *_, price in found] == [D("101.3"), D("101.3"), D("101.5"), D("102.0")]


def test_in_a_trend_only_the_last_tier_rests_for_45_minutes():
    assert [tier for tier, *_ in tiers(exits(held(), market(), LADDER, TREND))] == [3]
    early = exits(held(), market(at_ns=NOW + HOLD - 1), LADDER, TREND)
    assert [tier for tier, *_ in tiers(early)] == [3]
    after = exits(held(), market(at_ns=NOW + HOLD), LADDER, TREND)
    assert [tier for tier, *_ in tiers(after)] == [0, 1, 2, 3]


def test_in_a_trend_a_lower_tier_that_rests_is_taken_back():
    resting = [RestingTier("x1", 0, D("100.5"), D("0.25"))]
    assert exits(held(resting=resting), market(), LADDER, TREND).cancels == ("x1",)


def test_a_trend_outlasts_the_exit_time_but_not_for_longer():
    due = {"exit_ns": NOW + 60 * NS}
    assert exits(held(), market(at_ns=NOW + 60 * NS, **due), LADDER, STATE).leave == "exit time"
    assert exits(held(), market(at_ns=NOW + 60 * NS, **due), LADDER, TREND).leave == ""
    assert exits(held(), market(at_ns=NOW + HOLD, **due), LADDER, TREND).leave == "exit time"


@pytest.mark.parametrize("state", [STATE, TREND], ids=["plain", "held"])
@pytest.mark.parametrize(
    ("mark", "reason", "words"),
    [
        ("99.1", "", ""),
        ("99.0", SIGMA_STOP, "+1 × (100.0 - 99.0) / 100.0 = 0.01000 >= 2.5 × 0.00400 = 0.01000"),
        ("98.0", PRICE_STOP, "= 0.02000 >= 0.02"),
    ],
)
def test_emergency_stops_always_work(state, mark, reason, words):
    resting = [RestingTier("x4", 3, D("102.0"), D("0.25"))]
    found = exits(held(resting=resting), market(mark), LADDER, state)
    assert found.leave == reason
    assert words in found.arithmetic
    if reason:
        assert (found.orders, found.cancels) == ((), ("x4",))


def test_without_sigma_only_the_price_stops():
    blind = replace(STATE, sigma=math.nan)
    assert exits(held(), market("98.5"), LADDER, blind).leave == ""
    assert exits(held(), market("98.0"), LADDER, blind).leave == PRICE_STOP


def test_a_time_stop_of_the_plan():
    params = replace(LADDER, longest_s=120.0)
    assert exits(held(), market(at_ns=NOW + 120 * NS - 1), params, STATE).leave == ""
    assert exits(held(), market(at_ns=NOW + 120 * NS), params, STATE).leave == TIME_STOP


def test_tiers_too_small_are_merged_upwards():
    small = replace(STATE, entry_qty=D("0.12"))  # 0.03 × 100.5 = 3.0 USD, two of them 6
    found = tiers(exits(held("0.12"), market(), LADDER, small))
    assert [(tier, qty) for tier, _, qty, _ in found] == [(1, D("0.06")), (3, D("0.06"))]


def test_nothing_held_nothing_rests():
    resting = [RestingTier("x1", 0, D("100.5"), D("0.25"))]
    assert exits(held("0", resting), market(), LADDER, STATE) == ExitStep(cancels=("x1",))


def test_plans_by_name():
    assert EXIT_PLANS == {"time": TIME_EXIT, "ladder": LADDER}
    assert exits(held(), market("50"), TIME_EXIT, STATE) == ExitStep()


@pytest.mark.parametrize(
    "found",
    [
        (Tier(D(0), D(1)),),
        (Tier(D("0.02"), D("0.5")), Tier(D("0.01"), D("0.5"))),
        (Tier(D("0.01"), D("0.6")), Tier(D("0.02"), D("0.6"))),
        tuple(Tier(D(i) / 100, D("0.1")) for i in range(1, 11)),
    ],
)
def test_tiers_are_checked(found):
    with pytest.raises(ConfigError, match="tiers: expected"):
        ExitParams(tiers=found)


@given(
    side=st.sampled_from([1, -1]),
    entry_ticks=st.integers(100, 5000),
    mark_share=st.floats(0.985, 1.05),
    entry_steps=st.integers(1, 5000),
    left_share=st.floats(0, 1),
    is_trend=st.booleans(),
    at_s=st.integers(0, 5000),
    rests=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 300)), max_size=4),
)
def test_never_more_than_held_never_crossing_always_closing(
    side, entry_ticks, mark_share, entry_steps, left_share, is_trend, at_s, rests
):
    found = instrument()
    state = ExitState(side, entry_ticks * D("0.1"), entry_steps * D("0.01"), NOW, is_trend, math.nan)
    mark = round(entry_ticks * mark_share) * D("0.1")
    here = ExitMarket(NOW + at_s * NS, mark - D("0.1"), mark + D("0.1"), mark, NOW + 9999 * NS, found)
    qty = int(entry_steps * left_share) * D("0.01")
    resting = [RestingTier(f"r{i}", tier, D("100.0"), n * D("0.01")) for i, (tier, n) in enumerate(rests)]
    step = exits(ExitPosition(qty, resting), here, LADDER, state)
    rest = sum(order.remaining for order in resting)
    assert rest + sum(order.qty for order in step.orders) <= max(qty, rest)
    for order in step.orders:
        assert order.side == -side
        assert order.qty % found.qty_step == 0
        assert order.price % found.tick_size == 0
        assert order.price > here.bid if side > 0 else order.price < here.ask
        gain = side * (order.price - state.entry_price) / state.entry_price
        assert gain >= LADDER.tiers[order.tier].gain
        if is_trend and at_s < 2700:
            assert LADDER.tiers[order.tier].gain >= D("0.020")


@given(
    st.builds(
        ExitState,
        st.sampled_from([1, -1]),
        st.decimals("0.01", 100_000, places=6),
        st.decimals("0.001", 1000, places=3),
        st.integers(0, 2**62),
        st.booleans(),
        st.floats(0, 1) | st.just(math.nan),
    )
)
def test_the_state_survives_a_restart(state):
    samples = (PricePoint(NOW, 100.5), PricePoint(NOW + 60 * NS, 99.25))
    memory = WorkMemory(PriceHistory(samples, samples[-1]), (NOW,), (NOW, NOW + 1), exits={"ETHUSDT": state})
    text = join_memory('{"ETHUSDT": {"a": 1}}', memory, whole=True)
    states, again = split_memory(text)
    assert json.loads(states) == {"ETHUSDT": {"a": 1}}
    # NaN is not equal to itself: the JSON values are compared.
    assert dump_memory(again, whole=True) == dump_memory(memory, whole=True)
    assert dump_memory(again, whole=False).keys() == {"btc", "exits"}


def test_nothing_remembered_leaves_the_text_alone():
    assert join_memory('{"A": {}}', WorkMemory(), whole=False) == '{"A": {}}'
    assert split_memory('{"A": {}}') == ('{"A": {}}', WorkMemory())
    assert split_memory("[]")[0] == "[]"
    assert split_memory("{")[0] == "{"


@pytest.mark.parametrize("body", [{"exits": {"A": {}}}, {"btc": [1]}, [], {"btc": [["a", "b"]]}])
def test_unreadable_memory_is_an_error_with_a_remedy(body):
    with pytest.raises(DataError, match="unreadable") as caught:
        load_memory(body)
    assert "engine_state" in caught.value.remedy


def test_an_entry_keeps_what_was_seen_then():
    seen = MarketSight(NOW, True, NOW, is_trend=True, sigma_minute=0.01)
    # A walk of independent minutes: nine times the time, three times the spread.
    assert entered(1, D(100), D(1), NOW, 540.0, seen) == ExitState(1, D(100), D(1), NOW, True, 0.03)
    assert math.isnan(entered(1, D(100), D(1), NOW, 540.0, None).sigma)


def test_the_time_a_plan_means_to_hold():
    exit_ns = NOW + 600 * NS
    assert planned_s(LADDER, NOW, exit_ns, is_trend=False) == 600.0
    assert planned_s(LADDER, NOW, exit_ns, is_trend=True) == 2700.0
    assert planned_s(LADDER, NOW, NOW + 9000 * NS, is_trend=True) == 9000.0
    assert planned_s(replace(LADDER, longest_s=120.0), NOW, exit_ns, is_trend=False) == 120.0
