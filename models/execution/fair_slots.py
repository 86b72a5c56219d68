"""Fair slots (G13): order requests shared between strategies, so that fast ones do not starve slow ones.

Deficit round robin (Shreedhar and Varghese 1995) with requests of one size: strategies take turns in a fixed order, a turn
is worth a quantum of requests, and one cut short by an empty budget goes on where it stopped. A strategy that wants nothing
keeps no credit. One with too many unanswered requests is passed over until the venue has answered. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SlotRules:
    """`quantum` of a turn in requests, at least 1, and the most unanswered requests of one strategy."""

    quantum: int = 3
    most_in_flight: int = 10


@dataclass(frozen=True)
class SlotState:
    """Whose turn it is (``""`` before the first), and how many requests are left of it."""

    turn: str = ""
    credit: int = 0


def share_slots(
    wanted: Mapping[str, int],
    in_flight: Mapping[str, int],
    slots: int,
    state: SlotState,
    rules: SlotRules,
) -> tuple[dict[str, int], SlotState]:
    """Grant requests.

    Parameters
    ----------
    wanted, in_flight : mapping of str to int
        Requests each strategy would send, and those it has sent without an answer.
    slots : int
        How many may be sent now.
    state : SlotState
        Of the last call.
    rules : SlotRules

    Returns
    -------
    granted : dict of str to int
        How many requests each strategy may send.
    state : SlotState

    Notes
    -----
    A strategy that wants and may is served before any other has been granted more than one quantum since it began to
    want, apart from what was left of the turn under way.

    """
    may = {name: min(count, rules.most_in_flight - in_flight.get(name, 0)) for name, count in wanted.items()}
    granted = dict.fromkeys(wanted, 0)
    left, turn, credit = slots, state.turn, state.credit
    waiting = sorted(name for name, count in may.items() if count > 0)
    while left > 0 and waiting:
        if turn not in waiting or credit <= 0:
            turn = next((name for name in waiting if name > turn), waiting[0])
            credit = rules.quantum
        count = min(credit, left, may[turn] - granted[turn])
        granted[turn] += count
        left -= count
        credit -= count
        if granted[turn] == may[turn]:
            waiting.remove(turn)
            credit = 0
    return granted, SlotState(turn, credit)
