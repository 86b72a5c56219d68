"""Bars of the mid: held against Polars' own aggregation of the same mids."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.records import new_record
from models.strategies.bars import add_mid, bars_dtype, bars_kept, place_of

SECOND = 1_000_000_000


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.floats(1.0, 9.0) | st.just(np.nan)), max_size=200))
def test_bars_equal_a_group_by(steps):
    """All but the first bar, which may have begun in the middle, and the last, which is under way."""
    bars = new_record(bars_dtype(64))
    times = np.cumsum([gap for gap, _ in steps], dtype=np.int64) + 1000
    mids = np.array([mid for _, mid in steps])
    closed = [
        add_mid(bars, int(at) * SECOND, float(mid), 60 * SECOND) for at, mid in zip(times, mids, strict=True)
    ]
    frame = pl.DataFrame({"bar": times // 60, "mid": mids}).filter(pl.col("mid").is_not_nan())
    expected = (
        frame.group_by("bar", maintain_order=True)
        .agg(
            pl.first("mid").alias("o"),
            pl.max("mid").alias("h"),
            pl.min("mid").alias("l"),
            pl.last("mid").alias("c"),
        )
        .slice(1)
        .head(-1)
    )
    assert sum(closed) == bars.count == expected.height
    for back, row in enumerate(expected.rows()[::-1]):
        at = place_of(bars, back)
        assert row[1:] == (bars.opens[at], bars.highs[at], bars.lows[at], bars.closes[at])


def test_only_the_last_bars_are_kept():
    bars = new_record(bars_dtype(3))
    for minute in range(1, 11):
        add_mid(bars, minute * 60 * SECOND, float(minute), 60 * SECOND)
    assert (bars.count, bars_kept(bars)) == (8, 3)
    assert [bars.closes[place_of(bars, back)] for back in range(3)] == [9.0, 8.0, 7.0]
