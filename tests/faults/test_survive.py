"""A handful of what the benchmark does thousands of times: kills of a real process, bent messages."""

from __future__ import annotations

import logging

import pytest

from benchmarks.survive_kills import survive_kills
from benchmarks.survive_messages import survive_messages
from tests.support import SHARED


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_a_killed_process_neither_doubles_nor_loses():
    result = survive_kills(6)
    assert (result["broken"], result["died"], result["journal_readable"]) == ([], [], True)
    assert (result["doubled"], result["lost"], result["orphaned"]) == (0, 0, 0)
    assert result["venue_orders"] > 0


def test_bent_messages_neither_crash_nor_trade():
    result = survive_messages(2_500, fixtures=SHARED / "fixtures" / "bybit")
    assert result["crash_kinds"] == {}
    assert result["orders_from_bad_messages"] == 0
    assert result["position_kept"]
