"""Markouts of live fills: mids as of the venue's clock, by hand; and read as the backtest reads its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import DataError
from models.learning.live_markouts import MidReader, fills_of, mark_out, times_of
from models.market.tape import BBO, END_OF_MESSAGE, EVENT, GAP, SNAPSHOT, SNAPSHOT_START
from models.simulation.backtest.markouts import markouts_of, quoting_verdict

S_NS = 1_000_000_000
T = 1_700_000_000 * S_NS
LATE = 80_000_000
"""From the venue to the recorder."""


def touch(at_ns: int, middle: float, kind: int = BBO) -> list[tuple[int, int, int, int, float, float]]:
    rows = [(at_ns + LATE, at_ns, SNAPSHOT_START, 0, 0.0, 0.0)] if kind == SNAPSHOT else []
    for side in (1, -1):
        rows.append((at_ns + LATE, at_ns, kind, side, middle - 0.5 * side, 1.0))
    return [*rows, (at_ns + LATE, at_ns, END_OF_MESSAGE, 0, 0.0, 0.0)]


def tape(*rows: list[tuple[int, int, int, int, float, float]]) -> np.ndarray:
    events = np.zeros(sum(map(len, rows)), EVENT)
    for place, row in enumerate(one for part in rows for one in part):
        (
            events["local_ts"][place],
            events["exch_ts"][place],
            events["kind"][place],
            events["side"][place],
            events["price"][place],
            events["size"][place],
        ) = row
    return events


def mids(events: np.ndarray, *at_s: float, cut: int = 10**9) -> list[float]:
    reader = MidReader(0.5, np.array([T + round(s * S_NS) for s in at_s], np.int64))
    for start in range(0, len(events), cut):
        reader.take(events[start : start + cut])
    return reader.mids.tolist()


@pytest.mark.parametrize("cut", [1, 3, 10**9])
def test_the_mid_is_that_of_the_venues_clock_however_the_tape_comes(cut: int) -> None:
    events = tape(touch(T, 100.0, SNAPSHOT), touch(T + S_NS, 101.0), touch(T + 3 * S_NS, 99.0))
    found = mids(events, -0.1, 0.5, 1.0, 1.05, 2.9, 3.0, 3.5, cut=cut)
    # Known at the venue at 1 s, received at 1.08 s.
    assert found[1:5] == [100.0, 101.0, 101.0, 101.0]
    assert math.isnan(found[0])
    # Nothing came after the last message: what the mid was from then on is not known.
    assert all(math.isnan(one) for one in found[5:])


def test_a_gap_and_an_old_book_give_no_mid() -> None:
    gap = [(T + 2 * S_NS, T + 2 * S_NS, GAP, 0, 0.0, 0.0)]
    events = tape(
        touch(T, 100.0, SNAPSHOT), gap, touch(T + 4 * S_NS, 100.0, SNAPSHOT), touch(T + 30 * S_NS, 99.0)
    )
    found = mids(events, 1.0, 3.0, 14.0, 14.01, 29.0)
    assert found[0] == found[2] == 100.0
    assert all(math.isnan(one) for one in (found[1], found[3], found[4]))


def test_markouts_by_hand() -> None:
    moves = [touch(T, 100.0, SNAPSHOT), *(touch(T + k * S_NS, 100.0 + k) for k in range(1, 130))]
    fills = fills_of(
        np.array([T + S_NS // 10, T]), np.array([-1, 1]), np.array([100.5, 99.5]), np.array([False, True])
    )
    assert fills["exch_ns"].tolist() == [T, T + S_NS // 10]
    times = times_of(fills)
    reader = MidReader(0.5, times)
    reader.take(tape(*moves))
    mark_out(fills, times, reader.mids)
    # After 0.5, 1, 2, 5, 30 and 120 s the mid is 100 and so many seconds.
    after = np.array([100.0, 101.0, 102.0, 105.0, 130.0, 220.0])
    assert fills["markout_bps"][0] == pytest.approx(1e4 * (after - 99.5) / 99.5)
    assert fills["markout_bps"][1] == pytest.approx(-1e4 * (after - 100.5) / 100.5)
    read = markouts_of(fills)
    assert (read["maker"].fills, read["taker"].fills) == (1, 1)
    assert quoting_verdict(read["maker"]) == "sound"


def test_times_in_disorder_are_refused() -> None:
    with pytest.raises(DataError, match="in order"):
        MidReader(0.5, np.array([2, 1]))
