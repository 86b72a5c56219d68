from __future__ import annotations

import pytest

from models.gates.records import Block, Pass
from models.gates.session import HOUR_NS, SESSION_HOURS, SessionRules, session_gate
from models.market.features.session import is_golden_hour
from tests.gates.facts import DAY, facts, fine

RULES = SessionRules()


@pytest.mark.parametrize(
    ("hour", "passes"), [(0.0, False), (8.999, False), (9.0, True), (15.999, True), (16.0, False)]
)
def test_golden_hour_at_its_edges(hour: float, passes: bool) -> None:
    answer = session_gate(fine(), facts(now_ns=DAY + int(hour * HOUR_NS)), RULES)
    assert isinstance(answer, Pass) is passes


def test_golden_hour_is_the_features() -> None:
    for minute in range(0, 24 * 60, 7):
        now_ns = DAY + minute * HOUR_NS // 60
        answer = session_gate(fine(), facts(now_ns=now_ns), RULES)
        assert isinstance(answer, Pass) is bool(is_golden_hour(now_ns))


def test_words_name_the_hours() -> None:
    assert session_gate(fine(), facts(now_ns=DAY + HOUR_NS // 2), RULES) == Block(
        "GOLDEN_HOUR", "entries should be made from 09:00 to 16:00 UTC, was 00:30"
    )


def test_strategies_without_hours_enter_at_any() -> None:
    for name in ("impact_reversion", "funding_pressure", "inventory_neutral_mm"):
        assert isinstance(session_gate(fine(strategy=name), facts(now_ns=DAY), RULES), Pass)


def test_the_other_setting_and_hours_over_midnight() -> None:
    sessions = SessionRules(SESSION_HOURS)
    assert isinstance(
        session_gate(fine(strategy="enhanced_grid"), facts(now_ns=DAY + 3 * HOUR_NS), sessions), Pass
    )
    assert isinstance(
        session_gate(fine(strategy="momentum_trader"), facts(now_ns=DAY + 3 * HOUR_NS), sessions), Block
    )
    night = SessionRules({"impulse_engine": (22.0, 2.0)})
    for hour, passes in ((21, False), (22, True), (0, True), (1, True), (2, False)):
        answer = session_gate(fine(), facts(now_ns=DAY + hour * HOUR_NS), night)
        assert isinstance(answer, Pass) is passes
