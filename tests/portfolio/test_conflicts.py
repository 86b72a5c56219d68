from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from models.portfolio.conflicts import Contender, Holder, Loser, resolve_conflicts
from models.portfolio.roster import STRATEGIES

LONG = Contender("impulse_engine", "BTCUSDT", 1, 0.10)
SHORT = Contender("momentum_trader", "BTCUSDT", -1, 0.11)
ELSEWHERE = Contender("momentum_trader", "ETHUSDT", -1, 0.01)


def test_the_best_value_per_risk_wins() -> None:
    assert resolve_conflicts([LONG, SHORT, ELSEWHERE], {}) == (
        [SHORT, ELSEWHERE],
        [
            Loser(
                LONG,
                "impulse_engine (long) at 0.100 value per risk < momentum_trader (short) at 0.110 on BTCUSDT",
            )
        ],
    )


def test_two_on_the_same_side_do_not_both_pass() -> None:
    winners, losers = resolve_conflicts([LONG, Contender("momentum_trader", "BTCUSDT", 1, 0.05)], {})
    assert winners == [LONG]
    assert losers[0].reason == "CONFLICT"


def test_ties_go_by_the_roster_and_the_unknown_is_last() -> None:
    like = Contender("momentum_trader", "BTCUSDT", -1, 0.10)
    unknown = Contender("funding_pressure", "BTCUSDT", 1, math.nan)
    for order in ([LONG, like, unknown], [unknown, like, LONG]):
        winners, losers = resolve_conflicts(order, {})
        assert winners == [LONG]
        assert len(losers) == 2
    assert "comes after" in resolve_conflicts([like, LONG], {})[1][0].words
    assert resolve_conflicts([unknown], {})[0] == [unknown]


def test_who_holds_a_symbol_keeps_it() -> None:
    holders = {"BTCUSDT": Holder("hf_scalping", 1)}
    winners, losers = resolve_conflicts([LONG, SHORT, ELSEWHERE], holders)
    assert winners == [ELSEWHERE]
    assert {loser.words for loser in losers} == {"hf_scalping (long) holds BTCUSDT"}


def test_the_holder_may_add_on_its_side_only() -> None:
    holders = {"BTCUSDT": Holder("impulse_engine", 1)}
    assert resolve_conflicts([SHORT, LONG], holders)[0] == [LONG]
    turned = Contender("impulse_engine", "BTCUSDT", -1, 9.0)
    assert resolve_conflicts([turned], holders)[0] == []


CONTENDERS = st.builds(
    Contender,
    st.sampled_from(STRATEGIES),
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from([-1, 0, 1]),
    st.floats(allow_nan=True),
)
HOLDERS = st.dictionaries(
    st.sampled_from(["A", "B", "C"]),
    st.builds(Holder, st.sampled_from(STRATEGIES), st.sampled_from([-1, 0, 1])),
)


@given(st.lists(CONTENDERS, max_size=12), HOLDERS)
def test_never_two_on_a_symbol(contenders: list[Contender], holders: dict[str, Holder]) -> None:
    winners, losers = resolve_conflicts(contenders, holders)
    symbols = [winner.symbol for winner in winners]
    assert len(symbols) == len(set(symbols))
    assert len(winners) + len(losers) == len(contenders)
    for winner in winners:
        holder = holders.get(winner.symbol)
        assert holder is None or (holder.strategy, holder.side) == (winner.strategy, winner.side)
    free = {c.symbol for c in contenders} - holders.keys()
    assert free <= set(symbols)


@given(st.lists(CONTENDERS, max_size=8, unique_by=repr))
def test_the_order_of_asking_does_not_matter(contenders: list[Contender]) -> None:
    forward = {repr(w) for w in resolve_conflicts(contenders, {})[0]}
    backward = {repr(w) for w in resolve_conflicts(contenders[::-1], {})[0]}
    assert forward == backward
