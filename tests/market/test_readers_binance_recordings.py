"""Real recordings of Binance end to end: counts, valid books, and a clock that ran 1.3 s behind."""

from __future__ import annotations

import numpy as np
import pytest

from hean_pipelines.sources.tape_files import read_tape_files, tape_reader
from models.market import book as books
from models.market.tape import END_OF_MESSAGE
from models.market.tape_report import TapeCheck
from tests.support import shared_path

MS = 1_000_000
RECORDINGS = [
    (
        "usdm_btcusdt",
        ["20240808"],
        0.1,
        93_954,
        {"trade": 21_313, "depth": 441_576, "snapshot": 2000},
        0,
        True,
    ),
    (
        "usdm_ethusdt",
        ["20240808"],
        0.01,
        74_655,
        {"trade": 14_076, "depth": 427_049, "snapshot": 2000},
        0,
        True,
    ),
    (
        "spot_btcusdt",
        ["20240808", "20240809"],
        0.01,
        99_574,
        {"trade": 19_904, "depth": 297_345, "bbo": 146_348},
        221_524,
        True,
    ),
    ("cm_btcusd_perp", ["20240809"], 0.1, 50_116, {"trade": 2949, "depth": 363_658, "bbo": 58_438}, 0, False),
]


@pytest.mark.parametrize(
    ("name", "days", "tick", "messages", "counts", "unstamped", "has_snapshot"), RECORDINGS
)
def test_recordings_with_their_clock_running_behind(
    name: str,
    days: list[str],
    tick: float,
    messages: int,
    counts: dict[str, int],
    unstamped: int,
    has_snapshot: bool,
) -> None:
    paths = [shared_path(f"data/streams/hftbacktest__{name}_{day}.gz") for day in days]
    reader, check, book = tape_reader("binance"), TapeCheck(), books.new_book(tick)
    looked = valid = 0
    for _, events in read_tape_files(paths, "binance", reader):
        check.update(events)
        ends = np.flatnonzero(events["kind"] == END_OF_MESSAGE)[::200] + 1
        start = 0
        for stop in ends.tolist():
            books.apply_all(book, events[start:stop])
            start, looked, valid = stop, looked + 1, valid + books.is_valid(book)
        books.apply_all(book, events[start:])
    report = check.report()
    assert (reader.stats.messages, reader.stats.problems()) == (messages, ())
    assert counts.items() <= report.counts.items()
    assert report.without_exch_ts == unstamped
    # The recorder's clock ran 1.23 to 1.28 s behind the venue's: every single row shows it.
    assert report.negative_latencies == report.events - unstamped
    assert 1_268 * MS < report.clock_behind_ns < 1_280 * MS
    (problem,) = report.problems()
    assert "behind the venue's" in problem
    assert (book.gaps, book.crossings, book.off_grid, book.dropped) == (0, 0, 0, 0)
    if has_snapshot:
        assert valid >= looked - 1
        assert books.is_valid(book)
    else:
        assert valid == 0
        assert books.invalid_reason(book) == books.NO_SNAPSHOT
