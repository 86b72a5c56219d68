"""G13: a strategy with too many unanswered requests waits, and nobody sends when no request is left.

Whose turn it is among several is settled when requests are sent, by the same `share_slots`.
"""

from __future__ import annotations

from models.execution.fair_slots import SlotRules, SlotState, share_slots
from models.gates.records import Block, Candidate, Facts, Pass


def slot_gate(candidate: Candidate, facts: Facts, rules: SlotRules) -> Pass | Block:
    """Block a candidate for which there is no request now: ``NO_SLOT``.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : SlotRules

    Returns
    -------
    Pass or Block
        A strategy that is not counted has nothing in flight.

    """
    name, account = candidate.strategy, facts.account
    waiting = account.in_flight.get(name, 0)
    granted, _ = share_slots({name: 1}, {name: waiting}, account.free_slots, SlotState(), rules)
    words = f"{waiting} unanswered of at most {rules.most_in_flight}, {account.free_slots} requests free"
    return Pass(words) if granted[name] else Block("NO_SLOT", f"a request should be free: {words}")
