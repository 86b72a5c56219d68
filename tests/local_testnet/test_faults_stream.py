"""Faults on the way, over loopback: sockets, requests, and both drawn from a seed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import requests

from hean_live.local_testnet.fault_schedule import FaultSchedule, parse_schedule
from hean_live.local_testnet.latency import Latency, parse_latency
from models.errors import ConfigError
from models.market.readers.bybit import BybitReader
from tests.local_testnet.client import buy, signed_get
from tests.local_testnet.server import RunningTestnet
from tests.local_testnet.sockets import connect, flow_testnet

LINEAR = "/v5/public/linear"
TIME = "/v5/market/time"
GONE = (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)


@pytest.fixture
def flow() -> Iterator[RunningTestnet]:
    with flow_testnet(("BTCUSDT",)) as testnet:
        yield testnet


def strike(testnet: RunningTestnet, kind: str, **fields: Any) -> None:
    testnet.fault(kind, path_prefix=LINEAR, topic_prefix="orderbook", **fields)


def updates(texts: list[str]) -> list[int]:
    return [json.loads(text)["data"]["u"] for text in texts]


def struck_books(flow: RunningTestnet, kind: str, **fields: Any) -> list[str]:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        socket.until_now()
        strike(flow, kind, **fields)
        flow.clock(advance_ms=2_000)
        return socket.until_now()


def test_doubled(flow: RunningTestnet) -> None:
    texts = struck_books(flow, "double")
    assert texts[0] == texts[1]
    assert updates(texts[1:]) == list(range(updates(texts)[0], updates(texts)[0] + len(texts) - 1))
    assert BybitReader().feed("".join(f"{k + 1} {t}\n" for k, t in enumerate(texts)).encode()) is not None


def test_reordered(flow: RunningTestnet) -> None:
    first, second, *_ = updates(struck_books(flow, "reorder"))
    assert second == first - 1


def test_lost_messages_are_a_gap_our_reader_sees(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        flow.clock(advance_ms=500)
        texts = socket.until_now()
        strike(flow, "lose", count=3)
        flow.clock(advance_ms=2_000)
        texts += socket.until_now()
    assert sorted(set(range(updates(texts)[0], updates(texts)[-1] + 1)) - set(updates(texts)))[2:] != []
    reader = BybitReader()
    reader.feed("".join(f"{k + 1} {t}\n" for k, t in enumerate(texts)).encode())
    assert reader.stats.gaps == 1


def test_truncated_and_garbage(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        socket.until_now()
        strike(flow, "truncate")
        flow.clock(advance_ms=500)
        with pytest.raises(json.JSONDecodeError):
            json.loads(socket.text())
        socket.until_now()
        strike(flow, "garbage")
        flow.clock(advance_ms=500)
        # Bytes that are no UTF-8: a strict client ends the connection.
        assert socket.raw().type in (aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED)


def test_delayed_with_all_that_follow(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        socket.until_now()
        strike(flow, "delay", seconds=0.4)
        started = time.monotonic()
        flow.clock(advance_ms=1_000)
        texts = socket.until_now()
        assert time.monotonic() - started >= 0.39
    assert updates(texts) == sorted(updates(texts))


def test_mute_stays_connected_and_answers_ping_frames(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        socket.until_now()
        strike(flow, "mute", seconds=0.5)
        flow.clock(advance_ms=1_000)
        assert socket.ping_frame() == b"are you there"
        with pytest.raises(TimeoutError):
            socket.raw(0.1)
        time.sleep(0.5)
        flow.clock(advance_ms=1_000)
        assert updates(socket.until_now())


def test_dropped_in_the_middle_of_a_frame(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        socket.until_now()
        strike(flow, "drop")
        flow.clock(advance_ms=1_000)
        assert socket.raw().type in GONE
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")


def test_books_restart_as_a_fault(flow: RunningTestnet) -> None:
    texts = struck_books(flow, "restart_books")
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        strike(flow, "restart_books")
        for _ in range(5):
            flow.clock(advance_ms=500)
            texts += socket.until_now()
    assert any(json.loads(text)["data"]["u"] == 1 for text in texts)


def test_maintenance_closes_everything_for_a_while(flow: RunningTestnet) -> None:
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")
        socket.until_now()
        flow.fault("maintenance", seconds=0.6, status=503)
        assert requests.get(flow.base_url + TIME, timeout=5).status_code == 503
        assert socket.raw().type in GONE
    assert requests.get(flow.base_url + TIME, timeout=5).status_code == 503
    with pytest.raises(aiohttp.WSServerHandshakeError), connect(flow):
        pass
    time.sleep(0.7)
    assert flow.get(TIME)["retCode"] == 0
    flow.fault("maintenance", seconds=0.3, status=200)
    assert [flow.get(TIME)["retCode"] for _ in range(2)] == [10016, 10016]
    time.sleep(0.4)
    with connect(flow) as socket:
        socket.subscribe("orderbook.50.BTCUSDT")


def test_a_request_handled_twice(flow: RunningTestnet) -> None:
    flow.fault("double", path_prefix="/v5/order/create")
    answer = buy(flow, "BTCUSDT", "0.001", orderLinkId="twice-1")
    assert answer["retCode"] == 110072
    found = signed_get(flow, "/v5/order/realtime", category="linear", symbol="BTCUSDT", orderLinkId="twice-1")
    assert [row["orderStatus"] for row in found["result"]["list"]] == ["Filled"]


def test_a_storm_of_rate_limits_with_stale_stamps(flow: RunningTestnet) -> None:
    flow.fault("ret_code", ret_code=10006, count=5, reset_in_ms=-900)
    answers = [requests.get(flow.base_url + TIME, timeout=5) for _ in range(6)]
    assert [a.json()["retCode"] for a in answers] == [10006] * 5 + [0]
    assert int(answers[0].headers["X-Bapi-Limit-Reset-Timestamp"]) < answers[0].json()["time"]


def test_garbage_reply_after_the_order_was_taken(flow: RunningTestnet) -> None:
    flow.fault("garbage", path_prefix="/v5/order/create")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        buy(flow, "BTCUSDT", "0.001", orderLinkId="garbled-1")
    found = signed_get(
        flow, "/v5/order/realtime", category="linear", symbol="BTCUSDT", orderLinkId="garbled-1"
    )
    assert found["result"]["list"][0]["orderStatus"] == "Filled"


@pytest.mark.parametrize("seconds", [8.0, -8.0])
def test_the_venues_clock_is_off_for_one_request(flow: RunningTestnet, seconds: float) -> None:
    flow.fault("skew", path_prefix="/v5/account", seconds=seconds)
    first = signed_get(flow, "/v5/account/fee-rate", category="linear")
    assert (first["retCode"], signed_get(flow, "/v5/account/fee-rate", category="linear")["retCode"]) == (
        10002,
        0,
    )
    assert abs(first["time"] - time.time() * 1000 - seconds * 1000) < 3_000


def test_the_address_is_banned(flow: RunningTestnet) -> None:
    flow.fault("http_status", status=403)
    answer = requests.get(flow.base_url + TIME, timeout=5)
    assert (answer.status_code, answer.text) == (403, "access too frequent")


def conversation(seed: int, rate: float) -> list[Any]:
    """Ask and listen in the same order; returns what struck where."""
    with flow_testnet(("BTCUSDT",), schedule=FaultSchedule(seed, rate)) as testnet:
        with requests.Session() as session:
            for _ in range(60):
                try:
                    session.get(testnet.base_url + TIME, timeout=5)
                except requests.exceptions.ConnectionError:
                    continue
        try:
            with connect(testnet) as socket:
                socket.say({"op": "subscribe", "args": ["orderbook.1.BTCUSDT", "publicTrade.BTCUSDT"]})
                for _ in range(20):
                    testnet.clock(advance_ms=500)
        except aiohttp.ClientError:
            pass
        struck: list[Any] = testnet._control("GET", "/testnet/faults", None)["struck"]  # type: ignore[assignment]
        return struck


def test_same_seed_same_faults_at_the_same_messages() -> None:
    one, again, other = conversation(5, 0.3), conversation(5, 0.3), conversation(6, 0.3)
    assert one == again
    assert one != other
    assert 5 <= sum(path == TIME for path, _ in one) <= 35
    assert any(path.startswith(LINEAR) for path, _ in one + other)


def test_rate_and_independence_of_channels() -> None:
    schedule = FaultSchedule(1, 0.1)
    struck = [schedule.request("/a") is not None for _ in range(4_000)]
    assert 330 < sum(struck) < 470
    mixed = FaultSchedule(1, 0.1)
    again = []
    for _ in range(4_000):
        again.append(mixed.request("/a") is not None)
        mixed.request("/b")
    assert again == struck
    first, second = FaultSchedule(1, 1.0).connection("/v5/private"), FaultSchedule(1, 1.0)
    second.connection("/v5/private")
    assert [first.message() for _ in range(500)] != [
        second.connection("/v5/private").message() for _ in range(500)
    ]


def test_words_of_the_command_line() -> None:
    schedule = parse_schedule("seed:11:0.25")
    assert (schedule.seed, schedule.rate) == (11, 0.25)
    for words in ("seed", "seed:x", "11", "seed:1:2", "seed:1:-1"):
        with pytest.raises(ConfigError):
            parse_schedule(words)
    latency = parse_latency("50-150", 1)
    assert (latency.low_ms, latency.high_ms, bool(latency), bool(Latency())) == (50.0, 150.0, True, False)
    assert parse_latency("80", 1).high_ms == 80.0
    for words in ("x", "150-50", "-5", "70000"):
        with pytest.raises(ConfigError):
            parse_latency(words, 1)


def test_latency_both_ways_keeps_the_order(flow: RunningTestnet) -> None:
    flow._control("POST", "/testnet/latency", {"in_ms": [60, 90], "out_ms": [50, 150]})  # type: ignore[arg-type]
    started = time.monotonic()
    assert flow.get(TIME)["retCode"] == 0
    assert time.monotonic() - started >= 0.105
    with connect(flow) as socket:
        started = time.monotonic()
        for number in range(5):
            socket.say({"op": "ping", "req_id": str(number)})
        assert [socket.next()["req_id"] for _ in range(5)] == list("01234")
        assert time.monotonic() - started >= 0.105
        socket.subscribe("orderbook.50.BTCUSDT")
        socket.until_now()
        for _ in range(4):
            flow.clock(advance_ms=300)
        found = updates(socket.until_now())
    assert found == sorted(found)


def test_wrong_faults_are_explained(flow: RunningTestnet) -> None:
    for fault in (
        {"kind": "lose"},
        {"kind": "drop", "topic_prefix": "x", "when": "never"},
        {"kind": "skew", "topic_prefix": "x"},
    ):
        answer = requests.post(flow.base_url + "/testnet/faults", json={"faults": [fault]}, timeout=5)
        assert (answer.status_code, "must be one of" in answer.text) == (400, "never" not in str(fault))
    for body in ({"seed": 1, "rate": 3}, {"in_ms": 5}):
        path = "/testnet/faults" if "seed" in body else "/testnet/latency"
        assert requests.post(flow.base_url + path, json=body, timeout=5).status_code == 400
