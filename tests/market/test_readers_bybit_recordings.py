"""Real recordings of Bybit end to end: counts, books against plain dictionaries, clocks."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hean_pipelines.sources.tape_files import read_tape_files, tape_reader
from models.market import book as books
from models.market.readers.bybit import BybitReader
from models.market.tape_report import TapeCheck, check_tape
from tests.support import shared_path

MS = 1_000_000
CRYPTOFEED = {
    "cryptofeed-linear": {
        "BTCUSDT": {
            "trade": 56,
            "depth": 6780,
            "snapshot_start": 1,
            "snapshot": 400,
            "open_interest": 5,
            "mark": 42,
            "index": 28,
            "end_of_message": 414,
        },
        "ETHUSDT": {
            "trade": 23,
            "depth": 4091,
            "snapshot_start": 1,
            "snapshot": 400,
            "open_interest": 5,
            "mark": 10,
            "index": 8,
            "end_of_message": 421,
        },
        "SOLUSDT": {
            "trade": 165,
            "depth": 2742,
            "snapshot_start": 1,
            "snapshot": 400,
            "open_interest": 5,
            "mark": 30,
            "index": 32,
            "end_of_message": 383,
        },
        "DOGEUSDT": {
            "trade": 83,
            "depth": 2521,
            "snapshot_start": 1,
            "snapshot": 400,
            "open_interest": 5,
            "mark": 7,
            "index": 1,
            "end_of_message": 380,
        },
    },
    "cryptofeed-spot": {
        "BTCUSDT": {"trade": 11, "depth": 1347, "snapshot_start": 1, "snapshot": 400, "end_of_message": 300},
        "ETHUSDT": {"trade": 9, "depth": 928, "snapshot_start": 1, "snapshot": 400, "end_of_message": 250},
    },
}
TICKS = {"BTCUSDT": 0.1, "ETHUSDT": 0.01, "SOLUSDT": 0.01, "DOGEUSDT": 0.00001}


@pytest.mark.parametrize("wrapping", ["cryptofeed-linear", "cryptofeed-spot"])
def test_cryptofeeds_recording(wrapping: Any) -> None:
    path = shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst")
    reader = tape_reader(wrapping, chunk_events=5000)
    checks: dict[str, TapeCheck] = {}
    held: dict[str, books.Book] = {}
    for symbol, events in read_tape_files([path], wrapping, reader, block_bytes=50_000):
        checks.setdefault(symbol, TapeCheck()).update(events)
        books.apply_all(held.setdefault(symbol, books.new_book(TICKS[symbol])), events)
    assert reader.stats.problems() == ()
    assert {symbol: check.report().counts for symbol, check in checks.items()} == CRYPTOFEED[wrapping]
    for symbol, check in checks.items():
        report = check.report()
        assert report.is_clean, report.problems()
        assert report.latency_min_ns is not None
        assert 100 * MS < report.latency_min_ns < 110 * MS
        book = held[symbol]
        assert books.is_valid(book)
        assert book.levels.tolist() == [200, 200]
        assert book.crossings == 0


def reference_book(messages: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for message in messages:
        for side, levels in zip(sides, (message["data"]["b"], message["data"]["a"]), strict=True):
            if message["type"] == "snapshot":
                side.clear()
            side.update({price: size for price, size in levels})
            for price in [price for price, size in side.items() if float(size) == 0]:
                del side[price]
    return sides


@pytest.mark.parametrize(
    "relative",
    [
        "data/streams/nautilus__XRPUSDT_ob500_20241201_head50.data.zip",
        "fixtures/bybit/ob500/xrpusdt-ob500.data.zip",
    ],
)
def test_an_order_book_dump_builds_the_book_json_builds(relative: str) -> None:
    path = shared_path(relative)
    reader = tape_reader("bybit-order-book")
    chunks = list(read_tape_files([path], "bybit-order-book", reader))
    events = np.concatenate([chunk.events for chunk in chunks])
    report = check_tape(events)
    assert report.counts == {"depth": 2966, "snapshot_start": 1, "snapshot": 1000, "end_of_message": 50}
    assert reader.stats.problems() == ()
    assert chunks[0].symbol == "XRPUSDT"
    book = books.new_book(0.0001)
    books.apply_all(book, events)
    assert books.is_valid(book)
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(archive.namelist()[0]).splitlines()
    bids, asks = reference_book([json.loads(text) for text in lines])
    out = np.zeros((600, 2))
    for side, expected in ((1, bids), (-1, asks)):
        count = books.depth_levels(book, side, 600, out)
        found = {round(tick * 0.0001, 4): size for tick, size in out[:count].tolist()}
        assert found == {float(price): float(size) for price, size in expected.items()}


def fixture_lines(path: Path) -> bytes:
    text = path.read_bytes()
    return (
        text
        if text[:1].isdigit()
        else b"".join(b"1758841137168651303 " + row + b"\n" for row in text.splitlines() if row)
    )


@pytest.mark.parametrize(
    ("relative", "messages", "kinds"),
    [
        ("hftbacktest/ws_raw_3lines.txt", 3, {"trade": 1}),
        ("tardis/ws_v5_derivatives_recorded.jsonl", 15, {"trade": 4, "liquidation": 3}),
        ("tardis/ws_v5_spot_recorded.jsonl", 6, {}),
    ],
)
def test_recorded_frames_of_other_projects(relative: str, messages: int, kinds: dict[str, int]) -> None:
    path = shared_path("fixtures/bybit/" + relative)
    reader = BybitReader()
    chunks = list(reader.read([fixture_lines(path)]))
    counts = check_tape(np.concatenate([chunk.events for chunk in chunks])).counts
    assert (reader.stats.messages, reader.stats.malformed) == (messages, 0)
    assert kinds.items() <= counts.items()
