"""Bybit messages into events: meaning, sequence rules, damage, and the recordings end to end."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.market import book as books
from models.market.readers.bybit import BybitReader, nanoseconds_of
from models.market.tape import KIND_NAMES, Events

MS = 1_000_000
RECEIVED = 1_758_841_137_168_651_303
Row = tuple[str, int, float, float]


def line(message: dict[str, Any], received: int = RECEIVED) -> bytes:
    return f"{received} {json.dumps(message, separators=(',', ':'))}\n".encode()


def book_message(
    kind: str, update: int, bids: list[Any], asks: list[Any], depth: int = 50, seq: int = 0
) -> bytes:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": update, "seq": seq or update}
    topic = f"orderbook.{depth}.BTCUSDT"
    return line(
        {"topic": topic, "type": kind, "ts": 1_758_841_137_000, "data": data, "cts": 1_758_841_136_990}
    )


def read(*lines: bytes) -> tuple[Events, BybitReader]:
    reader = BybitReader()
    chunks = list(reader.read(lines))
    assert {chunk.symbol for chunk in chunks} <= {"BTCUSDT"}
    return np.concatenate([chunk.events for chunk in chunks]), reader


def rows(events: Events) -> list[Row]:
    return [(KIND_NAMES[int(e["kind"])], int(e["side"]), float(e["price"]), float(e["size"])) for e in events]


END = ("end_of_message", 0, 0.0, 0.0)
SNAPSHOT = book_message("snapshot", 7, [["100.5", "2"]], [["100.6", "3"]])


def test_a_snapshot_and_a_delta() -> None:
    events, reader = read(SNAPSHOT, book_message("delta", 8, [["100.5", "0"], ["100.4", "1"]], []))
    assert rows(events) == [
        ("snapshot_start", 0, 0.0, 0.0),
        ("snapshot", 1, 100.5, 2.0),
        ("snapshot", -1, 100.6, 3.0),
        END,
        ("depth", 1, 100.5, 0.0),
        ("depth", 1, 100.4, 1.0),
        END,
    ]
    assert set(events["local_ts"].tolist()) == {RECEIVED}
    assert set(events["exch_ts"].tolist()) == {1_758_841_136_990 * MS}
    assert reader.stats.problems() == ()


def test_a_lost_delta_is_a_gap_and_the_next_snapshot_heals_it() -> None:
    events, reader = read(
        SNAPSHOT,
        book_message("delta", 9, [["100.5", "9"]], []),
        book_message("delta", 10, [["100.5", "8"]], []),
        book_message("snapshot", 1, [["99.5", "1"]], [["99.6", "1"]]),
        book_message("delta", 2, [["99.5", "2"]], []),
    )
    assert [kind for kind, *_ in rows(events)].count("gap") == 1
    assert reader.stats.gaps == 1
    assert "1 gaps" in reader.stats.problems()[0]
    book = books.new_book(0.1)
    reasons = []
    for event in events:
        books.apply(book, event)
        if event["kind"] == 13:
            reasons.append(books.invalid_reason(book))
    assert reasons == [books.VALID, books.GAPPED, books.GAPPED, books.VALID, books.VALID]
    assert books.size_at(book, 1, 995) == 2.0


def test_a_doubled_delta_changes_nothing() -> None:
    delta = book_message("delta", 8, [["100.5", "9"]], [])
    events, reader = read(SNAPSHOT, delta, delta)
    assert len(events) == 4 + 2
    assert reader.stats.duplicates == 1
    assert reader.stats.gaps == 0


def test_level_one_beside_a_deeper_book_is_the_touch() -> None:
    events, reader = read(
        book_message("snapshot", 7, [["100.5", "2"], ["100.4", "1"]], [["100.6", "3"]], seq=10),
        book_message("snapshot", 900, [["100.4", "5"]], [["100.6", "1"]], depth=1, seq=12),
        book_message("delta", 8, [["100.5", "4"], ["100.3", "6"]], [], seq=11),
        book_message("snapshot", 900, [["100.9", "5"]], [["101", "1"]], depth=1, seq=9),
        book_message("delta", 5, [["100.5", "4"]], [], depth=200, seq=13),
    )
    assert rows(events)[5:] == [
        ("bbo", 1, 100.4, 5.0),
        ("bbo", -1, 100.6, 1.0),
        END,
        ("depth", 1, 100.3, 6.0),
        END,
    ]
    assert (reader.stats.stale, reader.stats.ignored) == (1, 1)
    book = books.new_book(0.1)
    books.apply_all(book, events)
    assert (books.best_bid(book), books.size_at(book, 1, 1004)) == (1004, 5.0)


def test_level_one_alone_is_the_book() -> None:
    first = book_message("snapshot", 7, [["100.5", "2"]], [["100.6", "3"]], depth=1)
    events, _ = read(first, book_message("delta", 8, [["100.5", "0"], ["100.4", "1"]], [], depth=1), first)
    book = books.new_book(0.1)
    books.apply_all(book, events)
    assert books.is_valid(book)
    assert books.best_bid(book) == 1005


def test_trades_have_the_takers_side_and_block_trades_stay_out() -> None:
    trade = {
        "T": 1_758_841_136_001,
        "s": "BTCUSDT",
        "S": "Sell",
        "v": "0.020",
        "p": "109378.90",
        "i": 'a"b',
        "BT": False,
    }
    message = {"topic": "publicTrade.BTCUSDT", "ts": 1_758_841_136_005, "type": "snapshot"}
    data = [trade, {**trade, "S": "Buy", "T": 1_758_841_136_002}, {**trade, "BT": True}]
    events, reader = read(line({**message, "data": data}))
    assert rows(events) == [("trade", -1, 109378.9, 0.02), ("trade", 1, 109378.9, 0.02)]
    assert events["exch_ts"].tolist() == [1_758_841_136_001 * MS, 1_758_841_136_002 * MS]
    assert reader.stats.off_book_trades == 1


def test_a_liquidated_long_is_a_forced_sell() -> None:
    new = {
        "topic": "allLiquidation.BTCUSDT",
        "type": "snapshot",
        "ts": 5,
        "data": [{"T": 4, "s": "BTCUSDT", "S": "Buy", "v": "2", "p": "10"}],
    }
    old = {
        "data": {"price": "0.03803", "side": "Sell", "size": "1637", "symbol": "BTCUSDT", "updatedTime": 3},
        "topic": "liquidation.BTCUSDT",
        "ts": 3,
        "type": "snapshot",
    }
    events, _ = read(line(new), line(old))
    assert rows(events) == [("liquidation", -1, 10.0, 2.0), ("liquidation", 1, 0.03803, 1637.0)]
    assert events["exch_ts"].tolist() == [4 * MS, 3 * MS]


def test_tickers_bring_what_changed() -> None:
    data = {
        "symbol": "BTCUSDT",
        "markPrice": "65117.44",
        "indexPrice": "",
        "openInterest": "59891.732",
        "fundingRate": "0.0001",
    }
    events, _ = read(line({"topic": "tickers.BTCUSDT", "type": "delta", "data": data, "cs": 1, "ts": 7}))
    assert rows(events) == [("mark", 0, 65117.44, 0.0), ("open_interest", 0, 0.0, 59891.732)]
    assert events["exch_ts"].tolist() == [7 * MS, 7 * MS]


@pytest.mark.parametrize(
    "order",
    [("data", "ts", "type", "topic"), ("type", "data", "topic", "ts"), ("topic", "data", "type", "ts")],
)
def test_keys_are_never_read_by_position(order: tuple[str, ...]) -> None:
    message = {
        "topic": "orderbook.50.BTCUSDT",
        "type": "snapshot",
        "ts": 9,
        "data": {"u": 1, "a": [["2", "1"]], "seq": 3, "b": [["1", "1"]], "s": "BTCUSDT"},
    }
    events, _ = read(line({key: message[key] for key in order}))
    assert sorted(rows(events)) == sorted(
        [("snapshot_start", 0, 0.0, 0.0), ("snapshot", 1, 1.0, 1.0), ("snapshot", -1, 2.0, 1.0), END]
    )
    assert rows(events)[0][0] == "snapshot_start"
    assert events["exch_ts"].tolist() == [9 * MS] * 4


def test_blanks_are_allowed_and_other_messages_ignored() -> None:
    message = json.loads(SNAPSHOT.split(b" ", 1)[1])
    ack = line({"success": True, "ret_msg": "", "conn_id": "x", "op": "subscribe"})
    kline = line({"topic": "kline.1.BTCUSDT", "data": [{"start": 1}], "ts": 1, "type": "snapshot"})
    spaced = f"{RECEIVED}  {json.dumps(message, indent=None)} \r\n".encode()
    events, reader = read(ack, kline, b"\n", spaced)
    assert len(events) == 4
    assert (reader.stats.ignored, reader.stats.malformed) == (2, 0)


def test_broken_lines_are_counted_and_located() -> None:
    cut = SNAPSHOT[:-20] + b"\n"
    events, reader = read(SNAPSHOT, cut, b"no time {}\n", SNAPSHOT.replace(b'"2"', b'""'), SNAPSHOT[:-9])
    assert len(events) == 4
    assert (reader.stats.malformed, reader.stats.first_malformed_line) == (4, 2)
    assert "4 of 5 lines unreadable, the first is 2" in reader.stats.problems()


def test_a_file_of_another_format_is_refused() -> None:
    with pytest.raises(DataError, match="2 lines of which none could be read"):
        list(BybitReader().read([b"timestamp,symbol\n1,BTCUSDT\n"]))


def test_a_live_message_is_read_alone() -> None:
    reader = BybitReader()
    (chunk,) = reader.feed(SNAPSHOT.rstrip(b"\n"))
    assert (chunk.symbol, len(chunk.events)) == ("BTCUSDT", 4)
    assert reader.feed(line({"op": "pong"})) == []


LINES = b"".join(
    [
        SNAPSHOT,
        *[
            book_message("delta", 8 + k, [["100.5", str(k)]], [["100.7", f"0.{k}"]] * (k % 4))
            for k in range(20)
        ],
        SNAPSHOT.replace(b"BTCUSDT", b"ETHUSDT"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(LINES)), max_size=12), st.integers(1, 300))
def test_neither_blocks_nor_chunks_change_what_is_read(cuts: list[int], chunk_events: int) -> None:
    def tapes(blocks: list[bytes], size: int) -> dict[str, Events]:
        found: dict[str, list[Events]] = {}
        for symbol, events in BybitReader(chunk_events=size).read(blocks):
            found.setdefault(symbol, []).append(events)
        return {symbol: np.concatenate(parts) for symbol, parts in found.items()}

    edges = [0, *sorted(cuts), len(LINES)]
    blocks = [LINES[a:b] for a, b in pairwise(edges)]
    expected, found = tapes([LINES], 10_000), tapes(blocks, chunk_events)
    assert sorted(found) == ["BTCUSDT", "ETHUSDT"]
    assert all(np.array_equal(found[symbol], expected[symbol]) for symbol in expected)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.binary(max_size=3), st.integers(0, 40))
def test_damage_never_reaches_beyond_its_line(at: int, put: bytes, cut: int) -> None:
    damaged = LINES[:at] + put + LINES[at + cut :]
    reader = BybitReader()
    for _, events in reader.read([LINES, damaged]):
        assert np.isfinite(events["price"]).all()
        assert (events["local_ts"] >= 0).all()
    assert reader.stats.messages >= 22
    assert reader.stats.malformed <= 12


def test_receive_times_keep_their_nanoseconds() -> None:
    assert nanoseconds_of("1786310817.601629") == 1_786_310_817_601_629_000
    assert nanoseconds_of("1786310817") == 1_786_310_817_000_000_000
    with pytest.raises(DataError, match="decimal seconds"):
        nanoseconds_of("-1.5")
