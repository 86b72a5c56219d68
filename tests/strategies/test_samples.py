"""Samples on a grid of time: held against a dictionary of first values."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.records import new_record
from models.strategies.samples import add_sample, log_move, sample_at, samples_dtype

EVERY = 10
PERIODS = 8


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.floats(1.0, 9.0) | st.just(np.nan)), max_size=100))
def test_a_sample_is_the_first_value_of_its_period_and_holes_are_nan(steps):
    samples = new_record(samples_dtype(PERIODS))
    first, now = {}, 1000
    for gap, value in steps:
        now += gap
        is_first = not math.isnan(value) and now // EVERY not in first
        assert add_sample(samples, now, EVERY, value) == is_first
        if is_first:
            first[now // EVERY] = value
        for back in range(PERIODS):
            expected = first.get(now // EVERY - back, math.nan)
            assert sample_at(samples, now - back * EVERY, EVERY) == expected or math.isnan(expected)


def test_what_was_overwritten_is_unknown():
    samples = new_record(samples_dtype(PERIODS))
    add_sample(samples, 1000, EVERY, 5.0)
    assert sample_at(samples, 1009, EVERY) == 5.0
    add_sample(samples, 1000 + EVERY * PERIODS, EVERY, 6.0)
    assert math.isnan(sample_at(samples, 1000, EVERY))


def test_a_move_is_the_log_of_the_ratio_and_nan_where_the_past_is_unknown():
    samples = new_record(samples_dtype(PERIODS))
    second = 1_000_000_000
    add_sample(samples, 100 * second, second, 4.0)
    assert log_move(samples, 102 * second, second, 2.0, 5.0) == math.log(1.25)
    assert math.isnan(log_move(samples, 103 * second, second, 2.0, 5.0))
    assert math.isnan(log_move(samples, 102 * second, second, 2.0, math.nan))
