"""Which of the requests wanted now are sent: within each endpoint's rate, fairly between strategies (X1, G13).

What is not sent is wanted again at the next decision, since every decision is made anew. Pure but for the memory given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models.execution.fair_slots import SlotRules, share_slots
from models.execution.memory import WorkMemory
from models.execution.rate_budget import RateBudget, Room


@dataclass(frozen=True)
class SharingRules:
    """Requests per second we send to each endpoint, below the venue's limit of ten, and how they are shared."""

    places_per_s: int = 8
    cancels_per_s: int = 8
    slots: SlotRules = field(default_factory=SlotRules)


class Request(NamedTuple):
    """One request: whose it is, to which endpoint, and whether it is an exit, which nothing holds back."""

    strategy: str
    is_cancel: bool
    is_urgent: bool


def room_of(memory: WorkMemory, now_ns: int, rules: SharingRules) -> Room:
    """Return how many requests may be sent now."""
    return Room(
        RateBudget(rules.places_per_s, memory.placed_ns).available(now_ns),
        RateBudget(rules.cancels_per_s, memory.cancelled_ns).available(now_ns),
    )


def sendable(
    requests: Sequence[Request],
    in_flight: Mapping[str, int],
    now_ns: int,
    memory: WorkMemory,
    rules: SharingRules,
) -> list[bool]:
    """Decide for each request whether it is sent now.

    Parameters
    ----------
    requests : sequence of Request
        In their order; of one strategy the first are sent first.
    in_flight : mapping of str to int
        Orders of each strategy whose fate the venue has not told yet.
    now_ns : int
    memory : WorkMemory
        Changed in place: what is sent counts for a second, and turns move on.
    rules : SharingRules

    Returns
    -------
    list of bool
        True for every urgent request; of the others no more than the rates leave.

    """
    room = room_of(memory, now_ns, rules)
    answers = [False] * len(requests)
    for is_cancel in (False, True):
        mine = [(i, request) for i, request in enumerate(requests) if request.is_cancel == is_cancel]
        urgent = [i for i, request in mine if request.is_urgent]
        wanted = Counter(request.strategy for _, request in mine if not request.is_urgent)
        slots = (room.cancels if is_cancel else room.places) - len(urgent)
        state = memory.cancel_slots if is_cancel else memory.place_slots
        # A cancel adds nothing unanswered: only orders whose fate is open hold a strategy back.
        flight = {} if is_cancel else in_flight
        granted, state = share_slots(wanted, flight, slots, state, rules.slots)
        for i, request in mine:
            if not request.is_urgent and granted[request.strategy] > 0:
                granted[request.strategy] -= 1
                answers[i] = True
        for i in urgent:
            answers[i] = True
        sent = sum(answers[i] for i, _ in mine)
        if is_cancel:
            memory.cancel_slots = state
            memory.cancelled_ns = _spent(rules.cancels_per_s, memory.cancelled_ns, now_ns, sent)
        else:
            memory.place_slots = state
            memory.placed_ns = _spent(rules.places_per_s, memory.placed_ns, now_ns, sent)
    return answers


def _spent(per_s: int, sent_ns: tuple[int, ...], now_ns: int, count: int) -> tuple[int, ...]:
    return RateBudget(per_s, sent_ns).spent(now_ns, count).sent_ns
