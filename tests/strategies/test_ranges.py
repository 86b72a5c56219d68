"""The range against NumPy's quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.records import new_record
from models.strategies.bars import add_mid, bars_dtype
from models.strategies.ranges import range_of

MINUTE = 60_000_000_000


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1.0, 9.0), min_size=12, max_size=60), st.floats(0.0, 0.4))
def test_a_range_is_two_quantiles_of_the_closes(closes, quantile):
    bars = new_record(bars_dtype(20))
    for minute, close in enumerate([1.0, *closes, 1.0], 1):
        add_mid(bars, minute * MINUTE, close, MINUTE)
    kept = closes[-20:]
    expected = np.quantile(kept, [quantile, 1.0 - quantile])
    assert range_of(bars, 10, quantile) == pytest.approx(tuple(expected))


def test_there_is_no_range_before_enough_bars():
    bars = new_record(bars_dtype(20))
    for minute in range(1, 12):
        add_mid(bars, minute * MINUTE, 5.0, MINUTE)
    assert bars.count == 9
    assert np.isnan(range_of(bars, 10, 0.1)).all()
    assert not np.isnan(range_of(bars, 9, 0.1)).any()
