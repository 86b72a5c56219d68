"""What is seen of a market beyond its ticker: medians and sigma against NumPy, and ages in another clock's time."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hean_live.market.markets import Markets
from hean_live.market.sights import (
    LEAST_RETURNS,
    LEAST_SPREADS,
    UNSEEN,
    RollingMedian,
    SightBoard,
    at_market_time,
    sigma_of,
)
from models.execution.sight import MarketSight
from tests.live.streams.primed import SYMBOL, Past

NS = 1_000_000_000


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), max_size=60),
    st.integers(1, 12),
    st.integers(1, 6),
)
def test_the_median_of_the_last_values(values, size, least):
    rolling = RollingMedian(size, min(least, size))
    for value in values:
        rolling.take(value)
    held = [value for value in values if not math.isnan(value)][-size:]
    if len(held) < min(least, size):
        assert math.isnan(rolling.median)
    else:
        assert rolling.median == pytest.approx(float(np.median(held)), abs=1e-9)


@pytest.mark.parametrize("bars", [5, LEAST_RETURNS, LEAST_RETURNS + 1, 90, 128, 129, 1000])
def test_sigma_of_a_ring_of_closes(bars):
    walk = 100.0 * np.exp(np.cumsum(np.random.default_rng(bars).normal(0.0, 1e-3, bars)))
    ring = np.zeros(128)
    for number, price in enumerate(walk):
        ring[number % 128] = price
    sigma = sigma_of(ring, bars)
    if bars <= LEAST_RETURNS:
        assert math.isnan(sigma)
    else:
        assert sigma == pytest.approx(np.std(np.diff(np.log(walk[-128:])), ddof=1), rel=1e-9)


def test_ages_are_kept_when_times_become_the_venues():
    seen = MarketSight(1000 * NS, True, 990 * NS, spread_bps=2.0)
    told = at_market_time({"A": seen, "B": UNSEEN}, 50 * NS, lambda: 1003 * NS)
    assert (told["A"].book_at_ns, told["A"].open_interest_at_ns) == (47 * NS, 37 * NS)
    assert told["A"].spread_bps == 2.0
    assert told["B"] == UNSEEN


def test_the_board_shows_the_record_at_each_tick():
    past = Past.of_prices(100.0 + np.sin(np.arange(400) / 40.0), spread=0.2)
    markets = Markets([SYMBOL], [0.1])
    board = SightBoard(markets)
    spreads: list[float] = []

    def look(places: Sequence[int], at_ns: int) -> None:
        board.take(places, at_ns)
        spreads.append(float(markets.state[0]["market"]["spread_bps"]))

    markets.on_tick = look
    assert board.rows() == {SYMBOL: UNSEEN}
    medians = []
    for at_ns, _, payload in past.messages:
        markets.take(payload, at_ns)
        medians.append(board.rows()[SYMBOL].median_spread_bps)
    markets.take_ticks(past.messages[-1][0] + NS)
    row, market = board.rows()[SYMBOL], markets.state[0]["market"]
    assert row.book_valid
    assert row.spread_bps == spreads[-1]
    assert row.median_spread_bps == pytest.approx(np.median(spreads[-3600:]), rel=1e-12)
    assert math.isnan(medians[0])
    assert len(spreads) > 3600 > LEAST_SPREADS
    assert (row.book_at_ns, row.open_interest_at_ns) == (past.messages[-1][0], 0)
    # Eighty minutes of closes: sigma is known, the label of a hundred is not yet.
    minutes = np.array(
        [markets.state[0]["market"]["internal"]["closes"][k] for k in range(int(market["internal"]["bars"]))]
    )
    assert row.sigma_minute == pytest.approx(np.std(np.diff(np.log(minutes)), ddof=1), rel=1e-9)
    assert not row.is_trend


def test_a_gap_in_the_book_is_seen_at_the_next_tick():
    past = Past.of_prices(np.full(4, 100.0), spread=0.2)
    markets = Markets([SYMBOL], [0.1])
    board = SightBoard(markets)
    markets.on_tick = board.take
    for at_ns, _, payload in past.messages:
        markets.take(payload, at_ns)
    broken = json.loads(past.messages[-1][2])
    broken["type"], broken["data"]["u"] = "delta", broken["data"]["u"] + 5
    markets.take(json.dumps(broken).encode(), past.messages[-1][0] + NS)
    markets.take_ticks(past.messages[-1][0] + 2 * NS)
    row = board.rows()[SYMBOL]
    assert not row.book_valid
    assert math.isnan(row.spread_bps)
    assert row.book_at_ns == past.messages[-1][0]
