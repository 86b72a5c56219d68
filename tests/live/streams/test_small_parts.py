"""Addresses, waits, topics, tickers, completeness, our own messages: the small rooms of the streams."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from hean_live.market.completeness import Completeness
from hean_live.market.synthetic import fill_message, gap_message, open_interest_message
from hean_live.market.ticker_board import TickerBoard
from hean_live.venues.streams.addresses import PRIVATE, PUBLIC, TRADE, stream_address
from hean_live.venues.streams.backoff import Backoff
from hean_live.venues.streams.public import PublicStream
from hean_live.venues.streams.signing import VALID_FOR_MS, sign_in_request
from hean_live.venues.streams.topics import Silence, market_topics, requests, topic_of
from models.errors import ConfigError, DataError
from models.market.readers.bybit import BybitReader
from models.market.tape import GAP, OPEN_INTEREST
from models.market.tape import TRADE as TRADE_EVENT
from tests.support import shared_path


@pytest.fixture(autouse=True)
def testnet() -> None:
    """Keep the executor's testnet out: these tests need none."""


@pytest.mark.parametrize(
    ("rest", "path", "socket"),
    [
        ("https://api.bybit.com", PUBLIC, "wss://stream.bybit.com/v5/public/linear"),
        ("https://api-testnet.bybit.com", PRIVATE, "wss://stream-testnet.bybit.com/v5/private"),
        ("https://api-testnet.bybit.com", TRADE, "wss://stream-testnet.bybit.com/v5/trade"),
        ("http://127.0.0.1:8099", PUBLIC, "ws://127.0.0.1:8099/v5/public/linear"),
    ],
)
def test_sockets_lie_where_the_venue_documents_them(rest: str, path: str, socket: str) -> None:
    assert stream_address(rest, path) == socket


@pytest.mark.parametrize("rest", ["ftp://api.bybit.com", "https://example.com", "nonsense"])
def test_other_addresses_are_refused(rest: str) -> None:
    with pytest.raises(ConfigError):
        stream_address(rest, PUBLIC)


def test_waits_double_up_to_a_limit_and_start_over_after_success() -> None:
    backoff = Backoff(0.25, 8.0, lasting_s=10.0, chance=lambda: 1.0)
    assert [backoff.next_s() for _ in range(7)] == pytest.approx([0.25, 0.5, 1, 2, 4, 8, 8])
    backoff.lasted(1.0)  # accepted and dropped: no success
    assert backoff.next_s() == pytest.approx(8.0)
    backoff.lasted(11.0)
    assert backoff.next_s() == pytest.approx(0.25)
    assert Backoff(1.0, 8.0, chance=lambda: 0.0).next_s() == pytest.approx(0.1)


def test_topics_are_found_wherever_they_stand() -> None:
    assert topic_of(b'{"topic":"tickers.BTCUSDT","ts":1}') == "tickers.BTCUSDT"
    assert topic_of(b'{"ts": 1, "topic" : "publicTrade.X"}') == "publicTrade.X"
    assert topic_of(b'{"op":"pong"}') == ""
    assert topic_of(b"") == ""


def test_requests_are_small_and_each_has_its_id() -> None:
    topics = market_topics([f"S{k}USDT" for k in range(7)], 50, Silence())
    made = list(requests("subscribe", topics, "s1"))
    bodies = [json.loads(text) for _, text in made]
    assert [topic for body in bodies for topic in body["args"]] == list(topics)
    assert max(len(body["args"]) for body in bodies) <= 10
    assert len({request_id for request_id, _ in made}) == len(made) == 3


def test_too_many_topics_are_refused_before_connecting() -> None:
    topics = market_topics([f"SYMBOL{k}USDT" for k in range(400)], 50, Silence())
    with pytest.raises(ConfigError, match="21000"):
        PublicStream("ws://127.0.0.1:1", topics, None)  # type: ignore[arg-type]


