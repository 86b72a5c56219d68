"""What sockets answer: subscriptions, refusals, pings, authentication, limits; the private stream and order entry."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import aiohttp
import pytest

from hean_live.local_testnet.stream import gate as gates
from hean_live.local_testnet.stream import sockets
from hean_live.local_testnet.stream.gate import ConnectionGate, silent_seconds
from tests.local_testnet.client import buy
from tests.local_testnet.server import RunningTestnet
from tests.local_testnet.sockets import connect, flow_testnet

LINEAR, SPOT = "/v5/public/linear", "/v5/public/spot"


@pytest.fixture(scope="module")
def flow() -> Iterator[RunningTestnet]:
    with flow_testnet(("BTCUSDT",)) as testnet:
        yield testnet


def test_a_linear_subscription_always_names_a_request_id(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        answer = socket.ask({"op": "subscribe", "args": ["publicTrade.BTCUSDT"]})
        assert list(answer) == ["success", "ret_msg", "conn_id", "req_id", "op"]
        assert (answer["success"], answer["ret_msg"], answer["req_id"], answer["op"]) == (
            True,
            "",
            "",
            "subscribe",
        )
        answer = socket.ask({"op": "unsubscribe", "args": ["publicTrade.BTCUSDT"], "req_id": "x"})
        assert (answer["success"], answer["req_id"], answer["op"]) == (True, "x", "unsubscribe")


def test_a_spot_subscription_names_one_only_where_given(flow: RunningTestnet) -> None:
    with connect(flow, SPOT) as socket:
        answer = socket.ask({"op": "subscribe", "args": ["publicTrade.BTCUSDT"]})
        assert list(answer) == ["success", "ret_msg", "conn_id", "op"]
        assert answer["ret_msg"] == "subscribe"


@pytest.mark.parametrize(
    ("path", "args", "words"),
    [
        (LINEAR, ["orderbook.500.BTCUSDT"], "error:handler not found,topic:orderbook.500.BTCUSDT"),
        (LINEAR, ["publicTrade.NOTASYMBOL"], "error:handler not found,topic:publicTrade.NOTASYMBOL"),
        (LINEAR, ["tickers.BTCUSDT", "candle.1.BTCUSDT"], "error:handler not found,topic:candle.1.BTCUSDT"),
        (LINEAR, ["kline.2.BTCUSDT"], "error:handler not found,topic:kline.2.BTCUSDT"),
        (LINEAR, ["tickers.BTCUSDT"] + [f"publicTrade.{k:020d}" for k in range(700)], "args length >21000"),
        (SPOT, ["orderbook.50.NOTREALUSDT"], "Invalid symbol :[orderbook.50.NOTREALUSDT]"),
        (SPOT, ["allLiquidation.BTCUSDT"], "error:handler not found,topic:allLiquidation.BTCUSDT"),
        (SPOT, [f"publicTrade.{k}" for k in range(11)], "args size >10"),
        (LINEAR, [], "Params Error"),
    ],
)
def test_refused_subscriptions_say_the_venues_words_and_subscribe_nothing(
    flow: RunningTestnet, path: str, args: list[str], words: str
) -> None:
    with connect(flow, path) as socket:
        answer = socket.ask({"op": "subscribe", "args": args})
        assert (answer["success"], answer["ret_msg"], answer["op"]) == (False, words, "subscribe")
        flow.clock(advance_ms=1_000)
        assert socket.until_now() == []


def test_a_topic_twice_refuses_the_whole_request(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("publicTrade.BTCUSDT")
        answer = socket.ask({"op": "subscribe", "args": ["kline.1.BTCUSDT", "publicTrade.BTCUSDT"]})
        assert (answer["success"], answer["ret_msg"]) == (
            False,
            "error:already subscribed,topic:publicTrade.BTCUSDT",
        )
        flow.clock(advance_ms=3_000)
        assert {json.loads(text)["topic"] for text in socket.until_now()} == {"publicTrade.BTCUSDT"}
        socket.ask({"op": "unsubscribe", "args": ["publicTrade.BTCUSDT"]})
        flow.clock(advance_ms=3_000)
        assert socket.until_now() == []


def test_pings_in_both_styles(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        answer = socket.ask({"op": "ping", "req_id": 7})
        assert (answer["success"], answer["ret_msg"], answer["op"], answer["req_id"]) == (
            True,
            "pong",
            "ping",
            7,
        )
        assert socket.ping_frame() == b"are you there"
    with connect(flow, SPOT) as socket:
        assert "req_id" not in socket.ask({"op": "ping"})
    with connect(flow, "/v5/private") as socket:
        answer = socket.ask({"op": "ping", "req_id": "a"})
        assert (answer["op"], answer["req_id"]) == ("pong", "a")
        assert abs(int(answer["args"][0]) - time.time() * 1000) < 5_000
    with connect(flow, "/v5/trade") as socket:
        answer = socket.ask({"op": "ping"})
        assert (answer["retCode"], answer["retMsg"], answer["op"], len(answer["data"])) == (
            0,
            "OK",
            "pong",
            1,
        )


@pytest.mark.parametrize(
    "request_text", ["no json", "[1]", '{"op":"dance"}', '{"op":"subscribe","args":"x"}', "{}"]
)
@pytest.mark.parametrize("path", [LINEAR, "/v5/private"])
def test_nonsense_is_answered_and_leaves_the_connection(
    flow: RunningTestnet, path: str, request_text: str
) -> None:
    with connect(flow, path) as socket:
        answer = socket.ask(request_text)
        assert (answer["success"], answer["ret_msg"]) == (False, "Params Error")
        assert socket.ask({"op": "ping"})["op"] in ("ping", "pong")


def test_authentication_refused_and_taken(flow: RunningTestnet) -> None:
    with connect(flow, "/v5/private") as socket:
        refused = socket.ask({"op": "subscribe", "args": ["order"]})
        assert (refused["success"], refused["ret_msg"]) == (False, "Request not authorized")
        assert socket.authorise(ahead_ms=-1)["ret_msg"] == "Params Error"
        assert socket.authorise(key="other")["ret_msg"] == "API key is invalid."
        assert socket.authorise(secret="other")["ret_msg"].startswith("Error sign")
        assert socket.ask({"op": "auth", "args": ["x"]})["ret_msg"] == "Params Error"
        taken = socket.authorise()
        assert (taken["success"], taken["ret_msg"], taken["op"]) == (True, "", "auth")
        unknown = socket.ask({"op": "subscribe", "args": ["order", "gossip"]})
        assert unknown["ret_msg"] == "error:handler not found,topic:gossip"
        socket.subscribe("order", "wallet")
        assert (
            socket.ask({"op": "subscribe", "args": ["order"]})["ret_msg"]
            == "error:already subscribed,topic:order"
        )


def test_an_order_over_rest_is_told_on_the_private_stream(flow: RunningTestnet) -> None:
    with connect(flow, "/v5/private") as every, connect(flow, "/v5/private") as some:
        for socket, topics in (
            (every, ("order", "execution", "position", "wallet")),
            (some, ("order.linear",)),
        ):
            socket.authorise()
            socket.subscribe(*topics)
        assert buy(flow, "BTCUSDT", "0.001", orderLinkId="told-1")["retCode"] == 0
        told = [every.next() for _ in range(4)]
        assert {m["topic"] for m in told} == {"order", "execution", "position", "wallet"}
        order = next(m for m in told if m["topic"] == "order")["data"][0]
        assert (order["orderLinkId"], order["orderStatus"]) == ("told-1", "Filled")
        only = some.next()
        assert (only["topic"], only["data"][0]["orderLinkId"]) == ("order.linear", "told-1")
        every.ask({"op": "unsubscribe", "args": ["order", "execution", "position"]})
        buy(flow, "BTCUSDT", "0.001")
        assert every.next()["topic"] == "wallet"


def test_orders_over_the_trade_socket(flow: RunningTestnet) -> None:
    order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.001"}

    def request(number: str, ahead_ms: int = 0) -> dict[str, object]:
        stamp = str(time.time_ns() // 1_000_000 + ahead_ms)
        return {"reqId": number, "header": {"X-BAPI-TIMESTAMP": stamp}, "op": "order.create", "args": [order]}

    with connect(flow, "/v5/trade") as socket:
        assert socket.ask(request("0"))["retCode"] == 10003
        assert socket.authorise(secret="other")["retCode"] == 10004
        assert socket.authorise()["retCode"] == 0
        assert socket.authorise()["retCode"] == 20001
        taken = socket.ask(request("1"))
        assert (taken["reqId"], taken["retCode"], taken["op"]) == ("1", 0, "order.create")
        assert taken["connId"]
        assert taken["data"]["orderId"]
        assert socket.ask(request("1"))["retCode"] == 20006
        assert socket.ask(request("2", ahead_ms=1_500))["retCode"] == 10002
        assert socket.ask(request("3", ahead_ms=-6_000))["retCode"] == 10002


def test_connections_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "NEW_CONNECTIONS", 5)
    monkeypatch.setattr(gates, "MOST_CONNECTIONS", 3)
    gate = ConnectionGate()
    assert [gate.admit(LINEAR, "a") for _ in range(4)] == [True, True, True, False]
    assert gate.admit(SPOT, "a")
    gate.leave(LINEAR, "a")
    assert not gate.admit(LINEAR, "a")
    assert gate.admit(LINEAR, "b")


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("", 600), ("90s", 90), ("1m", 60), ("5s", 30), ("99m", 600), ("xs", 600), ("9", 600)],
)
def test_max_active_time(words: str, seconds: float) -> None:
    assert silent_seconds(words) == seconds


def test_a_silent_connection_is_cut(flow: RunningTestnet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "silent_seconds", lambda words: 0.2)
    with connect(flow, "/v5/private") as socket:
        ended = (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR)
        assert socket.raw(10.0).type in ended
