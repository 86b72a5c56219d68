"""Retail flow: by hand, against plain Python over a tape, and at the edges of what is small."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.feature_params import SECOND_NS, FeatureParams, params_record
from models.market.feature_spec import FEATURE_NAMES
from models.market.features.log_bins import bin_of, middle_of
from models.market.features.records import new_record
from models.market.features.retail_flow import RETAIL_FLOW, add_order, close_period, retail_imbalance
from models.market.features.whales import NOTIONAL_UNIT, TRADE_SIZES, TRADES, ends_order, order_multiple
from models.market.step import features_of
from models.market.tape import TRADE
from tests.market.features.make_tape import TICK_SIZE, make_tape

SMALL = FeatureParams(whale_least_trades=20, cvd_periods=10)


@pytest.mark.parametrize("multiple", [1.0, 0.2])
def test_up_to_the_limit_an_order_is_small(multiple: float) -> None:
    state = new_record(RETAIL_FLOW)
    add_order(state, multiple, 1, 300.0, 1.0)
    add_order(state, multiple, -1, 100.0, 1.0)
    add_order(state, 1.0001, -1, 500.0, 1.0)
    add_order(state, math.nan, -1, 1e9, 1.0)
    assert math.isnan(retail_imbalance(state, 1))
    close_period(state, 1)
    assert retail_imbalance(state, 1) == 0.5


def test_the_window_moves_and_empties() -> None:
    state = new_record(RETAIL_FLOW)
    for side in (1, 1, -1):
        add_order(state, 0.5, side, 0.1, 1.0)
        close_period(state, 3)
    assert retail_imbalance(state, 3) == pytest.approx(1 / 3)
    close_period(state, 3)
    assert retail_imbalance(state, 3) == pytest.approx(0.0, abs=1e-12)
    close_period(state, 3)
    assert retail_imbalance(state, 3) == pytest.approx(-1.0)
    # Nothing left in it: not a zero made of rounding.
    close_period(state, 3)
    assert math.isnan(retail_imbalance(state, 3))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.floats(1e-6, 1e9)), max_size=60), st.integers(1, 9))
def test_it_is_a_share(orders: list[tuple[bool, float]], periods: int) -> None:
    state = new_record(RETAIL_FLOW)
    for buys, notional in orders:
        add_order(state, 1.0, 1 if buys else -1, notional, 1.0)
        close_period(state, periods)
        share = retail_imbalance(state, periods)
        assert math.isnan(share) == (state.periods_closed < periods)
        assert math.isnan(share) or -1.0 <= share <= 1.0


def test_an_order_is_over_with_the_next_one() -> None:
    sizes = new_record(TRADE_SIZES)
    assert not ends_order(sizes, 5, 1)
    order_multiple(sizes, 5, 1, 10.0, 1)
    assert not ends_order(sizes, 5, 1)
    assert ends_order(sizes, 5, -1)
    assert ends_order(sizes, 6, 1)


def _plainly(events: np.ndarray, times: np.ndarray, params: FeatureParams) -> list[float]:
    """Return the imbalance at every tick, with lists and a sorted median in place of rings and bins."""
    trades = events[events["kind"] == TRADE]
    sizes: deque[float] = deque(maxlen=TRADES)
    periods: list[list[tuple[int, float]]] = [[]]
    order: list[float] = []
    key, i, out, share = (0, 0), 0, [], math.nan
    for at in times.tolist():
        while i < len(trades) and trades["local_ts"][i] < at:
            row = trades[i]
            now = (int(row["exch_ts"]), int(row["side"]))
            if order and now != key:
                held = sorted(sizes)
                if len(held) >= params.whale_least_trades:
                    # The median to the width of a bin, as F9 has it.
                    middle = middle_of(bin_of(held[(len(held) - 1) // 2], NOTIONAL_UNIT), NOTIONAL_UNIT)
                    if sum(order) / middle <= params.retail_multiple:
                        periods[-1].append((key[1], sum(order)))
                sizes.append(sum(order))
                order = []
            key = now
            order.append(float(row["price"]) * float(row["size"]))
            i += 1
        if at % params.cvd_period_ns == 0:
            window = [one for period in periods[-params.cvd_periods :] for one in period]
            is_full = len(periods) >= params.cvd_periods
            share = (
                sum(side * usd for side, usd in window) / sum(usd for _, usd in window)
                if is_full and window
                else math.nan
            )
            periods.append([])
        out.append(share)
    return out


@pytest.mark.parametrize("retail_multiple", [1.0, 0.3])
def test_the_record_is_that_of_the_plain_reference(retail_multiple: float) -> None:
    events = make_tape(120, 11)
    # Orders that print several times, the first of them small.
    trades = np.flatnonzero(events["kind"] == TRADE)
    walked = trades[:-1:7]
    for row in walked:
        after = trades[np.searchsorted(trades, row) + 1]
        events["exch_ts"][after] = events["exch_ts"][row]
        events["side"][after] = events["side"][row]
    params = SMALL._replace(retail_multiple=retail_multiple)
    times, rows = features_of(events, TICK_SIZE, params_record(params))
    found = rows[:, FEATURE_NAMES.index("retail_imbalance")]
    assert np.isfinite(found).sum() > 300
    assert found == pytest.approx(np.array(_plainly(events, times, params)), rel=1e-9, abs=1e-12, nan_ok=True)
    first = times[np.flatnonzero(np.isfinite(found))[0]]
    assert first - times[0] <= (params.cvd_periods + 1) * SECOND_NS


def test_small_orders_that_lean_are_seen_whatever_large_ones_do() -> None:
    events = make_tape(120, 12)
    trades = np.flatnonzero(events["kind"] == TRADE)
    notional = events["price"][trades] * events["size"][trades]
    small = notional <= np.median(notional)
    generator = np.random.default_rng(1)
    events["side"][trades[small]] = np.where(generator.random(small.sum()) < 0.75, 1, -1)
    events["side"][trades[~small]] = -1
    _, rows = features_of(events, TICK_SIZE, params_record(SMALL))
    mean = {
        name: np.nanmean(rows[:, FEATURE_NAMES.index(name)])
        for name in ("retail_imbalance", "flow_imbalance")
    }
    # Three of four buy: 0.75 - 0.25, by money a little apart.
    assert mean["retail_imbalance"] == pytest.approx(0.5, abs=0.15)
    assert mean["flow_imbalance"] < -0.5
