"""The last quote received, and never a later one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.evidence.as_of import as_of


def test_by_hand() -> None:
    times, mid = np.array([10, 20, 20, 30]), np.array([1.0, 2.0, 3.0, np.nan])
    found = as_of(times, mid, np.array([[9, 10, 19], [20, 29, 30]]))
    assert found == pytest.approx(np.array([[np.nan, 1.0, 1.0], [3.0, 3.0, np.nan]]), nan_ok=True)
    assert np.isnan(as_of(times, np.ones(4), np.array([31, 10**18]))).all()
    assert np.isnan(as_of(np.array([], np.int64), np.array([]), np.array([1]))).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.lists(st.integers(-5, 60), max_size=40))
@settings(max_examples=100, deadline=None)
def test_the_same_as_a_search(times: list[int], at: list[int]) -> None:
    when, wanted = np.sort(np.array(times, dtype=np.int64)), np.array(at, dtype=np.int64)
    values = np.arange(len(when), dtype=float)
    index = np.searchsorted(when, wanted, side="right") - 1
    expected = np.where((index >= 0) & (wanted <= when[-1]), index, np.nan)
    assert as_of(when, values, wanted) == pytest.approx(expected, nan_ok=True)


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match="order they were received"):
        as_of(np.array([2, 1]), np.ones(2), np.array([1]))
    with pytest.raises(DataError, match="one quote a time"):
        as_of(np.array([1, 2]), np.ones(3), np.array([1]))
