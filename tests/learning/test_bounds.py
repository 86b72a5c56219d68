"""The fence: whatever is proposed, one step from what was, within every range."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.learning.bounds import Bounds, bounded_step
from models.portfolio.policy import Policy, Reason, StrategyPolicy, SymbolPolicy, from_text, to_text

ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True)
GROUNDS = st.sampled_from(["PROMOTED", "RETAINED", "PINNED_LIVE", "NO_EVIDENCE", "VETOED"])
STATES = st.sampled_from(["live", "shadow", "off", "anything"])
NAMES = ("a", "b", "c", "d")
STRATEGY = st.builds(StrategyPolicy, STATES, st.tuples(st.builds(Reason, GROUNDS)), ANY_NUMBER, ANY_NUMBER)
SYMBOL = st.builds(SymbolPolicy, ANY_NUMBER, st.integers(-5, 2**62), ANY_NUMBER, st.integers(-5, 2**62))
PROPOSAL = st.builds(
    Policy,
    made_at_ns=st.integers(0, 2**60),
    expires_ns=st.integers(-1, 2**62),
    strategies=st.dictionaries(st.sampled_from(NAMES), STRATEGY),
    symbols=st.dictionaries(st.sampled_from(["X", "Y"]), SYMBOL),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PROPOSAL, min_size=1, max_size=12))
def test_no_proposal_leads_out_of_the_fence(proposals: list[Policy]) -> None:
    bounds, before = Bounds(), None
    for proposed in proposals:
        after = bounded_step(before, proposed, bounds)
        assert from_text(to_text(after)) == after  # every range holds
        was = before or Policy(0, 0, 0)
        for name, symbol in after.symbols.items():
            moved = symbol.slippage_buffer_bps - was.symbol(name).slippage_buffer_bps
            assert -1.0 - 1e-9 <= moved <= 2.0 + 1e-9
        for name, strategy in after.strategies.items():
            if strategy.state == "live":
                assert abs(strategy.share - was.strategy(name).share) <= bounds.share_step + 1e-9
                assert proposed.strategies[name].state == "live"
                assert was.strategy(name).state != "off"
            else:
                assert strategy.share == 0.0
        assert after.number == was.number + 1
        before = after


def live(share: float, word: str = "PROMOTED") -> StrategyPolicy:
    return StrategyPolicy("live", (Reason(word),), share)


def step(before: dict[str, StrategyPolicy], after: dict[str, StrategyPolicy]) -> dict[str, StrategyPolicy]:
    previous = replace(Policy(0, 0, 1), strategies=before)
    return dict(bounded_step(previous, replace(Policy(0, 0), strategies=after)).strategies)


def test_shares_move_by_a_step_and_leave_at_once() -> None:
    found = step({"a": live(0.2), "b": live(0.3)}, {"a": live(0.4), "b": StrategyPolicy("shadow")})
    assert found["a"].share == pytest.approx(0.25)
    assert found["b"].share == 0.0
    assert step({"a": live(0.2)}, {"a": live(0.0)})["a"].share == pytest.approx(0.15)


def test_where_the_sum_is_too_much_only_increases_shrink() -> None:
    before = {"a": live(0.4), "b": live(0.38), "c": live(0.0)}
    found = step(before, {"a": live(0.4), "b": live(0.4), "c": live(0.05)})
    assert sum(each.share for each in found.values()) == pytest.approx(0.8)
    assert found["a"].share == pytest.approx(0.4)
    assert found["b"].share == pytest.approx(0.38 + 0.02 * 0.02 / 0.07)


def test_live_only_by_promotion() -> None:
    found = step({"a": StrategyPolicy("shadow")}, {"a": live(0.05, "NO_EVIDENCE")})
    assert (found["a"].state, found["a"].reasons[0].word) == ("shadow", "NO_PROMOTION")
    found = step({"a": StrategyPolicy("off")}, {"a": live(0.05)})
    assert (found["a"].state, found["a"].reasons[0].word) == ("shadow", "WAS_OFF")
    assert step({"a": live(0.1)}, {})["a"].state == "shadow"


def test_an_unknown_number_changes_nothing() -> None:
    previous = replace(Policy(0, 0, 1), symbols={"X": SymbolPolicy(4.0, probation=0.2)})
    proposed = replace(Policy(0, 0), symbols={"X": SymbolPolicy(math.nan, probation=math.nan)})
    found = bounded_step(previous, proposed).symbols["X"]
    assert (found.slippage_buffer_bps, found.probation) == (4.0, 0.2)
    assert bounded_step(previous, Policy(0, 0)).symbols["X"].slippage_buffer_bps == 4.0
