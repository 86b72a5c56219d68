"""Runs that are a cascade and runs that are not."""

from __future__ import annotations

import math

import pytest

from models.market.features.cascade import CASCADE, cascade_side, is_oi_spike, on_trade
from models.market.features.records import new_record

SECOND = 1_000_000_000


def feed(trades: list[tuple[float, int, float]]) -> list[bool]:
    state = new_record(CASCADE)
    return [
        on_trade(state, int(at * SECOND), side, multiple, 3.0, 5, 10 * SECOND, 300 * SECOND)
        for at, side, multiple in trades
    ]


def test_five_big_ones_in_a_row_with_small_ones_between() -> None:
    trades = [(1.0, -1, 4.0), (1.1, 1, 0.5), (2.0, -1, 3.0), (3.0, -1, 9.0), (4.0, -1, 5.0), (5.0, -1, 4.0)]
    assert feed(trades) == [False] * 5 + [True]


@pytest.mark.parametrize(
    "breaker", [(3.5, 1, 4.0), (3.5, -1, math.nan)], ids=["other side", "undefined size"]
)
def test_a_big_trade_of_the_other_side_breaks(breaker: tuple[float, int, float]) -> None:
    trades = [(float(i), -1, 4.0) for i in range(1, 4)] + [breaker] + [(4.0, -1, 4.0), (5.0, -1, 4.0)]
    assert any(feed(trades)) == math.isnan(breaker[2])


def test_the_levels_of_one_order_are_one_trade() -> None:
    # One order on six levels is one big trade; two of 2 medians with one time stamp are one of 4.
    assert not any(feed([(1.0, -1, 4.0)] * 6))
    halves = [(float(i), 1, 2.0) for i in range(1, 6) for _ in range(2)]
    assert feed(halves) == [False] * 9 + [True]
    assert not any(feed([(float(i), 1 - 2 * k, 2.0) for i in range(1, 9) for k in range(2)]))


def test_a_pause_breaks() -> None:
    assert not any(feed([(1.0, 1, 4.0), (2.0, 1, 4.0), (3.0, 1, 4.0), (14.0, 1, 4.0), (15.0, 1, 4.0)]))


def test_alive_for_its_time_and_renewed() -> None:
    state = new_record(CASCADE)
    for i in range(5):
        on_trade(state, i * SECOND, 1, 4.0, 3.0, 5, 10 * SECOND, 300 * SECOND)
    assert cascade_side(state, 5 * SECOND) == 1
    assert cascade_side(state, 304 * SECOND - 1) == 1
    assert cascade_side(state, 304 * SECOND) == 0
    again = on_trade(state, 10 * SECOND, 1, 4.0, 3.0, 5, 10 * SECOND, 300 * SECOND)
    assert not again
    assert cascade_side(state, 309 * SECOND) == 1
    assert state.detected == 1


def test_open_interest_spikes_either_way() -> None:
    assert is_oi_spike(3.5, 3.0)
    assert is_oi_spike(-3.5, 3.0)
    assert not is_oi_spike(2.9, 3.0)
    assert not is_oi_spike(math.nan, 3.0)
