"""Exact scores against published vectors; the streaming ones against the exact ones, within the stated bound."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.log_bins import BINS, RELATIVE_ERROR, ZERO, bin_of, middle_of
from models.market.features.records import new_record
from models.market.features.robust_z import (
    BLOCKS,
    ROBUST,
    error_bound,
    location_scale,
    median_mad,
    observe,
    robust_z,
    score,
)
from tests.support import shared_path

START = 1_700_000_000_000_000_000
WINDOW = BLOCKS * 1000
UNIT = 1e-6


def vectors() -> dict:
    return json.loads(shared_path("reference_vectors/robust_z.json").read_text())


def test_published_batches() -> None:
    for case in vectors()["batch"]:
        values = np.array(case["x"], dtype=float)
        median, mad = median_mad(values)
        assert (median, mad) == (case["median"], case["mad_raw"])
        scores = [score(x, median, mad, 0.0) for x in values]
        assert scores == pytest.approx(case["z_spec"], rel=1e-12)


def test_a_score_without_scale_is_undefined() -> None:
    values = np.array(vectors()["mad_zero"]["x"], dtype=float)
    median, mad = median_mad(values)
    assert mad == 0.0
    assert math.isnan(score(9.0, median, mad, 0.0))
    assert score(9.0, median, mad, 2.0) == 2.0


def test_published_stream_against_the_past_alone() -> None:
    case = vectors()["streaming"]
    x, n = np.array(case["x"]), case["window"]
    for i, wanted in enumerate(case["past_only"]):
        if i < n:
            assert wanted is None
            continue
        found = score(x[i], *median_mad(x[i - n : i]), 0.0)
        if wanted is None:
            assert math.isnan(found)
        else:
            assert found == pytest.approx(wanted, rel=1e-9)


@given(st.floats(-4e3, 4e3))
def test_a_bin_holds_its_number(x: float) -> None:
    i = bin_of(x, UNIT)
    assert 0 <= i < BINS
    middle = middle_of(i, UNIT)
    if i == ZERO:
        assert abs(x) < UNIT
        assert middle == 0.0
    else:
        assert abs(middle - x) <= RELATIVE_ERROR * abs(x) * (1 + 1e-12)


@given(st.floats(-4e3, 4e3), st.floats(-4e3, 4e3))
def test_bins_keep_the_order(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    assert bin_of(low, UNIT) <= bin_of(high, UNIT)


numbers = st.one_of(st.floats(-1e3, 1e3), st.just(0.0), st.sampled_from([1.0, -1.0, 2.5]))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.one_of(st.integers(0, 400), st.integers(0, 40_000)), numbers), min_size=1, max_size=150
    )
)
def test_median_and_mad_stay_within_the_bound(steps: list[tuple[int, float]]) -> None:
    state = new_record(ROBUST)
    now, held = START, []
    for wait, x in steps:
        now += wait
        observe(state, now, x, WINDOW, UNIT)
        held.append((now, x))
        # What is held: the newest block and the fifteen before it, on the grid of blocks.
        first = now // 1000 - (BLOCKS - 1)
        inside = np.array([value for at, value in held if at // 1000 >= first])
        assert state.count == len(inside)
        median, mad = median_mad(inside)
        found_median, found_mad = location_scale(state, UNIT)
        bound_median, bound_mad = error_bound(state, UNIT)
        assert abs(found_median - median) <= bound_median * (1 + 1e-9)
        assert abs(found_mad - mad) <= bound_mad * (1 + 1e-9)


def test_four_hours_of_ticks_score_like_the_exact_window() -> None:
    generator = np.random.default_rng(5)
    x = generator.lognormal(0.0, 1.0, 40_000)
    window, tick = 4 * 3600 * 10**9, 10**9
    state = new_record(ROBUST)
    for i in range(len(x)):
        observe(state, START + i * tick, x[i], window, UNIT)
    last = (START + (len(x) - 1) * tick) // (window // BLOCKS)
    first = ((last - BLOCKS + 1) * (window // BLOCKS) - START) // tick
    exact = score(20.0, *median_mad(x[first + 1 :]), 0.0)
    assert 15 / 16 * 14_400 <= state.count <= 14_400
    assert robust_z(state, 20.0, 0.0, UNIT, 100) == pytest.approx(exact, rel=0.02)


def test_no_score_before_the_least_count_or_for_the_undefined() -> None:
    state = new_record(ROBUST)
    for i in range(9):
        observe(state, START + i, float(i), WINDOW, UNIT)
    assert math.isnan(robust_z(state, 1.0, 0.0, UNIT, 10))
    observe(state, START + 9, math.nan, WINDOW, UNIT)
    assert state.count == 9
    assert math.isnan(robust_z(state, math.nan, 0.0, UNIT, 5))
    assert robust_z(state, 4.0, 0.0, UNIT, 5) == pytest.approx(0.0, abs=0.02)
    assert all(math.isnan(value) for value in location_scale(new_record(ROBUST), UNIT))


@pytest.mark.parametrize("blocks", [BLOCKS - 1, BLOCKS, BLOCKS + 1, 10 * BLOCKS - 1, 10 * BLOCKS])
def test_after_a_silence_only_the_window_is_held(blocks: int) -> None:
    state = new_record(ROBUST)
    observe(state, START, 5.0, WINDOW, UNIT)
    observe(state, START + blocks * WINDOW // BLOCKS, 7.0, WINDOW, UNIT)
    assert state.count == (2 if blocks < BLOCKS else 1)
    wanted = 6.0 if blocks < BLOCKS else 7.0
    assert location_scale(state, UNIT)[0] == pytest.approx(wanted, rel=RELATIVE_ERROR)
    assert state.total.sum() == state.blocks.sum() == state.count


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 300),
            st.one_of(st.sampled_from([0.0, 1.0, -1.0, 2.0, -2.0, 1e-9]), st.floats(-1e3, 1e3)),
        ),
        min_size=1,
        max_size=200,
    ),
    st.integers(1, 5),
)
def test_from_wherever_the_last_score_left_off_it_is_that_of_the_bins(
    steps: list[tuple[int, float]], asked_every: int
) -> None:
    state = new_record(ROBUST)
    now = START
    for k, (wait, x) in enumerate(steps):
        now += wait
        observe(state, now, x, WINDOW, UNIT)
        if k % asked_every == 0:
            bins = np.repeat(np.arange(BINS), state.total)
            middles = np.array([middle_of(i, UNIT) for i in bins])
            # To the bit: the middle two of what the histogram holds, and of their distances from the median.
            assert location_scale(state, UNIT) == median_mad(middles)
            occupied = np.flatnonzero(state.total)
            bits = [i for i in range(BINS) if (int(state.occupied[i >> 6]) >> (i & 63)) & 1]
            assert bits == occupied.tolist()
