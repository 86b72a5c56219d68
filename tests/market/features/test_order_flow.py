"""Best-level and depth measures against published quotes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.market.features.order_flow import TOUCH, depth_imbalance, ofi_step, queue_imbalance, weighted_mid
from models.market.features.records import new_record
from models.market.features.windows import FADING_MEAN, TICK_SUM, add_fading, add_tick, fading_mean
from tests.support import shared_path


def published() -> dict:
    return json.loads(shared_path("reference_vectors/microstructure.json").read_text())


def test_published_quotes() -> None:
    case, touch = published(), new_record(TOUCH)
    quotes = case["quotes_bid_bidsz_ask_asksz"]
    found = [ofi_step(touch, *map(float, quote)) for quote in quotes]
    assert found[0] == 0.0
    assert found[1:] == case["e"]
    assert sum(found) == case["ofi_total"]
    assert [queue_imbalance(q[1], q[3]) for q in quotes] == pytest.approx(case["queue_imbalance"], rel=1e-12)
    mids = [weighted_mid(*map(float, quote)) for quote in quotes]
    assert mids == pytest.approx(case["microprice"], rel=1e-12)


def test_published_depth() -> None:
    case = published()["depth"]
    bids = np.array([size for _, size in case["bids"]], dtype=float)
    asks = np.array([size for _, size in case["asks"]], dtype=float)
    for levels, wanted in case["imbalance_top_n"].items():
        assert depth_imbalance(bids, asks, int(levels)) == pytest.approx(wanted, rel=1e-12)
    assert depth_imbalance(bids, asks, 99) == depth_imbalance(bids, asks, 5)


def test_undefined_on_nothing() -> None:
    assert math.isnan(queue_imbalance(0.0, 0.0))
    assert math.isnan(weighted_mid(1.0, 0.0, 2.0, 0.0))
    assert math.isnan(depth_imbalance(np.zeros(2), np.zeros(2), 2))


@given(st.floats(0.0, 1e9), st.floats(0.0, 1e9))
def test_bounds(bid_size: float, ask_size: float) -> None:
    imbalance = queue_imbalance(bid_size, ask_size)
    if bid_size + ask_size > 0.0:
        assert -1.0 <= imbalance <= 1.0
        assert 100.0 - 1e-9 <= weighted_mid(100.0, bid_size, 101.0, ask_size) <= 101.0 + 1e-9


@given(st.lists(st.floats(-1e6, 1e6), max_size=60), st.integers(1, 16))
def test_sums_of_ticks(amounts: list[float], ticks: int) -> None:
    state = new_record(TICK_SUM)
    for i, amount in enumerate(amounts):
        found = add_tick(state, amount, ticks)
        assert found == pytest.approx(sum(amounts[max(0, i + 1 - ticks) : i + 1]), abs=1e-7)


def test_fading_mean_forgets_at_its_time_constant() -> None:
    state, second = new_record(FADING_MEAN), 1_000_000_000
    assert math.isnan(fading_mean(state, 0.0))
    for i in range(5000):
        add_fading(state, second * (1 + i), 3.0, 1.0, 100.0)
    assert fading_mean(state, 10.0) == pytest.approx(3.0)
    for i in range(100):
        add_fading(state, second * (5001 + i), 0.0, 1.0, 100.0)
    assert fading_mean(state, 10.0) == pytest.approx(3.0 * math.exp(-1.0), rel=0.01)


def test_no_mean_before_its_least_span() -> None:
    state = new_record(FADING_MEAN)
    add_fading(state, 1_000_000_000, 1.0, 1.0, 10.0)
    add_fading(state, 3_000_000_000, 1.0, 1.0, 10.0)
    assert math.isnan(fading_mean(state, 2.5))
    assert fading_mean(state, 2.0) == pytest.approx(1.0)
