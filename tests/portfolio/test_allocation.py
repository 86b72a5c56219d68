from __future__ import annotations

import doctest
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models.portfolio.allocation as allocation_module
from models.errors import ConfigError
from models.portfolio.allocation import (
    STARTING_WEIGHTS,
    Allocation,
    AllocationRules,
    allocate,
    starting_weights,
    target_shares,
    track_record,
)
from models.portfolio.regime_matrix import Trade, build_matrix
from models.portfolio.roster import STRATEGIES
from models.portfolio.tiers import TIERS, tier_of
from models.regimes.rules import REGIMES

RULES = AllocationRules()
HOUR_NS = 3600 * 1_000_000_000
ELEVEN = tuple(STARTING_WEIGHTS)


def test_starting_weights_are_the_list() -> None:
    assert sum(STARTING_WEIGHTS.values()) == 100.0
    middle = starting_weights(STRATEGIES, TIERS[1], RULES)
    assert middle["impulse_engine"] == 18.0
    assert middle["funding_pressure"] == 5.0
    large = starting_weights(STRATEGIES, TIERS[2], RULES)
    assert (large["impulse_engine"], large["hf_scalping"], large["inventory_neutral_mm"]) == (20, 12, 12)
    assert len(starting_weights(STRATEGIES, TIERS[0], RULES)) == 5


def test_with_nothing_known_the_list_is_what_is_allocated() -> None:
    found = allocate(ELEVEN, 5_000.0, {}, {}, None, 0, False)
    assert found.cash == pytest.approx(0.2)
    # 80 % by weights that sum to 100: 18 becomes 14.4 %, and 5 becomes 4 %, which the floor lifts.
    lifted = {"enhanced_grid", "correlation_arb", "rebate_farmer", "sentiment"}
    assert {name for name, share in found.shares.items() if share == pytest.approx(0.05)} == lifted
    others = {name: w for name, w in STARTING_WEIGHTS.items() if name not in lifted}
    level = (0.8 - 4 * 0.05) / sum(others.values())
    for name, weight in others.items():
        assert found.shares[name] == pytest.approx(level * weight)


def test_the_mixture_is_40_30_30() -> None:
    base = {"funding_harvester": 10.0, "impulse_engine": 10.0, "liquidity_sweep": 10.0}
    loose = AllocationRules(floor=1e-9, cap=1.0)
    found = target_shares(base, {"RANGE": 1.0}, {"impulse_engine": 1.0, "liquidity_sweep": 0.0}, loose)
    # Scores 0.5, 1 and 0; the phase is the harvester's.
    expected = {
        "funding_harvester": 0.8 * (0.4 / 3 + 0.3 * 0.5 / 1.5 + 0.3),
        "impulse_engine": 0.8 * (0.4 / 3 + 0.3 * 1.0 / 1.5),
        "liquidity_sweep": 0.8 * 0.4 / 3,
    }
    assert found == pytest.approx(expected)


@settings(deadline=None, max_examples=400)
@given(
    st.sets(st.sampled_from(STRATEGIES)),
    st.one_of(st.floats(-1e3, 1e6), st.just(math.nan)),
    st.dictionaries(st.sampled_from([*REGIMES, "elsewhere"]), st.floats(allow_nan=True), max_size=4),
    st.dictionaries(st.sampled_from(STRATEGIES), st.floats(allow_nan=True)),
    st.sampled_from(["", "small", "middle", "large"]),
    st.floats(0.0, 0.9),
    st.floats(0.01, 0.3),
    st.floats(0.0, 0.7),
)
def test_capital_always_sums_to_what_is_deployable(
    names, equity: float, regimes, record, tier: str, reserve: float, floor: float, above: float
) -> None:
    for rules in (RULES, AllocationRules(reserve=reserve, floor=floor, cap=floor + above)):
        previous = Allocation({}, 1.0, tier, 0, "") if tier else None
        found = allocate(names, equity, regimes, record, previous, 5 * HOUR_NS, True, rules)
        allowed = tier_of(equity, rules.tiers, tier).strategies
        eligible = set(names) if allowed is None else names & allowed
        deployable = 1.0 - rules.reserve
        room = min(len(eligible), int(deployable / rules.floor + 1e-9)) * rules.cap
        assert set(found.shares) == eligible
        assert sum(found.shares.values()) == pytest.approx(min(deployable, room), abs=1e-9)
        assert found.cash + sum(found.shares.values()) == pytest.approx(1.0, abs=1e-12)
        assert found.cash >= rules.reserve - 1e-9
        for share in found.shares.values():
            assert share == 0.0 or rules.floor - 1e-9 <= share <= rules.cap + 1e-12


