"""Daily order-book files into the lake: old and new depth, the closing snapshot, gaps, and a real file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from hean_pipelines.defs.archives.books import DATASET, book_url, ingest_books
from hean_pipelines.defs.archives.ingest import ArchiveReport
from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_stream import open_partition
from hean_pipelines.sources.archives import ArchiveFetcher
from hean_pipelines.sources.http import PoliteHttp
from models.errors import DataError
from models.market.tape import DEPTH, END_OF_MESSAGE, GAP, SNAPSHOT
from tests.pipelines.market_data.archive_tree import served, write_zip
from tests.support import shared_path

DAY = date(2025, 8, 20)
MIDNIGHT_MS = int(datetime(2025, 8, 20, tzinfo=UTC).timestamp() * 1000)


def message(kind: str, ms: int, update: int, bids: list[list[str]], asks: list[list[str]]) -> str:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": update, "seq": update}
    body = {
        "topic": "orderbook.500.BTCUSDT",
        "type": kind,
        "ts": MIDNIGHT_MS + ms,
        "data": data,
        "cts": MIDNIGHT_MS + ms,
    }
    return json.dumps(body)


def lines(*, gap: bool = False) -> list[str]:
    return [
        message("snapshot", 100, 1, [["100", "1"], ["99", "2"]], [["101", "3"]]),
        message("delta", 200, 4 if gap else 2, [["100", "0"]], []),
        message("delta", 300, 5 if gap else 3, [], [["101", "5"]]),
        message("snapshot", 86_400_007, 90, [["90", "1"]], [["91", "1"]]),
    ]


@pytest.fixture
def site(tmp_path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    with served(folder) as url:
        yield folder, url


def ingest(tmp_path: Path, url: str, day: date = DAY, symbol: str = "BTCUSDT") -> tuple[Lake, ArchiveReport]:
    http = PoliteHttp(backoff_s=0.01, max_attempts=2)
    lake = Lake(tmp_path / "lake")
    report = ingest_books(url, ArchiveFetcher(http, tmp_path / "archives"), lake, [symbol], day, day)
    http.close()
    return lake, report


def test_depth_was_500_and_is_200():
    assert book_url("http://x", "BTCUSDT", DAY).endswith(
        "/orderbook/linear/BTCUSDT/2025-08-20_BTCUSDT_ob500.data.zip"
    )
    assert book_url("http://x", "BTCUSDT", date(2025, 8, 21)).endswith("2025-08-21_BTCUSDT_ob200.data.zip")


def test_a_day_of_messages_without_the_snapshot_of_the_next(tmp_path, site):
    folder, url = site
    write_zip(folder / "orderbook/linear/BTCUSDT/2025-08-20_BTCUSDT_ob500.data.zip", lines(), checksum=False)
    lake, report = ingest(tmp_path, url)
    frame = lake.read_partition(DATASET, "BTCUSDT", DAY)
    kinds = frame["kind"].to_list()
    assert (kinds.count(SNAPSHOT), kinds.count(DEPTH), kinds.count(END_OF_MESSAGE)) == (3, 2, 3)
    assert frame["seq"].to_list() == list(range(frame.height))
    assert report.findings.outside_day == 4
    assert report.findings.holes == 0
    assert report.failed == {}
    again = ingest(tmp_path, url)[1]
    assert (again.files, again.unchanged) == (0, 1)


def test_a_gap_in_the_venues_numbering_is_kept_and_counted(tmp_path, site):
    folder, url = site
    write_zip(
        folder / "orderbook/linear/BTCUSDT/2025-08-20_BTCUSDT_ob500.data.zip", lines(gap=True), checksum=False
    )
    lake, report = ingest(tmp_path, url)
    assert report.findings.holes == 1
    assert GAP in lake.read_partition(DATASET, "BTCUSDT", DAY)["kind"].to_list()


def test_a_file_of_another_symbol_is_refused_and_leaves_nothing(tmp_path, site):
    folder, url = site
    write_zip(folder / "orderbook/linear/ETHUSDT/2025-08-20_ETHUSDT_ob500.data.zip", lines(), checksum=False)
    lake, report = ingest(tmp_path, url, symbol="ETHUSDT")
    assert "messages of ETHUSDT" in report.failed["ETHUSDT 2025-08-20"]
    assert not [p for p in lake.root.rglob("*") if p.is_file()]


def test_a_published_file_reads_whole(tmp_path, site):
    source = shared_path("data/streams/nautilus__XRPUSDT_ob500_20241201_head50.data.zip")
    folder, url = site
    target = folder / "orderbook/linear/XRPUSDT/2024-12-01_XRPUSDT_ob500.data.zip"
    target.parent.mkdir(parents=True)
    shutil.copy(source, target)
    lake, report = ingest(tmp_path, url, date(2024, 12, 1), "XRPUSDT")
    assert report.failed == {}
    frame = lake.read_partition(DATASET, "XRPUSDT", date(2024, 12, 1))
    assert int((frame["kind"] == SNAPSHOT).sum()) == 1000  # 500 levels a side
    assert int((frame["kind"] == END_OF_MESSAGE).sum()) == 50
    assert np.all(np.diff(frame["exch_ts"].to_numpy()) >= 0)


def test_a_stream_that_fails_leaves_the_partition_as_it_was(tmp_path):
    lake = Lake(tmp_path / "lake")
    wrong = lake.read_partition("raw_bybit__settlement_funding", "BTCUSDT", DAY)
    row = dict.fromkeys(wrong.columns, 0) | {"symbol": "BTCUSDT", "funding_rate": 0.0}
    wrong = wrong.vstack(type(wrong)([row], schema=wrong.schema))

    def write() -> None:
        with open_partition(lake, DATASET, "BTCUSDT", DAY) as stream:
            stream.add(wrong)

    with pytest.raises(DataError, match="expected columns"):
        write()
    assert lake.dates(DATASET, "BTCUSDT") == []
    assert not [p for p in lake.root.rglob("*") if p.is_file()]
