"""The parts of LPI by hand, and open interest as it arrives densely and sparsely."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.liquidity_pressure import (
    SWEEP,
    add_trade,
    forced_selling_index,
    liquidity_drain_ratio,
    liquidity_pressure,
    price_impact,
    start_window,
)
from models.market.features.open_interest import MOST_REPORTS, OPEN_INTEREST_STATE, fall, is_sparse, report
from models.market.features.records import new_record

SECOND = 1_000_000_000
THETA = 5e-4


def test_only_trades_beyond_the_touch_of_before_count() -> None:
    sweep = new_record(SWEEP)
    start_window(sweep, 100.0, 100.1)
    add_trade(sweep, -1, 99.95, 10.0, THETA)  # exactly theta beyond: not more
    add_trade(sweep, -1, 99.94, 10.0, THETA)
    add_trade(sweep, 1, 99.0, 10.0, THETA)
    add_trade(sweep, 1, 100.16, 2.0, THETA)
    assert sweep.sells_usd == pytest.approx(999.4)
    assert sweep.buys_usd == pytest.approx(200.32)
    start_window(sweep, 99.0, 99.1)
    assert (sweep.sells_usd, sweep.buys_usd) == (0.0, 0.0)


def test_an_unknown_touch_counts_nothing() -> None:
    for unknown in (math.nan, 0.0):
        sweep = new_record(SWEEP)
        start_window(sweep, unknown, unknown)
        add_trade(sweep, -1, 1.0, 10.0, THETA)
        add_trade(sweep, 1, 1e9, 10.0, THETA)
        assert (sweep.sells_usd, sweep.buys_usd) == (0.0, 0.0)


def test_forced_selling_index_by_hand() -> None:
    assert forced_selling_index(5000.0, 1000.0, 0.25, math.nan, math.nan, 0.5) == 20.0
    assert forced_selling_index(5000.0, 1000.0, 0.25, 1e-4, 1e-4, 0.5) == pytest.approx(
        20.0 * (1.0 + 0.5 * math.tanh(1.0))
    )
    assert math.isnan(forced_selling_index(5000.0, math.nan, 0.25, 0.0, 1.0, 0.5))


def test_drain_impact_and_index_by_hand() -> None:
    assert liquidity_drain_ratio(0.1, 100.0, 5.0, 10.0) == pytest.approx(0.002)
    assert math.isnan(liquidity_drain_ratio(0.1, 100.0, 0.0, 10.0))
    assert math.isnan(liquidity_drain_ratio(0.1, 100.0, 5.0, math.nan))
    assert price_impact(-0.01, 9000.0, 1000.0) == pytest.approx(1e-6)
    assert liquidity_pressure(4.0, 2.0, 1.0) == pytest.approx(2.8)
    assert math.isnan(liquidity_pressure(math.nan, 2.0, 1.0))


def test_fall_of_dense_open_interest() -> None:
    state = new_record(OPEN_INTEREST_STATE)
    assert math.isnan(fall(state, SECOND, SECOND, SECOND))
    for i in range(60):
        report(state, i * SECOND, 1000.0 - i)
        if i >= 11:
            now = i * SECOND + 1
            assert fall(state, now, 10 * SECOND, 900 * SECOND) == pytest.approx(10.0 / (1000.0 - i + 10))
            assert not is_sparse(state, now, 10 * SECOND)


def test_fall_of_sparse_open_interest_is_spread_evenly() -> None:
    state, lag = new_record(OPEN_INTEREST_STATE), 10 * SECOND
    report(state, 0, 1000.0)
    report(state, 300 * SECOND, 970.0)
    assert is_sparse(state, 301 * SECOND, lag)
    assert fall(state, 301 * SECOND, lag, 900 * SECOND) == pytest.approx(0.03 / 30)
    assert math.isnan(fall(state, 1201 * SECOND, lag, 900 * SECOND))


def test_reports_that_are_no_numbers_are_passed_over() -> None:
    state = new_record(OPEN_INTEREST_STATE)
    report(state, 0, 0.0)
    report(state, 0, math.nan)
    assert state.seen == 0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 9), st.floats(1.0, 1e6)), min_size=2, max_size=60))
def test_fall_against_a_plain_search(reports: list[tuple[int, float]]) -> None:
    state, now, seen, lag = new_record(OPEN_INTEREST_STATE), 0, [], 10
    for wait, value in reports:
        now += wait
        report(state, now, value)
        seen.append((now, value))
        if len(seen) >= 2:
            older = [v for at, v in seen if at <= now - lag]
            then = older[-1] if older else seen[0][1]
            assert fall(state, now, lag, 10**9) == pytest.approx((then - value) / then, rel=1e-12)


def test_more_reports_in_a_lag_than_are_kept() -> None:
    state = new_record(OPEN_INTEREST_STATE)
    for i in range(3 * MOST_REPORTS):
        report(state, i, 10_000.0 - i)
    oldest = 10_000.0 - 2 * MOST_REPORTS
    now = 3 * MOST_REPORTS
    assert fall(state, now, 10 * MOST_REPORTS, 10**9) == pytest.approx((MOST_REPORTS - 1) / oldest)
