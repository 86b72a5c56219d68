from __future__ import annotations

import pytest

from models.gates.pace import DAY_NS, PACES, Pace, PaceRules, pace_gate, remember_entry
from models.gates.records import NANOSECONDS, Block, Entries, Pass
from tests.gates.facts import DAY, NOON, SYMBOL, facts, fine


@pytest.mark.parametrize(
    ("strategy", "cooldown_s"),
    [
        ("funding_harvester", 4 * 3600),
        ("impulse_engine", 120),
        ("hf_scalping", 30),
        ("liquidity_sweep", 900),
        ("impact_reversion", 5),
        ("momentum_trader", 60),
    ],
)
def test_cooldowns_at_their_edges(strategy: str, cooldown_s: int) -> None:
    entries = remember_entry({}, strategy, SYMBOL, NOON)
    candidate = fine(strategy=strategy)
    for now_ns, blocks in (
        (NOON + cooldown_s * NANOSECONDS - 1, True),
        (NOON + cooldown_s * NANOSECONDS, False),
    ):
        answer = pace_gate(candidate, facts(account={"entries": entries}, now_ns=now_ns), PaceRules())
        assert isinstance(answer, Block) is blocks
        assert not isinstance(answer, Block) or answer.reason == "COOLDOWN"


def test_a_cooldown_is_the_symbols_and_the_strategys_own() -> None:
    entries = remember_entry(
        remember_entry({}, "impulse_engine", "BTCUSDT", NOON), "hf_scalping", SYMBOL, NOON
    )
    assert isinstance(pace_gate(fine(), facts(account={"entries": entries}), PaceRules()), Pass)


def test_daily_cap_counts_all_symbols_of_the_utc_day() -> None:
    entries: dict = {}
    for hour, symbol in enumerate(["A", "B", "C", "A", "B", "C"]):
        entries = remember_entry(entries, "funding_harvester", symbol, DAY + hour * 3600 * NANOSECONDS)
    assert entries[("funding_harvester", "A")] == Entries(DAY + 3 * 3600 * NANOSECONDS, DAY // DAY_NS, 2)
    candidate = fine(strategy="funding_harvester")
    at_night = facts(account={"entries": entries}, now_ns=DAY + DAY_NS - 1)
    answer = pace_gate(candidate, at_night, PaceRules())
    assert isinstance(answer, Block)
    assert answer.reason == "DAILY_CAP"
    next_day = facts(account={"entries": entries}, now_ns=DAY + DAY_NS)
    assert pace_gate(candidate, next_day, PaceRules()) == Pass("entry 1 of at most 6 today")


def test_a_new_day_counts_anew() -> None:
    entries = remember_entry({}, "impulse_engine", SYMBOL, DAY)
    entries = remember_entry(entries, "impulse_engine", SYMBOL, DAY + DAY_NS)
    assert entries[("impulse_engine", SYMBOL)].count == 1


def test_numbers_are_rules() -> None:
    never = PaceRules({"impulse_engine": Pace(0.0, 0)})
    assert isinstance(pace_gate(fine(), facts(), never), Block)
    assert PACES["funding_harvester"] == Pace(14400.0, 6)
