"""Columns of trades and the profit factor, against arithmetic by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.learning.trades import DAY_NS, HOUR_NS, block_sums, profit_factor, resampled_sums, table_of
from tests.learning.made import together, trades


def test_golden_hours_own_their_first_instant_and_not_their_last() -> None:
    hours = np.array([9 * HOUR_NS - 1, 9 * HOUR_NS, 16 * HOUR_NS - 1, 16 * HOUR_NS]) + 3 * DAY_NS
    empty = trades([0.0] * 4)
    table = table_of(
        {**{n: getattr(empty, n) for n in empty.__dataclass_fields__}, "entry_ns": hours, "exit_ns": hours}
    )
    assert table.in_golden_hours.tolist() == [False, True, True, False]


def test_sums_and_factor_by_hand() -> None:
    both = together(trades([10.0, -4.0], days=1.0), trades([6.0, -8.0], is_live=True, days=1.0))
    sums = block_sums(both, 1000 * DAY_NS)
    assert sums.sum(axis=0).tolist() == [10.0, 4.0, 6.0, 8.0]
    assert profit_factor(np.array([10.0]), np.array([4.0]), 2.0)[0] == pytest.approx(12.0 / 6.0)
    assert np.isfinite(profit_factor(np.array([10.0]), np.array([0.0]), 2.0)[0])


def test_resampling_keeps_the_mean() -> None:
    sums = np.arange(40.0).reshape(10, 4)
    drawn = resampled_sums(sums, 20_000, 3)
    # Mean of a bootstrap of sums is the sum; its standard error here is below 0.3.
    assert drawn.mean(axis=0) == pytest.approx(sums.sum(axis=0), abs=1.5)
    assert (drawn == resampled_sums(sums, 20_000, 3)).all()


def test_damaged_columns_are_refused() -> None:
    good = trades([1.0, 2.0])
    columns = {name: getattr(good, name) for name in good.__dataclass_fields__}
    with pytest.raises(DataError, match="finite"):
        table_of({**columns, "pnl_bps": [1.0, float("nan")]})
    with pytest.raises(DataError, match="order"):
        type(good)(**{**columns, "exit_ns": columns["exit_ns"][::-1]})
