from __future__ import annotations

import pytest

from models.execution.fair_slots import SlotRules
from models.gates.records import Block, Pass
from models.gates.slots import slot_gate
from tests.gates.facts import facts, fine


@pytest.mark.parametrize(
    ("waiting", "free", "passes"), [(0, 1, True), (9, 1, True), (10, 8, False), (0, 0, False)]
)
def test_slots_at_their_edges(waiting: int, free: int, passes: bool) -> None:
    account = {"in_flight": {"impulse_engine": waiting, "hf_scalping": 10}, "free_slots": free}
    answer = slot_gate(fine(), facts(account=account), SlotRules())
    assert isinstance(answer, Pass) is passes
    assert not isinstance(answer, Block) or answer.reason == "NO_SLOT"