def test_a_better_record_never_gets_less() -> None:
    shares = [
        allocate(ELEVEN, 5_000.0, {}, {"momentum_trader": p}, None, 0, False).shares["momentum_trader"]
        for p in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def _held() -> Allocation:
    return allocate(ELEVEN, 5_000.0, {"RANGE": 1.0}, {}, None, 0, False)


def test_rebalanced_on_a_close_at_most_hourly_and_only_when_it_matters() -> None:
    held = _held()
    markup = {"IMPULSE_MARKUP": 1.0}
    for now_ns, closed, regimes, words in (
        (2 * HOUR_NS, False, markup, "kept: no trade has closed"),
        (HOUR_NS - 1, True, markup, "kept: 3600 s since the last < 3600 s"),
        (2 * HOUR_NS, True, {"RANGE": 1.0}, "kept: 0.00% of the equity would move <= 5%"),
    ):
        found = allocate(ELEVEN, 5_000.0, regimes, {}, held, now_ns, closed)
        assert found == replace(held, words=words)
    found = allocate(ELEVEN, 5_000.0, markup, {}, held, HOUR_NS, True)
    assert found.words.startswith("rebalanced: ")
    assert found.since_ns == HOUR_NS
    assert found.shares["impulse_engine"] > held.shares["impulse_engine"]


def test_drift_is_measured_by_what_would_move() -> None:
    held = _held()
    target = allocate(ELEVEN, 5_000.0, {"IMPULSE_MARKUP": 1.0}, {}, None, 0, False)
    moves = sum(max(target.shares[n] - held.shares[n], 0.0) for n in ELEVEN)
    assert moves > 0.05
    for least, kept in ((moves * 1.001, True), (moves * 0.999, False)):
        rules = AllocationRules(least_drift=least)
        found = allocate(ELEVEN, 5_000.0, {"IMPULSE_MARKUP": 1.0}, {}, held, HOUR_NS, True, rules)
        assert found.words.startswith("kept") is kept


def test_who_may_no_longer_trade_loses_its_capital_at_once() -> None:
    held = _held()
    found = allocate(ELEVEN[1:], 5_000.0, {"RANGE": 1.0}, {}, held, 1, False)
    assert "impulse_engine" not in found.shares
    assert found.words == "the roster changed; left: impulse_engine"
    smaller = allocate(ELEVEN, 900.0, {"RANGE": 1.0}, {}, held, 1, False)
    assert smaller.tier == "small"
    assert len(smaller.shares) == 5


def test_the_weight_of_a_tier_takes_part_in_the_drift() -> None:
    held = allocate(["hf_scalping", "sentiment", "momentum_trader"], 9_000.0, {}, {}, None, 0, False)
    larger = allocate(["hf_scalping", "sentiment", "momentum_trader"], 11_000.0, {}, {}, held, HOUR_NS, True)
    assert larger.tier == "large"


def test_cold_start_of_a_small_account_with_nobody_promoted() -> None:
    assert allocate([], 300.0, {}, {}, None, 0, False) == Allocation({}, 1.0, "small", 0, "first allocation")


def test_track_record_is_weighed_by_trades() -> None:
    trades = [Trade("impulse_engine", "RANGE", i, 5.0 if i % 3 else -4.0) for i in range(40)]
    trades += [Trade("impulse_engine", "DISTRIBUTION", i, -3.0) for i in range(10)]
    trades += [Trade("sentiment", "RANGE", i, 1.0) for i in range(5)]
    cells = build_matrix(trades)
    by_regime = {c.regime: c for c in cells if c.strategy == "impulse_engine"}
    expected = (40 * by_regime["RANGE"].p_ev_positive + 10 * by_regime["DISTRIBUTION"].p_ev_positive) / 50
    assert track_record(cells)["impulse_engine"] == pytest.approx(expected)
    assert track_record([]) == {}


def test_a_part_may_be_left_out() -> None:
    rules = AllocationRules(base_part=1.0, record_part=0.0, phase_part=0.0)
    found = allocate(ELEVEN, 5_000.0, {"RANGE": 1.0}, {"sentiment": 1.0}, None, 0, False, rules)
    assert found.shares == pytest.approx(allocate(ELEVEN, 5_000.0, {}, {}, None, 0, False).shares)


def test_rules_out_of_range_are_errors() -> None:
    for wrong in ({"base_part": 0.5}, {"reserve": 1.1}, {"floor": 0.0}, {"cap": 0.01}):
        with pytest.raises(ConfigError, match=r"expected|should"):
            AllocationRules(**wrong)
    with pytest.raises(ConfigError, match="was 'S2'"):
        allocate(["S2"], 1000.0, {}, {}, None, 0, False)


def test_the_example_runs() -> None:
    found = doctest.testmod(allocation_module)
    assert found.attempted > 0
    assert found.failed == 0
