"""hftbacktest's event arrays, both ways, and its own book on what we hand it."""

from __future__ import annotations

import numpy as np
import pytest

from hean_pipelines.sources.tape_files import read_tape_files, tape_reader
from models.errors import DataError
from models.market import book as books
from models.market.readers.hftbacktest_events import HFT_EVENT, from_hftbacktest, to_hftbacktest
from models.market.tape import (
    BBO,
    DEPTH,
    END_OF_MESSAGE,
    EVENT,
    GAP,
    MARK,
    SNAPSHOT,
    SNAPSHOT_START,
    TRADE,
    Events,
    shift_receive_time,
)
from tests.support import shared_path

BOTH = (1 << 31) | (1 << 30)
BUY, SELL = 1 << 29, 1 << 28
Row = tuple[int, int, int, int, float, float]
ROWS: list[Row] = [
    (10, 5, SNAPSHOT_START, 0, 0.0, 0.0),
    (10, 5, SNAPSHOT, 1, 10.0, 1.0),
    (10, 5, SNAPSHOT, 1, 9.9, 2.0),
    (10, 5, SNAPSHOT, -1, 10.1, 3.0),
    (10, 5, END_OF_MESSAGE, 0, 0.0, 0.0),
    (12, 4, TRADE, -1, 10.0, 0.5),
    (13, 0, BBO, 1, 9.9, 7.0),
    (13, 0, END_OF_MESSAGE, 0, 0.0, 0.0),
    (14, 9, MARK, 0, 10.0, 0.0),
    (15, 9, GAP, 0, 0.0, 0.0),
    (15, 9, DEPTH, -1, 10.1, 0.0),
    (15, 9, END_OF_MESSAGE, 0, 0.0, 0.0),
]


def tape(rows: list[Row]) -> Events:
    return np.array(rows, dtype=EVENT)


def plain(events: Events) -> list[tuple[int, int, int, float, float]]:
    return [
        (int(e["local_ts"]), int(e["kind"]), int(e["side"]), float(e["price"]), float(e["size"]))
        for e in events
    ]


def test_there_the_touch_is_spelled_out_and_times_never_run_back() -> None:
    (converted,) = to_hftbacktest([tape(ROWS)], 0.1)
    assert converted.dtype == HFT_EVENT
    found = [
        (int(e["ev"]) & ~BOTH, int(e["exch_ts"]), int(e["local_ts"]), float(e["qty"])) for e in converted
    ]
    assert found == [
        (3 | BUY, 5, 10, 0.0),
        (3 | SELL, 5, 10, 0.0),
        (4 | BUY, 5, 10, 1.0),
        (4 | BUY, 5, 10, 2.0),
        (4 | SELL, 5, 10, 3.0),
        (2 | SELL, 5, 12, 0.5),
        (1 | BUY, 5, 13, 0.0),
        (1 | BUY, 5, 13, 7.0),
        (1 | SELL, 9, 15, 0.0),
    ]
    assert np.isnan(converted["px"][:2]).all()
    assert converted["px"][2:].tolist() == [10.0, 9.9, 10.1, 10.0, 10.0, 9.9, 10.1]


def test_there_and_back_the_book_is_the_same() -> None:
    back = from_hftbacktest(next(to_hftbacktest([tape(ROWS)], 0.1)))
    assert plain(back) == [
        (10, SNAPSHOT_START, 1, 0.0, 0.0),
        (10, SNAPSHOT_START, -1, 0.0, 0.0),
        (10, SNAPSHOT, 1, 10.0, 1.0),
        (10, SNAPSHOT, 1, 9.9, 2.0),
        (10, SNAPSHOT, -1, 10.1, 3.0),
        (10, END_OF_MESSAGE, 0, 0.0, 0.0),
        (12, TRADE, -1, 10.0, 0.5),
        (13, DEPTH, 1, 10.0, 0.0),
        (13, DEPTH, 1, 9.9, 7.0),
        (13, END_OF_MESSAGE, 0, 0.0, 0.0),
        (15, DEPTH, -1, 10.1, 0.0),
        (15, END_OF_MESSAGE, 0, 0.0, 0.0),
    ]


def test_chunks_change_nothing() -> None:
    events = tape(ROWS)
    whole = np.concatenate(list(to_hftbacktest([events], 0.1)))
    apart = np.concatenate(list(to_hftbacktest([events[:4], events[4:7], events[7:9], events[9:]], 0.1)))
    assert np.array_equal(whole, apart, equal_nan=False) or str(whole) == str(apart)


def test_negative_latency_is_refused_until_someone_mends_it() -> None:
    early = tape([(5, 9, TRADE, 1, 10.0, 1.0)])
    with pytest.raises(DataError, match="was 4 ns before"):
        list(to_hftbacktest([early], 0.1))
    (converted,) = to_hftbacktest([shift_receive_time(early, 4)], 0.1)
    assert converted["local_ts"].tolist() == [9]


def test_orders_of_a_level_three_feed_are_refused() -> None:
    array = np.zeros(1, dtype=HFT_EVENT)
    array["ev"] = 10 | BOTH
    with pytest.raises(DataError, match=r"was \[10\]"):
        from_hftbacktest(array)


def test_rows_only_the_exchange_sees_are_no_part_of_a_tape() -> None:
    array = np.zeros(2, dtype=HFT_EVENT)
    array["ev"] = [2 | BUY | (1 << 31), 2 | BUY | (1 << 30)]
    array["local_ts"], array["px"], array["qty"] = [1, 2], 10.0, 1.0
    assert plain(from_hftbacktest(array)) == [(2, TRADE, 1, 10.0, 1.0)]
    assert from_hftbacktest(array[:1]).size == 0


def test_hftbacktest_builds_the_same_book_from_a_recording() -> None:
    hftbacktest = pytest.importorskip("hftbacktest", reason="hftbacktest is a development dependency")
    path = shared_path("data/streams/hftbacktest__usdm_btcusdt_20240808.gz")
    reader, parts, rows = tape_reader("binance", chunk_events=20_000), [], 0
    for _, events in read_tape_files([path], "binance", reader, block_bytes=1 << 18):
        parts.append(shift_receive_time(events, 1_300_000_000))
        rows += events.size
        if rows > 60_000:
            break
    book = books.new_book(0.1)
    for part in parts:
        books.apply_all(book, part)
    converted = np.concatenate(list(to_hftbacktest(parts, 0.1)))
    assert hftbacktest.types.event_dtype == HFT_EVENT
    asset = hftbacktest.BacktestAsset().data([converted]).linear_asset(1.0).constant_order_latency(0, 0)
    asset = asset.risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
    theirs = hftbacktest.HashMapMarketDepthBacktest([asset.tick_size(0.1).lot_size(0.001)])
    while theirs.elapse(1_000_000_000) == 0:
        pass
    depth = theirs.depth(0)
    assert (depth.best_bid_tick, depth.best_ask_tick) == (books.best_bid(book), books.best_ask(book))
    for away in range(300):
        bid, ask = books.best_bid(book) - away, books.best_ask(book) + away
        assert depth.bid_qty_at_tick(bid) == books.size_at(book, 1, bid)
        assert depth.ask_qty_at_tick(ask) == books.size_at(book, -1, ask)
    theirs.close()
