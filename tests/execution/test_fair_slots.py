"""Fair slots: nobody starves, nobody gets more than asked or allowed, and rates hold across strategies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.execution.fair_slots import SlotRules, SlotState, share_slots
from models.execution.memory import WorkMemory
from models.execution.sharing import Request, SharingRules, sendable
from tests.execution.situations import NOW, NS

NAMES = ("S1", "S2", "S5", "S6")
RULES = SlotRules(quantum=2, most_in_flight=5)


def test_turns_of_a_quantum_go_round():
    granted, state = share_slots({"S1": 9, "S2": 9}, {}, 5, SlotState(), RULES)
    assert granted == {"S1": 3, "S2": 2}  # two, two, and one of the next turn
    assert state == SlotState("S1", 1)
    granted, _ = share_slots({"S1": 9, "S2": 9}, {}, 3, state, RULES)
    assert granted == {"S1": 1, "S2": 2}


def test_slots_nobody_else_wants_are_not_lost():
    assert share_slots({"S1": 4, "S2": 0}, {}, 9, SlotState(), RULES)[0] == {"S1": 4, "S2": 0}


def test_a_strategy_with_too_much_unanswered_waits():
    granted, _ = share_slots({"S1": 9, "S2": 1}, {"S1": 4}, 9, SlotState(), RULES)
    assert granted == {"S1": 1, "S2": 1}
    assert share_slots({"S1": 9}, {"S1": 5}, 9, SlotState(), RULES)[0] == {"S1": 0}


rounds = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.dictionaries(st.sampled_from(NAMES), st.integers(0, 30)),
        st.dictionaries(st.sampled_from(NAMES), st.integers(0, 7)),
    ),
    max_size=30,
)


@given(rounds, st.integers(1, 5), st.integers(1, 10))
def test_nobody_starves_and_nobody_is_given_too_much(steps, quantum, most):
    rules, state = SlotRules(quantum, most), SlotState()
    passed: dict[
        str, dict[str, int]
    ] = {}  # by waiting strategy: what others were granted since it began to wait
    for slots, wanted, in_flight in steps:
        granted, state = share_slots(wanted, in_flight, slots, state, rules)
        assert sum(granted.values()) <= max(slots, 0)
        able = {n: min(c, most - in_flight.get(n, 0)) for n, c in wanted.items()}
        assert all(count <= max(able[name], 0) for name, count in granted.items())
        # Nothing is left idle while somebody could use it.
        assert sum(granted.values()) == min(slots, sum(max(count, 0) for count in able.values()))
        for name in NAMES:
            if able.get(name, 0) <= 0 or granted.get(name, 0) > 0:
                passed.pop(name, None)
                continue
            others = passed.setdefault(name, {})
            for other, count in granted.items():
                others[other] = others.get(other, 0) + count
            # One turn, and what was left of the turn under way.
            assert all(count <= 2 * quantum for count in others.values())


def test_exits_are_never_held_back_and_leave_entries_the_rest():
    memory, rules = WorkMemory(), SharingRules(places_per_s=3)
    wanted = [Request("S1", False, False)] * 4 + [Request("S1", False, True)] * 2
    assert sendable(wanted, {}, NOW, memory, rules) == [True, False, False, False, True, True]
    assert sendable(wanted, {}, NOW + 1, memory, rules) == [False] * 4 + [True] * 2
    assert sendable(wanted[:4], {}, NOW + 1 + NS, memory, rules) == [True, True, True, False]


def test_cancels_have_a_rate_of_their_own():
    memory, rules = WorkMemory(), SharingRules(places_per_s=1, cancels_per_s=2)
    wanted = [Request("S1", False, False), *[Request("S1", True, False)] * 3]
    assert sendable(wanted, {"S1": 99}, NOW, memory, rules) == [False, True, True, False]


@given(
    st.lists(
        st.tuples(
            st.integers(0, NS), st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), max_size=12)
        ),
        max_size=15,
    )
)
def test_rates_hold_over_time(steps):
    memory, rules, now_ns = WorkMemory(), SharingRules(places_per_s=5, cancels_per_s=3), NOW
    sent: dict[bool, list[int]] = {False: [], True: []}
    for wait_ns, requests in steps:
        now_ns += wait_ns
        wanted = [Request(name, is_cancel, False) for name, is_cancel in requests]
        for request, sends in zip(wanted, sendable(wanted, {}, now_ns, memory, rules), strict=True):
            sent[request.is_cancel] += [now_ns] * sends
    for is_cancel, limit in ((False, 5), (True, 3)):
        times = sent[is_cancel]
        assert all(sum(t <= other < t + NS for other in times) <= limit for t in times)
