"""Expected funding of a hold: by hand-made sums."""

from __future__ import annotations

import numpy as np
import pytest

from models.strategies.receipts import expected_funding
from tests.strategies.hand_ticks import NOW, H

NEVER_FADES = 1e12


@pytest.mark.parametrize(
    ("until_h", "settlements"), [(0.999, 0), (1.0, 1), (8.999, 1), (9.0, 2), (24.0, 3), (25.0, 4)]
)
def test_every_settlement_of_the_hold_counts_its_interval(until_h, settlements):
    paid = expected_funding(0.0001, NOW + H, 8.0, NOW, NOW + int(until_h * H), NEVER_FADES)
    assert paid == pytest.approx(settlements * 0.0008, rel=1e-9)


def test_later_settlements_count_less_by_the_half_life():
    paid = expected_funding(0.0001, NOW + H, 4.0, NOW, NOW + 9 * H, 4.0)
    assert paid == pytest.approx(0.0004 * (1.0 + 0.5 + 0.25), rel=1e-12)


def test_intervals_of_two_venues_are_compared_per_hour():
    # 0.0004 every 8 h against 0.0003 every 4 h: -0.000025 an hour (REFERENCES 11), over 8 h -0.0002.
    own = expected_funding(0.0004 / 8.0, NOW + 8 * H, 8.0, NOW, NOW + 8 * H, NEVER_FADES)
    other = expected_funding(0.0003 / 4.0, NOW + 4 * H, 4.0, NOW, NOW + 8 * H, NEVER_FADES)
    assert own - other == pytest.approx(8 * -0.000025, rel=1e-9)


@pytest.mark.parametrize(
    ("rate", "settlement", "interval"),
    [(np.nan, NOW + H, 8.0), (1e-4, NOW, 8.0), (1e-4, 0, 8.0), (1e-4, NOW + H, np.nan), (1e-4, NOW + H, 0.0)],
)
def test_what_is_not_known_gives_no_number(rate, settlement, interval):
    assert np.isnan(expected_funding(rate, settlement, interval, NOW, NOW + 9 * H, 8.0))


def test_an_unknown_rate_is_unknown_even_before_the_first_settlement():
    assert np.isnan(expected_funding(np.nan, NOW + 9 * H, 8.0, NOW, NOW + H, 8.0))
