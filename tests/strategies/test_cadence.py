"""Cooldown and daily cap at their edges."""

from __future__ import annotations

import pytest

from models.market.features.records import new_record
from models.strategies.cadence import CADENCE, may_signal, note_signal
from tests.strategies.hand_ticks import DAY, NOW, H, S


@pytest.mark.parametrize(("after_ns", "may"), [(4 * H - 1, False), (4 * H, True)])
def test_the_cooldown_ends_at_its_end(after_ns, may):
    cadence = new_record(CADENCE)
    assert may_signal(cadence, NOW, 4 * H, 6)
    note_signal(cadence, NOW)
    assert may_signal(cadence, NOW + after_ns, 4 * H, 6) == may


def test_the_cap_counts_a_utc_day():
    cadence = new_record(CADENCE)
    midnight = NOW // DAY * DAY
    for k in range(6):
        assert may_signal(cadence, midnight + k * S, S, 6)
        note_signal(cadence, midnight + k * S)
    assert not may_signal(cadence, midnight + DAY - 1, S, 6)
    assert may_signal(cadence, midnight + DAY, S, 6)
    note_signal(cadence, midnight + DAY)
    assert cadence.signals == 1
