"""Sessions by UTC hour, at their edges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.market.features.session import (
    ASIA,
    EUROPE,
    OFF,
    SESSION_NAMES,
    US,
    hour_of_day,
    is_golden_hour,
    session_of,
)


def ns(hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 3, 4, hour, minute, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("hour", "wanted"), [(0, ASIA), (8, EUROPE), (14, US), (22, OFF)], ids=["00", "08", "14", "22"]
)
def test_a_session_owns_its_first_instant(hour: int, wanted: int) -> None:
    assert session_of(ns(hour)) == wanted
    before = session_of(ns(hour) - 1)
    assert before != wanted
    assert {wanted, before} <= set(SESSION_NAMES)


def test_golden_hour() -> None:
    assert [is_golden_hour(t) for t in (ns(9) - 1, ns(9), ns(16) - 1, ns(16))] == [False, True, True, False]


def test_hour_of_day() -> None:
    assert hour_of_day(ns(13, 30)) == pytest.approx(13.5)
    day = ns(13, 30) + int(timedelta(days=1).total_seconds()) * 1_000_000_000
    assert hour_of_day(day) == pytest.approx(13.5)
