"""Tapes: columns, order, merging in bounded memory, and the report on what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.market import tape
from models.market.tape import EVENT, TRADE, Events
from models.market.tape_report import TapeCheck, check_tape

S = 1_000_000_000
MS = 1_000_000
START = 1_723_161_600 * S


def trades(local_ts: list[int], exch_ts: list[int] | None = None, size: float = 1.0) -> Events:
    events = np.zeros(len(local_ts), dtype=EVENT)
    events["local_ts"] = local_ts
    events["exch_ts"] = local_ts if exch_ts is None else exch_ts
    events["kind"], events["side"], events["price"], events["size"] = TRADE, 1, 100.0, size
    return events


def in_chunks(events: Events, sizes: list[int]) -> Iterator[Events]:
    start = 0
    for size in sizes:
        yield events[start : start + size]
        start += size
    yield events[start:]


def test_a_row_is_forty_bytes_in_the_documented_order() -> None:
    assert EVENT.names == ("local_ts", "exch_ts", "kind", "side", "price", "size")
    assert EVENT.itemsize == 40


def test_columns_come_back_as_they_went() -> None:
    events = trades([1, 2, 2, 5])
    assert np.array_equal(tape.from_columns(tape.to_columns(events)), events)


def test_columns_must_be_whole_and_sorted() -> None:
    columns = tape.to_columns(trades([1, 2, 3]))
    with pytest.raises(DataError, match="without price"):
        tape.from_columns({name: column for name, column in columns.items() if name != "price"})
    with pytest.raises(DataError, match="one length"):
        tape.from_columns({**columns, "size": np.ones(2)})
    with pytest.raises(DataError, match="row 2 was 1 ns before"):
        tape.from_columns({**columns, "local_ts": np.array([1, 3, 2])})


def test_sorting_keeps_the_rows_of_a_message_together() -> None:
    events = trades([3, 1, 1, 3])
    events["size"] = [1, 2, 3, 4]
    assert tape.sort_tape(events)["size"].tolist() == [2, 3, 1, 4]
    assert tape.is_sorted(tape.sort_tape(events))
    assert not tape.is_sorted(events)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 30), max_size=25), max_size=4),
    st.lists(st.integers(0, 6), max_size=10),
)
def test_merging_is_sorting(streams: list[list[int]], sizes: list[int]) -> None:
    tapes = [trades(sorted(times), size=float(number + 1)) for number, times in enumerate(streams)]
    merged = list(tape.merge_tapes([in_chunks(events, sizes) for events in tapes]))
    assert all(chunk.size for chunk in merged)
    expected = tape.sort_tape(np.concatenate([tape.empty_tape(), *tapes]))
    assert np.array_equal(np.concatenate([tape.empty_tape(), *merged]), expected)


def test_merging_holds_about_one_chunk_of_each_stream() -> None:
    drawn = [0, 0]

    def stream(number: int) -> Iterator[Events]:
        for k in range(100):
            drawn[number] += 1
            yield trades(list(range(k * 10, k * 10 + 10)))

    merged = tape.merge_tapes([stream(0), stream(1)])
    for _ in range(10):
        next(merged)
    assert max(drawn) <= 15


def test_merging_refuses_a_stream_out_of_order() -> None:
    with pytest.raises(DataError, match="sorted by local_ts"):
        list(tape.merge_tapes([in_chunks(trades([1, 5, 4]), [2])]))


@given(st.lists(st.integers(0, 50), max_size=60), st.lists(st.integers(0, 9), max_size=12))
@settings(max_examples=100, deadline=None)
def test_sorting_a_stream_is_sorting_the_whole(jitter: list[int], sizes: list[int]) -> None:
    events = trades([10 * k + late for k, late in enumerate(jitter)])
    chunks = list(tape.sort_stream(in_chunks(events, sizes), slack_ns=50, chunk_events=5))
    assert np.array_equal(np.concatenate([tape.empty_tape(), *chunks]), tape.sort_tape(events))


def test_sorting_a_stream_refuses_what_comes_too_late() -> None:
    with pytest.raises(DataError, match="at most 5 ns out of order, was 99 ns"):
        list(tape.sort_stream(in_chunks(trades([1, 100, 1]), [2]), slack_ns=5, chunk_events=1))


def test_a_clean_tape_has_no_problems() -> None:
    local = [START + k * 100 * MS for k in range(100)]
    report = check_tape(trades(local, [t - 3 * MS for t in local]))
    assert report.is_clean
    assert report.counts == {"trade": 100}
    assert (report.latency_min_ns, report.latency_median_ns, report.latency_max_ns) == (
        3 * MS,
        3 * MS,
        3 * MS,
    )
    assert report.clock_behind_ns == 0
    assert report.longest_silence_ns == 100 * MS


def test_a_clock_that_runs_behind_is_reported_and_mended_on_demand_only() -> None:
    local = [START + k * 100 * MS for k in range(1000)]
    events = trades(local, [t + 1_300 * MS - k % 7 * MS for k, t in enumerate(local)])
    report = check_tape(in_chunks(events, [400, 0, 300]))
    assert report.negative_latencies == 1000
    assert report.clock_behind_ns == 1_300 * MS
    (problem,) = report.problems()
    assert "1000 of 1000 rows received before the venue stamped them" in problem
    assert "at least 1.300 s behind" in problem
    mended = tape.shift_receive_time(events, 1_310 * MS)
    assert check_tape(mended).is_clean
    assert events["local_ts"][0] == START


def test_a_drifting_clock_is_reported() -> None:
    exch = [START + k * 500 * MS for k in range(2000)]
    events = trades([t + 5 * MS + k * 250_000 for k, t in enumerate(exch)], exch)
    report = check_tape(events)
    assert report.clock_drift_ppm == pytest.approx(500, rel=0.01)
    assert "drifts by 500 microseconds per second" in report.problems()[0]
    assert check_tape(events[:100]).clock_drift_ppm is None


def test_chunks_and_the_whole_are_reported_alike() -> None:
    rng = np.random.default_rng(3)
    local = np.cumsum(rng.integers(0, 500 * MS, 3000)) + START
    events = trades(local.tolist(), (local - rng.integers(-MS, 40 * MS, 3000)).tolist())
    assert check_tape(in_chunks(events, [1, 700, 1299])) == check_tape(events)


def test_missing_venue_times_are_counted_not_measured() -> None:
    events = trades([START, START + MS], [tape.NO_TIME, START])
    report = check_tape(events)
    assert report.without_exch_ts == 1
    assert report.latency_max_ns == MS
    assert check_tape(trades([START], [tape.NO_TIME])).latency_min_ns is None


def test_bad_rows_are_counted_by_what_is_wrong() -> None:
    events = trades([START + k for k in (5, 3, 6, 7, 8, 9)])
    events["side"][0] = 0
    events["price"][1:3] = [np.nan, -1.0]
    events["size"][3] = -1.0
    events["kind"][4] = 99
    report = check_tape(events)
    assert (report.bad_sides, report.bad_prices, report.bad_sizes, report.unknown_kinds) == (1, 2, 1, 1)
    assert (report.out_of_order, report.largest_step_back_ns) == (1, 2)
    assert len(report.problems()) == 5


def test_an_empty_tape_has_an_empty_report() -> None:
    check = TapeCheck()
    check.update(tape.empty_tape())
    report = check.report()
    assert (report.events, report.counts, report.first_local_ts) == (0, {}, None)
    assert report.is_clean
