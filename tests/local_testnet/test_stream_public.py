"""Public sockets against our own readers, the market's own books, and REST."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from models.market import book as books
from models.market.readers.bybit import BybitReader
from models.market.tape import LIQUIDATION, TRADE
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.local_testnet.sockets import FLOW_START_MS, Socket, connect, flow_testnet

MS = 1_000_000
TICK = {"BTCUSDT": 0.1, "XRPUSDT": 0.0001}


@pytest.fixture
def flow() -> Iterator[RunningTestnet]:
    with flow_testnet() as testnet:
        yield testnet


def levels(book: Any, depth: int) -> list[list[list[float]]]:
    out = np.empty((depth, 2))
    return [np.round(out[: books.depth_levels(book, side, depth, out)], 8).tolist() for side in (1, -1)]


def as_lines(texts: list[str]) -> bytes:
    return "".join(f"{k + 1} {text}\n" for k, text in enumerate(texts)).encode()


def walk(testnet: RunningTestnet, socket: Socket, steps_ms: list[int]) -> list[str]:
    texts = socket.until_now()
    for step in steps_ms:
        testnet.clock(advance_ms=step)
        texts += socket.until_now()
    return texts


@pytest.mark.parametrize("symbol", ["BTCUSDT", "XRPUSDT"])
@pytest.mark.parametrize("depth", [50, 200, 1000])
def test_the_book_rebuilt_from_the_stream_is_the_markets(
    flow: RunningTestnet, symbol: str, depth: int
) -> None:
    with connect(flow) as socket:
        socket.subscribe(f"orderbook.{depth}.{symbol}")
        texts = walk(flow, socket, [7, 450, 3_000, 12_345, 198])
    reader = BybitReader()
    rebuilt = books.new_book(TICK[symbol])
    for chunk in reader.feed(as_lines(texts)):
        assert chunk.symbol == symbol
        books.apply_all(rebuilt, chunk.events)
    assert reader.stats.problems() == ()
    assert (reader.stats.malformed, reader.stats.ignored) == (0, 0)
    assert books.is_valid(rebuilt)
    live = flow.venue.market.live("linear", symbol)  # type: ignore[attr-defined]
    assert levels(rebuilt, depth) == levels(live.ticks.book, depth)
    messages = [json.loads(text) for text in texts]
    assert [m["type"] for m in messages] == ["snapshot"] + ["delta"] * (len(messages) - 1)
    updates = [m["data"]["u"] for m in messages]
    assert updates == list(range(updates[0], updates[0] + len(updates)))
    sequences = [m["data"]["seq"] for m in messages]
    assert sequences == sorted(set(sequences))
    every = {50: 20, 200: 100, 1000: 200}[depth]
    pushed = [m["ts"] for m in messages[1:]]
    assert all(ts % every == 0 for ts in pushed)
    assert len(set(pushed)) == len(pushed)
    assert all(0 <= m["ts"] - m["cts"] <= every for m in messages[1:])


def test_level_1_is_snapshots_and_repeats_after_three_quiet_seconds(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.1.BTCUSDT")
        messages = [json.loads(text) for text in walk(flow, socket, [30_000])]
    assert {m["type"] for m in messages} == {"snapshot"}
    assert all(m["ts"] % 10 == 0 for m in messages)
    for one, other in pairwise(messages):
        same = one["data"]["b"] == other["data"]["b"] and one["data"]["a"] == other["data"]["a"]
        assert other["data"]["u"] == one["data"]["u"] + (0 if same else 1)
        assert not same or other["ts"] - one["ts"] >= 3_000
    live = flow.venue.market.live("linear", "BTCUSDT")  # type: ignore[attr-defined]
    bids, asks = live.levels(live.ticks.book, 1)
    last = messages[-1]["data"]
    assert last["b"] == [[str(bids[0][0]), str(bids[0][1])]]
    assert last["a"] == [[str(asks[0][0]), str(asks[0][1])]]


def test_trades_are_those_of_rest_with_their_ids(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("publicTrade.BTCUSDT")
        texts = walk(flow, socket, [2_000, 1, 5_000])
    pushed = [trade for text in texts for trade in json.loads(text)["data"]]
    listed = flow.get("/v5/market/recent-trade", category="linear", symbol="BTCUSDT", limit=1000)["result"]
    rest = listed["list"][::-1]
    assert len(pushed) == len(rest) > 20
    for one, other in zip(pushed, rest, strict=True):
        assert [one["i"], one["p"], one["v"], one["S"], str(one["T"])] == [
            other[k] for k in ("execId", "price", "size", "side", "time")
        ]
    assert len({one["i"] for one in pushed}) == len(pushed)
    before = None
    for one in pushed:
        if before is not None and float(one["p"]) != float(before["p"]):
            assert one["L"] == ("PlusTick" if float(one["p"]) > float(before["p"]) else "MinusTick")
        elif before is not None:
            assert one["L"] == "Zero" + before["L"].removeprefix("Zero")
        before = one


def test_ticker_deltas_add_up_to_the_rest_ticker(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("tickers.BTCUSDT")
        texts = walk(flow, socket, [100] * 40)
    first, *deltas = [json.loads(text) for text in texts]
    assert first["type"] == "snapshot"
    merged = dict(first["data"])
    for delta in deltas:
        assert delta["type"] == "delta"
        assert delta["data"]["symbol"] == "BTCUSDT"
        assert len(delta["data"]) < len(merged)
        changed = [k for k, v in delta["data"].items() if merged[k] != v]
        assert changed
        merged |= delta["data"]
    rest = flow.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    compared = set(merged) & set(rest) - {"volume24h"}
    assert len(compared) > 20
    assert {k: merged[k] for k in compared} == {k: rest[k] for k in compared}


def test_klines_close_with_the_bar_that_opens_and_equal_rest(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("kline.1.BTCUSDT", "kline.5.BTCUSDT")
        texts = walk(flow, socket, [1_000] * 35)
    minutes = [m for m in map(json.loads, texts) if m["topic"] == "kline.1.BTCUSDT"]
    closing = [m for m in minutes if m["data"][0]["confirm"]]
    assert [len(m["data"]) for m in closing] == [2]
    closed, opened = closing[0]["data"]
    assert (closed["end"] + 1, opened["confirm"]) == (opened["start"], False)
    rest = flow.get(
        "/v5/market/kline",
        category="linear",
        symbol="BTCUSDT",
        interval="1",
        start=closed["start"],
        end=closed["start"],
    )["result"]["list"][0]
    told = [closed[k] for k in ("start", "open", "high", "low", "close", "volume", "turnover")]
    assert [float(x) for x in rest] == pytest.approx([float(x) for x in told], abs=1e-4)
    assert any(m["topic"] == "kline.5.BTCUSDT" for m in map(json.loads, texts))


def test_liquidations_say_the_position_and_come_twice_a_second(flow: RunningTestnet) -> None:
    market = flow.venue.market
    with connect(flow) as socket:
        socket.subscribe("allLiquidation.BTCUSDT", "allLiquidation.XRPUSDT")
        texts: list[str] = []
        rows = []
        while not texts and flow.now_ms < FLOW_START_MS + 3_600_000:
            before = flow.now_ms
            texts += walk(flow, socket, [30_000])
            after = flow.now_ms
            events = market.events("BTCUSDT", before * MS, after * MS)  # type: ignore[attr-defined]
            rows += [events[events["kind"] == LIQUIDATION].copy()]
    told = [one for text in texts for one in json.loads(text)["data"] if one["s"] == "BTCUSDT"]
    made = np.concatenate(rows)
    assert all(json.loads(text)["ts"] % 500 == 0 for text in texts)
    for one, row in zip(told, made, strict=False):
        assert one["S"] == ("Buy" if row["side"] < 0 else "Sell")
        assert (one["T"], float(one["p"])) == (row["exch_ts"] // MS, pytest.approx(row["price"]))
    reader = BybitReader()
    read = np.concatenate([chunk.events for chunk in reader.feed(as_lines(texts))])
    assert reader.stats.malformed == 0
    assert set(read["kind"].tolist()) == {LIQUIDATION}


def test_same_seed_same_messages_whatever_the_steps() -> None:
    told = []
    for steps in ([10_000], [3, 997, 4_000, 5_000]):
        with flow_testnet(("BTCUSDT",)) as testnet, connect(testnet) as socket:
            socket.subscribe("orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "orderbook.1.BTCUSDT")
            told.append(walk(testnet, socket, steps))
    assert told[0] == told[1]
    with flow_testnet(("BTCUSDT",), seed=8) as testnet, connect(testnet) as socket:
        socket.subscribe("publicTrade.BTCUSDT")
        assert set(walk(testnet, socket, [10_000])).isdisjoint(told[0])


def test_a_late_subscriber_joins_the_same_book(flow: RunningTestnet) -> None:
    with connect(flow) as early, connect(flow) as late:
        early.subscribe("orderbook.50.BTCUSDT")
        walk(flow, early, [1_000])
        late.subscribe("orderbook.50.BTCUSDT")
        first = json.loads(late.until_now()[0])
        flow.clock(advance_ms=1_000)
        seen = [sock.until_now() for sock in (early, late)]
    assert seen[0] == seen[1]
    assert first["type"] == "snapshot"
    assert json.loads(seen[1][0])["data"]["u"] == first["data"]["u"] + 1


def test_a_restart_of_the_service_begins_at_u_1(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        texts = walk(flow, socket, [500])
        flow._control("POST", "/testnet/books/restart", None)
        texts += walk(flow, socket, [500])
    messages = [json.loads(text) for text in texts]
    again = next(k for k, m in enumerate(messages) if k and m["type"] == "snapshot")
    assert [m["data"]["u"] for m in messages[again : again + 3]] == [1, 2, 3]
    rebuilt, reader = books.new_book(0.1), BybitReader()
    for chunk in reader.feed(as_lines(texts)):
        books.apply_all(rebuilt, chunk.events)
    assert reader.stats.gaps == 0
    live = flow.venue.market.live("linear", "BTCUSDT")  # type: ignore[attr-defined]
    assert levels(rebuilt, 50) == levels(live.ticks.book, 50)


def test_a_long_jump_is_streamed_whole(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT", "publicTrade.BTCUSDT")
        texts = walk(flow, socket, [180_000])
    rebuilt, reader = books.new_book(0.1), BybitReader()
    trades = 0
    for chunk in reader.feed(as_lines(texts)):
        books.apply_all(rebuilt, chunk.events)
        trades += int(np.count_nonzero(chunk.events["kind"] == TRADE))
    assert reader.stats.problems() == ()
    live = flow.venue.market.live("linear", "BTCUSDT")  # type: ignore[attr-defined]
    assert trades == int(live.ticks.ticks.trades)
    assert levels(rebuilt, 50) == levels(live.ticks.book, 50)


@pytest.mark.parametrize("path", ["/v5/public/linear", "/v5/public/spot"])
def test_spot_and_markets_without_ticks_stream_from_quotes(path: str) -> None:
    category = path.rpartition("/")[2]
    with start_testnet(("BTCUSDT",), days=2, extra_days=1) as testnet, connect(testnet, path) as socket:
        socket.subscribe("orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT", "kline.1.BTCUSDT")
        texts = walk(testnet, socket, [1_000] * 12 + [30_000])
        rest = testnet.get("/v5/market/orderbook", category=category, symbol="BTCUSDT", limit=50)["result"]
        recent = testnet.get("/v5/market/recent-trade", category=category, symbol="BTCUSDT")["result"]["list"]
    kinds = {json.loads(text)["topic"].split(".")[0] for text in texts}
    assert kinds == {"orderbook", "publicTrade", "tickers", "kline"}
    rebuilt, reader = books.new_book(0.1), BybitReader()
    for chunk in reader.feed(as_lines(texts)):
        books.apply_all(rebuilt, chunk.events)
    assert reader.stats.problems() == ()
    bids, asks = levels(rebuilt, 50)
    for side, told in ((bids, rest["b"]), (asks, rest["a"])):
        assert [round(tick / 10, 1) for tick, _ in side] == [float(p) for p, _ in told]
    ids = [one["i"] for text in texts if "publicTrade" in text for one in json.loads(text)["data"]]
    assert ids
    assert ids == [row["execId"] for row in recent[: len(ids)]][::-1]
    if category == "spot":
        snapshots = [m for m in map(json.loads, texts) if m["topic"].startswith("tickers")]
        assert {m["type"] for m in snapshots} == {"snapshot"}
        assert "usdIndexPrice" in snapshots[0]["data"]


def test_spot_of_the_order_flow_follows_its_index(flow: RunningTestnet) -> None:
    with connect(flow, "/v5/public/spot") as socket:
        socket.subscribe("orderbook.50.BTCUSDT", "publicTrade.BTCUSDT")
        texts = walk(flow, socket, [5_000])
    assert len([t for t in texts if "orderbook" in t]) == 1 + 5
    trades = [one for text in texts if "publicTrade" in text for one in json.loads(text)["data"]]
    index = float(
        flow.get("/v5/market/tickers", category="spot", symbol="BTCUSDT")["result"]["list"][0][
            "usdIndexPrice"
        ]
    )
    assert all(abs(float(one["p"]) / index - 1) < 2e-3 for one in trades)
    assert list(json.loads(texts[0]))[:3] == ["topic", "ts", "type"]
