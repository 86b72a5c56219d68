from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.simulation.bars import Bars, aggregate, bar_start, no_bars
from models.simulation.intraminute import TRADES_PER_MINUTE, VOLUME_SHARES, minute_paths

MINUTE = 60_000
START = 1_735_689_600_000


def minutes(n: int, start: int = START) -> Bars:
    rng = np.random.default_rng(1)
    close = 100 + rng.standard_normal(n).cumsum()
    opens = np.concatenate(([100.0], close[:-1]))
    volume = rng.random(n)
    top, bottom = np.maximum(opens, close) + 0.1, np.minimum(opens, close) - 0.1
    return Bars(start + np.arange(n) * MINUTE, opens, top, bottom, close, volume, volume * close)


def test_aggregation_of_a_quarter_of_an_hour() -> None:
    fine = minutes(45)
    coarse = aggregate(fine, "15")
    assert coarse.ts_ms.tolist() == [START, START + 15 * MINUTE, START + 30 * MINUTE]
    for k in range(3):
        cut = slice(15 * k, 15 * k + 15)
        assert coarse.open[k] == fine.open[15 * k]
        assert coarse.close[k] == fine.close[15 * k + 14]
        assert coarse.high[k] == fine.high[cut].max()
        assert coarse.low[k] == fine.low[cut].min()
        assert coarse.volume is not None
        assert fine.volume is not None
        assert coarse.volume[k] == pytest.approx(fine.volume[cut].sum())


def test_gaps_and_open_bars_keep_what_there_is() -> None:
    fine = minutes(40)
    keep = np.r_[0:3, 7:9, 20:23]
    gappy = Bars(*(getattr(fine, name)[keep] for name in ("ts_ms", "open", "high", "low", "close")))
    coarse = aggregate(gappy, "5")
    assert coarse.ts_ms.tolist() == [START, START + 5 * MINUTE, START + 20 * MINUTE]
    assert coarse.volume is None
    assert coarse.close[-1] == fine.close[22]


def test_no_bars_aggregate_to_no_bars() -> None:
    assert len(aggregate(no_bars(traded=True), "60")) == 0
    assert no_bars(traded=False).volume is None


@given(st.integers(1_577_836_800_000, 1_893_456_000_000))
def test_weeks_start_on_monday_and_months_on_the_first(ms: int) -> None:
    at = datetime.fromtimestamp(ms / 1000, UTC)
    week = datetime.fromtimestamp(bar_start(ms, "W") / 1000, UTC)
    month = datetime.fromtimestamp(bar_start(ms, "M") / 1000, UTC)
    assert (week.weekday(), week.hour, week.minute) == (0, 0, 0)
    assert 0 <= (at - week).total_seconds() < 7 * 86_400
    assert (month.year, month.month, month.day, month.hour) == (at.year, at.month, 1, 0)


bar = st.tuples(st.integers(1, 10**6), st.integers(0, 500), st.integers(0, 500), st.integers(-400, 400))


@given(st.lists(bar, min_size=1, max_size=20), st.booleans())
def test_paths_visit_open_high_low_and_close(raw: list[tuple[int, int, int, int]], up_first: bool) -> None:
    opens = np.array([o + 1_000 for o, *_ in raw], dtype=float)
    close = opens + np.array([move for *_, move in raw])
    high = np.maximum(opens, close) + np.array([up for _, up, _, _ in raw])
    low = np.minimum(opens, close) - np.array([down for _, _, down, _ in raw])
    path = minute_paths(opens, high, low, close, np.full(len(raw), up_first))
    assert path.shape == (len(raw), TRADES_PER_MINUTE)
    np.testing.assert_array_equal(path[:, 0], opens)
    np.testing.assert_array_equal(path[:, -1], close)
    np.testing.assert_array_equal(path.max(axis=1), high)
    np.testing.assert_array_equal(path.min(axis=1), low)
    assert (path == np.rint(path)).all()


def test_the_volume_of_a_minute_is_shared_out_whole() -> None:
    assert len(VOLUME_SHARES) == TRADES_PER_MINUTE
    assert VOLUME_SHARES.sum() == pytest.approx(1.0)
