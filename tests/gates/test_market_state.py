from __future__ import annotations

import pytest

from models.execution.market_gates import CrashRules, PriceHistory, PricePoint
from models.gates.market_state import DataRules, crash_gate, data_gate
from models.gates.records import NANOSECONDS, Block, Pass
from tests.gates.facts import NOON, facts, fine

FALLING = PriceHistory(
    (PricePoint(NOON - 300 * NANOSECONDS, 60000.0),), PricePoint(NOON - NANOSECONDS, 59000.0)
)


@pytest.mark.parametrize(
    ("symbol", "side", "reason"),
    [
        ("ETHUSDT", 1, "BTC_CRASH"),
        ("ETHUSDT", 0, "BTC_CRASH"),
        ("ETHUSDT", -1, None),
        ("BTCUSDT", 1, None),
    ],
)
def test_crash_of_btc(symbol: str, side: int, reason: str | None) -> None:
    answer = crash_gate(fine(symbol=symbol, side=side), facts({"btc": FALLING}), CrashRules())
    assert (answer.reason if isinstance(answer, Block) else None) == reason


def test_without_btc_nothing_is_filtered() -> None:
    assert isinstance(crash_gate(fine(), facts({"btc": PriceHistory()}), CrashRules()), Pass)


@pytest.mark.parametrize(
    ("changes", "candidate", "reason"),
    [
        ({}, {}, None),
        ({"sight": {"book_valid": False}}, {}, "BOOK_INVALID"),
        ({"sight": {"book_at_ns": NOON - 10 * NANOSECONDS}}, {}, None),
        ({"sight": {"book_at_ns": NOON - 10 * NANOSECONDS - 1}}, {}, "STALE_BOOK"),
        ({"sight": {"open_interest_at_ns": NOON - 301 * NANOSECONDS}}, {}, "STALE_OPEN_INTEREST"),
        ({"sight": {"open_interest_at_ns": 0}}, {}, "STALE_OPEN_INTEREST"),
        ({}, {"forecast_at_ns": NOON - 900 * NANOSECONDS}, None),
        ({}, {"forecast_at_ns": NOON - 900 * NANOSECONDS - 1}, "STALE_FORECAST"),
        ({}, {"at_ns": NOON - 61 * NANOSECONDS}, "STALE_SIGNAL"),
    ],
)
def test_stale_data(changes, candidate, reason: str | None) -> None:
    answer = data_gate(fine(**candidate), facts(**changes), DataRules())
    assert (answer.reason if isinstance(answer, Block) else None) == reason
