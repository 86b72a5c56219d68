"""Binance messages into events: meaning, both sequence rules, snapshots that come late, and the recordings end to end."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.market import book as books
from models.market.readers.binance import BinanceReader
from models.market.tape import KIND_NAMES, Events

MS = 1_000_000
Row = tuple[str, int, float, float]
END = ("end_of_message", 0, 0.0, 0.0)


def line(received: int, message: dict[str, Any], stream: str | None = None) -> bytes:
    body = {"stream": stream, "data": message} if stream else message
    return f"{received} {json.dumps(body, separators=(',', ':'))}\n".encode()


def diff(
    received: int, first: int, final: int, previous: int | None, bids: list[Any], asks: list[Any]
) -> bytes:
    message = {
        "e": "depthUpdate",
        "E": 20,
        "T": 10,
        "s": "BTCUSDT",
        "U": first,
        "u": final,
        "b": bids,
        "a": asks,
    }
    if previous is None:
        del message["T"]
    else:
        message["pu"] = previous
    return line(received, message, "btcusdt@depth@0ms")


def snapshot(received: int, update: int, bids: list[Any], asks: list[Any]) -> bytes:
    return line(received, {"lastUpdateId": update, "E": 20, "T": 11, "bids": bids, "asks": asks})


def touch(received: int, update: int, bid: float, bid_size: float, ask: float, ask_size: float) -> bytes:
    message = {
        "u": update,
        "s": "BTCUSDT",
        "b": str(bid),
        "B": str(bid_size),
        "a": str(ask),
        "A": str(ask_size),
    }
    return line(received, message, "btcusdt@bookTicker")


def read(*lines: bytes) -> tuple[Events, BinanceReader]:
    reader = BinanceReader("BTCUSDT")
    chunks = list(reader.read(lines))
    assert {chunk.symbol for chunk in chunks} <= {"BTCUSDT"}
    return np.concatenate([chunk.events for chunk in chunks]), reader


def rows(events: Events) -> list[Row]:
    return [(KIND_NAMES[int(e["kind"])], int(e["side"]), float(e["price"]), float(e["size"])) for e in events]


def book_of(events: Events, tick: float = 0.1) -> books.Book:
    book = books.new_book(tick)
    books.apply_all(book, events)
    return book


@pytest.mark.parametrize("futures", [True, False])
def test_diffs_received_before_their_snapshot_are_used_after_it(futures: bool) -> None:
    def chained(received: int, first: int, final: int, size: str) -> bytes:
        return diff(received, first, final, first - 1 if futures else None, [["10.0", size]], [])

    events, reader = read(
        chained(1, 90, 95, "1"),
        chained(2, 96, 103, "2"),
        chained(3, 104, 106, "3"),
        snapshot(4, 101, [["10.0", "9"], ["9.9", "5"]], [["10.1", "7"]]),
        chained(5, 107, 108, "4"),
    )
    after = rows(events)[6:]
    assert after == [
        ("snapshot_start", 0, 0.0, 0.0),
        ("snapshot", 1, 10.0, 9.0),
        ("snapshot", 1, 9.9, 5.0),
        ("snapshot", -1, 10.1, 7.0),
        END,
        ("depth", 1, 10.0, 2.0),
        END,
        ("depth", 1, 10.0, 3.0),
        END,
        ("depth", 1, 10.0, 4.0),
        END,
    ]
    assert events["local_ts"].tolist() == [1, 1, 2, 2, 3, 3] + [4] * 9 + [5] * 2
    assert reader.stats.problems() == ()
    assert (reader.stats.messages, reader.stats.duplicates) == (5, 0)
    assert books.is_valid(book_of(events))


def test_blocks_do_not_hide_earlier_diffs_from_a_snapshot() -> None:
    lines = [
        diff(1, 96, 103, 95, [["10.0", "2"]], []),
        diff(2, 104, 106, 103, [["10.0", "3"]], []),
        snapshot(3, 101, [["10.0", "9"]], [["10.1", "7"]]),
    ]
    whole, _ = read(b"".join(lines))
    apart, _ = read(*lines)
    small = [chunk.events for chunk in BinanceReader("BTCUSDT", chunk_events=1).read(lines)]
    assert np.array_equal(whole, apart)
    assert np.array_equal(whole, np.concatenate(small))
    assert books.size_at(book_of(whole), 1, 100) == 3.0


def test_a_snapshot_older_than_every_diff_leaves_a_gap() -> None:
    events, reader = read(
        diff(1, 104, 106, 103, [["10.0", "3"]], []), snapshot(2, 101, [["10.0", "9"]], [["10.1", "7"]])
    )
    assert reader.stats.gaps == 1
    assert books.invalid_reason(book_of(events)) == books.GAPPED


@pytest.mark.parametrize("previous", [102, None])
def test_a_broken_chain_is_a_gap_until_the_next_snapshot(previous: int | None) -> None:
    start = snapshot(1, 100, [["10.0", "9"]], [["10.1", "7"]])
    first = diff(2, 101, 101, 100 if previous else None, [["10.0", "1"]], [])
    events, reader = read(start, first, diff(3, 103, 104, previous, [["10.0", "2"]], []))
    assert reader.stats.gaps == 1
    assert books.invalid_reason(book_of(events)) == books.GAPPED
    healed, _ = read(
        start, first, diff(3, 103, 104, previous, [], []), snapshot(4, 104, [["10.0", "9"]], [["10.1", "7"]])
    )
    assert books.is_valid(book_of(healed))


def test_a_doubled_diff_changes_nothing() -> None:
    once = diff(2, 101, 102, 100, [["10.0", "1"]], [])
    twice = diff(3, 103, 104, 102, [["10.0", "2"]], [])
    events, reader = read(snapshot(1, 100, [["10.0", "9"]], [["10.1", "7"]]), once, twice, twice)
    assert (reader.stats.duplicates, reader.stats.gaps) == (1, 0)
    assert len(events) == 4 + 2 + 2


def test_the_touch_outruns_older_diffs_and_yields_to_newer_ones() -> None:
    events, reader = read(
        snapshot(1, 100, [["10.0", "9"], ["9.9", "5"]], [["10.1", "7"]]),
        touch(2, 105, 9.9, 4.0, 10.1, 6.0),
        diff(3, 101, 103, 100, [["10.0", "8"], ["9.9", "3"], ["9.8", "2"]], [["10.1", "1"], ["10.2", "1"]]),
        touch(4, 102, 10.0, 1.0, 10.1, 1.0),
        diff(5, 104, 106, 103, [["9.9", "1"]], []),
    )
    touch_rows = [("bbo", 1, 9.9, 4.0), ("bbo", -1, 10.1, 6.0), END]
    assert rows(events)[5:] == [
        *touch_rows,
        ("depth", 1, 9.8, 2.0),
        ("depth", -1, 10.2, 1.0),
        END,
        ("depth", 1, 9.9, 1.0),
        END,
    ]
    assert reader.stats.stale == 1
    book = book_of(events)
    assert (books.best_bid(book), books.size_at(book, 1, 99), books.size_at(book, -1, 101)) == (99, 1.0, 6.0)


def test_partial_depth_replaces_the_book() -> None:
    message = {"lastUpdateId": 5, "bids": [["10.0", "9"]], "asks": [["10.1", "7"]]}
    other = {"lastUpdateId": 9, "bids": [["9.0", "9"]], "asks": [["9.1", "7"]]}
    events, _ = read(line(1, message, "btcusdt@depth20@100ms"), line(2, other, "btcusdt@depth20@100ms"))
    book = book_of(events)
    assert books.is_valid(book)
    assert (books.best_bid(book), book.levels.tolist()) == (90, [1, 1])


def test_a_buyer_who_was_maker_means_a_sell_and_prints_without_price_stay_out() -> None:
    trade = {
        "e": "trade",
        "E": 6,
        "T": 5,
        "s": "BTCUSDT",
        "t": 1,
        "p": "10.5",
        "q": "0.1",
        "X": "MARKET",
        "m": True,
    }
    fund = {**trade, "p": "0", "q": "0", "X": "NA", "m": False}
    events, reader = read(
        line(1, trade), line(2, {**trade, "m": False, "T": 5_000_000_000_000_123}), line(3, fund)
    )
    assert rows(events) == [("trade", -1, 10.5, 0.1), ("trade", 1, 10.5, 0.1)]
    assert events["exch_ts"].tolist() == [5 * MS, 5_000_000_000_000_123_000]
    assert reader.stats.off_book_trades == 1


def test_trades_told_twice_are_read_once() -> None:
    aggregate = {
        "e": "aggTrade",
        "E": 6,
        "s": "BTCUSDT",
        "a": 9,
        "p": "10.5",
        "q": "0.1",
        "f": 1,
        "l": 2,
        "T": 5,
        "m": True,
    }
    events, reader = read(line(1, aggregate), line(2, {**aggregate, "e": "trade"}), line(3, aggregate))
    assert rows(events) == [("trade", -1, 10.5, 0.1)] * 2
    assert reader.stats.ignored == 1


def test_marks_and_forced_orders() -> None:
    mark = {
        "e": "markPriceUpdate",
        "E": 5,
        "s": "BTCUSDT",
        "p": "10.2",
        "i": "10.1",
        "P": "10",
        "r": "0.0001",
        "T": 28_800_000,
    }
    order = {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "2",
        "p": "9.9",
        "ap": "10.0",
        "X": "FILLED",
        "l": "1",
        "z": "1.5",
        "T": 7,
    }
    events, _ = read(line(1, mark), line(2, {"e": "forceOrder", "E": 8, "o": order}))
    assert rows(events) == [("mark", 0, 10.2, 0.0), ("index", 0, 10.1, 0.0), ("liquidation", -1, 10.0, 1.5)]
    assert events["exch_ts"].tolist() == [5 * MS, 5 * MS, 7 * MS]


def test_damaged_and_foreign_lines_are_counted() -> None:
    good = touch(1, 5, 10.0, 1.0, 10.1, 1.0)
    ack, kline = line(2, {"result": None, "id": 1}), line(3, {"e": "kline", "s": "BTCUSDT", "k": {"t": 1}})
    events, reader = read(good, good[:-9] + b"\n", ack, kline, b'4 {"e":"trade","s":"BTCUSDT","p":"1"}\n')
    assert len(events) == 3
    assert (reader.stats.malformed, reader.stats.first_malformed_line, reader.stats.ignored) == (2, 2, 2)


def test_a_snapshot_of_an_unknown_symbol_is_not_guessed() -> None:
    reader = BinanceReader()
    with pytest.raises(DataError, match="none could be read"):
        list(reader.read([snapshot(1, 100, [["10.0", "9"]], [["10.1", "7"]])]))
    with pytest.raises(DataError, match="expected 1 to 32 bytes"):
        BinanceReader("")


LINES = b"".join(
    [
        touch(1, 95, 10.0, 1.0, 10.1, 1.0),
        diff(1, 96, 103, 95, [["10.0", "2"]], [[10, 2]] * 9),
        snapshot(2, 101, [["10.0", "9"]], [["10.1", "7"]]),
        *[diff(3 + k, 104 + k, 104 + k, 103 + k, [["10.0", str(k)]], []) for k in range(9)],
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.binary(max_size=3), st.integers(0, 40), st.integers(1, 40))
def test_damage_never_reaches_beyond_its_line(at: int, put: bytes, cut: int, chunk_events: int) -> None:
    reader = BinanceReader("BTCUSDT", chunk_events=chunk_events)
    for _, events in reader.read([LINES, LINES[:at] + put + LINES[at + cut :]]):
        assert set(events["kind"].tolist()) <= set(KIND_NAMES)
        assert (events["local_ts"] > 0).all()
    assert reader.stats.messages >= 22
    assert reader.stats.malformed <= 6