def test_the_sign_in_is_the_documented_one() -> None:
    body = json.loads(sign_in_request("key", "secret", 1_700_000_000_000, request_id="r"))
    expires = 1_700_000_000_000 + VALID_FOR_MS
    signature = hmac.new(b"secret", f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    assert body["args"] == ["key", expires, signature]
    assert body["op"] == "auth"


# --- tickers


def ticker(kind: str, ts: int, **fields: str) -> bytes:
    data = {"symbol": "BTCUSDT", **fields}
    return json.dumps({"topic": "tickers.BTCUSDT", "type": kind, "ts": ts, "data": data}).encode()


def test_deltas_change_only_what_they_bring() -> None:
    board = TickerBoard()
    board.take(ticker("delta", 1, markPrice="9"), 10)
    board.take(ticker("snapshot", 2, lastPrice="1", markPrice="2", fundingRate="0.0001"), 20)
    board.take(ticker("delta", 4, markPrice="3"), 40)
    board.take(ticker("delta", 3, markPrice="8"), 50)  # overtaken on its way
    board.take(b"{", 60)
    parsed, wrong = board.tickers()
    assert not wrong
    assert (parsed["BTCUSDT"].last_price, parsed["BTCUSDT"].mark_price) == (1.0, 3.0)
    assert board.rows["BTCUSDT"].exchange_ns == 4_000_000
    assert board.rows["BTCUSDT"].received_ns == 40
    counts = board.counts
    assert (counts.before_snapshot, counts.out_of_order, counts.malformed) == (1, 1, 1)
    board.lose()
    board.take(ticker("delta", 5, markPrice="7"), 70)
    assert board.tickers()[0]["BTCUSDT"].mark_price == 3.0


def test_the_recorded_ticker_of_the_venue_is_read() -> None:
    board = TickerBoard()
    message = json.loads(shared_path("fixtures/bybit/nautilus/ws_ticker_linear.json").read_text())
    board.take(json.dumps(message).encode(), 5)
    parsed, wrong = board.tickers()
    assert not wrong
    assert list(parsed) == [message["data"]["symbol"]]


# --- completeness


def test_a_symbol_says_why_it_may_not_be_traded_on() -> None:
    own = Completeness()
    assert own.problem(0, True) == "the market stream is down"
    own.connected = True
    assert own.problem(0, False) == "the order book is not valid"
    assert own.problem(0, True) == ""
    own.lost_trades(1_000)
    own.lost_trades(2_000)  # the open gap keeps its beginning
    assert (own.since_ms, own.gaps, own.losses) == (1_000, 1, 2)
    assert own.problem(0, True) == "trades since a gap are not read yet"
    own.fill(True, 50, 100)
    assert own.problem(50, True) == ""
    own.lost_trades(3_000)
    own.fill(False, 50, 100)
    assert own.problem(149, True).startswith("trades were lost")
    assert own.problem(150, True) == ""
    assert (own.filled, own.unfilled) == (1, 1)


# --- our own messages, read back by the recordings' reader


def stamped(at_ns: int, payload: bytes) -> bytes:
    return b"%d %b\n" % (at_ns, payload)


def test_a_gap_message_breaks_the_book_and_only_when_there_is_one() -> None:
    snapshot = {
        "topic": "orderbook.50.BTCUSDT",
        "type": "snapshot",
        "ts": 1,
        "data": {"s": "BTCUSDT", "b": [["1", "1"]], "a": [["2", "1"]], "u": 7, "seq": 9},
    }
    gap = gap_message("BTCUSDT", 50, 2, "closed")
    reader = BybitReader()
    assert reader.feed(stamped(1, gap)) == []
    ((_, events),) = reader.feed(stamped(2, json.dumps(snapshot).encode()) + stamped(3, gap))
    assert events["kind"][-2:].tolist()[0] == GAP
    assert reader.stats.gaps == 1
    assert reader.stats.malformed == 0


def test_a_fill_is_trades_and_none_of_them_twice() -> None:
    row = {"execId": "a", "symbol": "BTCUSDT", "price": "5", "size": "2", "side": "Buy", "seq": "4"}
    reply = {
        "list": [
            {**row, "execId": "c", "time": "30", "isBlockTrade": True},
            {**row, "execId": "b", "time": "20"},
            {**row, "execId": "a", "time": "10"},
        ]
    }
    fill = fill_message(reply, "BTCUSDT", 20, 40)
    assert fill.covers
    assert fill.trades == 2
    assert fill.payload is not None
    reader = BybitReader()
    ((symbol, events),) = reader.feed(stamped(99, fill.payload))
    assert symbol == "BTCUSDT"
    assert events["kind"].tolist() == [TRADE_EVENT]  # the block trade did not meet the book
    assert events["exch_ts"].tolist() == [20_000_000]
    assert events["local_ts"].tolist() == [99]
    assert reader.feed(stamped(100, fill.payload)) == []
    assert reader.stats.duplicates == 1
    assert fill_message(reply, "BTCUSDT", 31, 40) == (None, 0, True)


def test_a_full_page_that_does_not_reach_back_does_not_cover() -> None:
    row = {"symbol": "BTCUSDT", "price": "5", "size": "2", "side": "Sell", "seq": "4"}
    reply = {"list": [{**row, "execId": str(k), "time": str(1_000 + k)} for k in range(1000)]}
    assert not fill_message(reply, "BTCUSDT", 999, 3_000).covers
    assert fill_message(reply, "BTCUSDT", 1_000, 3_000).covers
    with pytest.raises(DataError):
        fill_message({"list": [{"execId": "x"}]}, "BTCUSDT", 0, 0)


def test_the_recorded_reply_of_the_venue_fills() -> None:
    reply = json.loads(shared_path("fixtures/bybit/nautilus/http_get_trades_recent.json").read_text())
    rows = reply["result"]["list"]
    fill = fill_message(reply["result"], rows[0]["symbol"], 0, reply["time"])
    assert fill.trades == len(rows)
    assert fill.payload is not None
    ((_, events),) = BybitReader().feed(stamped(1, fill.payload))
    assert len(events) == len(rows)


def test_a_polled_open_interest_is_an_event() -> None:
    payload = open_interest_message("BTCUSDT", 5, "123.5")
    ((_, events),) = BybitReader().feed(stamped(7, payload))
    assert events["kind"].tolist() == [OPEN_INTEREST]
    assert events["size"].tolist() == [123.5]
