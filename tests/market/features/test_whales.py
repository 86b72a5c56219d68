"""Sizes against a plain median, classes, impacts of planted whales, and whale CVD by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.log_bins import RELATIVE_ERROR
from models.market.features.records import new_record
from models.market.features.whale_cvd import WHALE_CVD, add_trade, close_period, whale_cvd, whale_intensity
from models.market.features.whales import (
    ARBITRAGE,
    IMPACT,
    INSTITUTIONAL,
    MARKET_MAKER,
    NO_CLASS,
    RETAIL,
    TRADE_SIZES,
    TRADES,
    add_size,
    crosses,
    follow_impacts,
    order_multiple,
    participant,
    size_multiple,
    start_impact,
)

MS = 1_000_000


def test_multiples_of_the_rolling_median() -> None:
    sizes = np.random.default_rng(1).lognormal(6.0, 1.5, 3 * TRADES)
    state = new_record(TRADE_SIZES)
    for i, size in enumerate(sizes):
        if i >= 200 and i % 61 == 0:
            window = np.sort(sizes[max(0, i - TRADES) : i])
            lower = window[(len(window) - 1) // 2]
            assert size_multiple(state, 10.0 * lower, 200) == pytest.approx(10.0, rel=1.01 * RELATIVE_ERROR)
        add_size(state, size)


def test_no_multiple_before_the_least_trades() -> None:
    state = new_record(TRADE_SIZES)
    for _ in range(199):
        add_size(state, 100.0)
    assert math.isnan(size_multiple(state, 1e6, 200))
    add_size(state, 100.0)
    assert size_multiple(state, 1e6, 200) > 20.0


def test_prints_of_one_time_and_side_are_one_order() -> None:
    state = new_record(TRADE_SIZES)
    for i in range(300):
        order_multiple(state, i, 1, 100.0, 200)
    at = 1000
    assert order_multiple(state, at, -1, 900.0, 200) == pytest.approx(9.0, rel=0.01)
    assert not crosses(state, 10.0)
    assert order_multiple(state, at, -1, 600.0, 200) == pytest.approx(15.0, rel=0.01)
    assert crosses(state, 10.0)
    assert order_multiple(state, at, -1, 600.0, 200) == pytest.approx(21.0, rel=0.01)
    assert not crosses(state, 10.0)
    assert crosses(state, 20.0)
    # The other side, or another time, is another order; the median holds orders, the one under way not among them.
    assert order_multiple(state, at, 1, 600.0, 200) == pytest.approx(6.0, rel=0.01)
    assert order_multiple(state, at + 1, 1, 600.0, 200) == pytest.approx(6.0, rel=0.01)
    assert state.seen == 302


def test_no_order_crosses_before_the_median_is_known() -> None:
    state = new_record(TRADE_SIZES)
    assert math.isnan(order_multiple(state, 1, 1, 1e6, 200))
    assert not crosses(state, 10.0)


@pytest.mark.parametrize(
    ("multiple", "side", "pause", "previous", "basis", "wanted"),
    [
        (math.nan, 1, 0, 0, 0.0, NO_CLASS),
        (12.0, 1, 0, -1, math.nan, INSTITUTIONAL),
        (3.0, -1, 10**9, 1, 0.001, ARBITRAGE),
        (3.0, 1, 10**9, 1, 0.001, RETAIL),
        (1.0, 1, 50 * MS, -1, math.nan, MARKET_MAKER),
        (1.0, 1, 150 * MS, -1, math.nan, RETAIL),
        (1.0, 1, 50 * MS, 1, math.nan, RETAIL),
    ],
)
def test_classes(multiple: float, side: int, pause: int, previous: int, basis: float, wanted: int) -> None:
    assert participant(multiple, side, pause, previous, basis, 5e-4) == wanted


@pytest.mark.parametrize("side", [1, -1])
def test_impact_and_the_way_back(side: int) -> None:
    state = new_record(IMPACT)
    start_impact(state, 0, side, 100.0)
    # 10 bps at once, a quarter of it back at each horizon.
    path = {100: 0.1, 350: 0.1, 500: 0.075, 1000: 0.05, 2000: 0.025, 5000: 0.0}
    assert state.latest == 0
    for at, away in path.items():
        follow_impacts(state, at * MS, 100.0 + side * away, 100 * MS)
        assert state.latest == 1
    assert state.impact_bps[0] == pytest.approx(10.0)
    assert state.reversion_bps[0] == pytest.approx([2.5, 5.0, 7.5, 10.0])
    assert state.stage[0] == 5


def test_undefined_mids_are_waited_out_and_whales_overlap() -> None:
    state = new_record(IMPACT)
    start_impact(state, 0, 1, 100.0)
    start_impact(state, 50 * MS, -1, 100.0)
    follow_impacts(state, 120 * MS, math.nan, 100 * MS)
    assert state.latest == 0
    follow_impacts(state, 130 * MS, 100.02, 100 * MS)
    assert state.latest == 1
    follow_impacts(state, 160 * MS, 100.01, 100 * MS)
    assert state.latest == 2
    assert state.impact_bps[:2] == pytest.approx([2.0, -1.0])
    for number in range(9):
        start_impact(state, 200 * MS + number, 1, 100.0)
    assert state.started == 11
    follow_impacts(state, 10_000 * MS, 101.0, 100 * MS)
    assert (state.stage == 5).all()


def test_whale_cvd_by_hand() -> None:
    state = new_record(WHALE_CVD)
    flows = [(60, 40), (50, 50), (40, 60), (500, 100), (10, 20)]
    for buys, sells in flows:
        add_trade(state, 1, float(buys))
        add_trade(state, -1, float(sells))
        close_period(state, 5, 3.0)
    assert whale_cvd(state, 5) == 400.0
    assert whale_intensity(state, 5) == pytest.approx(100.0 * 400 / 930)
    for _ in range(4):
        close_period(state, 5, 3.0)
    assert whale_cvd(state, 5) == 0.0


def test_whale_cvd_is_undefined_before_the_window_is_full() -> None:
    state = new_record(WHALE_CVD)
    for _ in range(4):
        close_period(state, 5, 3.0)
    assert math.isnan(whale_cvd(state, 5))
    close_period(state, 5, 3.0)
    assert whale_cvd(state, 5) == 0.0
    assert math.isnan(whale_intensity(state, 5))  # nothing traded


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=60), st.integers(1, 9))
def test_intensity_is_a_gauge(flows: list[tuple[int, int]], periods: int) -> None:
    state = new_record(WHALE_CVD)
    for buys, sells in flows:
        add_trade(state, 1, float(buys))
        add_trade(state, -1, float(sells))
        close_period(state, periods, 3.0)
        gauge = whale_intensity(state, periods)
        assert math.isnan(gauge) or 0.0 <= gauge <= 100.0
