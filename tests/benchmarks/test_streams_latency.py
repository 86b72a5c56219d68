"""The latency benchmark's venue and its figures; how quick anything is, and nautilus_trader, are left to the benchmark."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from benchmarks import streams_latency
from benchmarks.core_peers import PeerError
from benchmarks.streams_feed import ask_for_upgrade, masked_frame, number_of, split_frame
from benchmarks.streams_latency_account import answer, serve_private, serve_rest
from benchmarks.streams_market import SYMBOLS, WHALE, Market
from tests.support import shared_path


def test_a_whale_is_known_by_its_size_and_its_id():
    market = Market(400)
    messages = [market.message(k) for k in range(2_000)]
    trades = {number_of(text): json.loads(text)["data"][0] for text in messages if b"publicTrade" in text}
    whales = [k for k, trade in trades.items() if trade["v"] == WHALE]
    assert len(whales) == 20  # one in a quarter of a second
    assert whales == [101 * n for n in range(10)] + [1_000 + 101 * n for n in range(10)]
    assert {trades[k]["s"] for k in whales} == set(SYMBOLS)
    assert all(int(trade["i"]) == k for k, trade in trades.items())
    assert not any(f'"{WHALE}"'.encode() in text for k, text in enumerate(messages) if k not in whales)


@pytest.mark.parametrize(
    ("path", "documented"),
    [
        ("/v5/market/instruments-info", "market__instrument__0.json"),
        ("/v5/account/fee-rate", "account__fee-rate__0.json"),
        ("/v5/account/wallet-balance", "account__wallet-balance__0.json"),
    ],
)
def test_what_the_account_answers_has_the_venues_shape(path, documented):
    venues = json.loads(shared_path(f"fixtures/bybit/docs_official/{documented}").read_text())
    ours = answer(f"{path}?category=linear")
    assert shape_of(ours) <= shape_of(venues)


def shape_of(value: Any, at: str = "") -> set[str]:
    """Paths and kinds of all that is in a reply."""
    if isinstance(value, dict):
        return set().union(*(shape_of(item, f"{at}.{name}") for name, item in value.items()), {at})
    if isinstance(value, list):
        return set().union(*(shape_of(item, f"{at}[]") for item in value), {at})
    return {f"{at}:{type(value).__name__}"}


def test_every_symbol_is_listed_with_its_fee_and_its_coin():
    listed = answer("/v5/market/instruments-info")["result"]["list"]
    fees = answer("/v5/account/fee-rate")["result"]["list"]
    coins = answer("/v5/asset/coin/query-info")["result"]["rows"]
    assert [row["symbol"] for row in listed] == [row["symbol"] for row in fees] == list(SYMBOLS)
    assert {row["baseCoin"] for row in listed} | {"USDT"} == {row["coin"] for row in coins}
    assert answer("/v5/market/kline") is None


def test_the_account_is_served_on_loopback():
    rest = f"http://127.0.0.1:{serve_rest()}/v5/account"
    with urllib.request.urlopen(f"{rest}/wallet-balance?accountType=UNIFIED", timeout=10) as reply:
        assert json.load(reply)["result"]["list"][0]["coin"][0]["coin"] == "USDT"
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(f"{rest}/unknown", timeout=10)
    refused.value.close()


def test_the_private_socket_takes_sign_in_and_subscriptions():
    with socket.create_server(("127.0.0.1", 0)) as server:
        served = threading.Thread(target=serve_private, args=(server,), daemon=True)
        served.start()
        with socket.create_connection(server.getsockname(), timeout=10) as client:
            ask_for_upgrade(client)
            told = [said(client, op) for op in ("auth", "subscribe", "ping")]
        served.join(10)
    assert [(reply["op"], reply.get("success")) for reply in told] == [
        ("auth", True),
        ("subscribe", True),
        ("pong", None),
    ]
    assert not served.is_alive()


def said(client: socket.socket, op: str) -> dict[str, Any]:
    """Reply to a request."""
    client.sendall(masked_frame(json.dumps({"op": op}).encode()))
    data = b""
    while (found := split_frame(data))[0] is None:
        data += client.recv(4096)
    reply: dict[str, Any] = json.loads(found[0])
    return reply


def test_every_whale_is_answered_and_stamped(tmp_path):
    ran = streams_latency.measure("bare", "-", tmp_path, 2.0)
    told = streams_latency.figures(ran)
    assert (told["orders"], told["lost"]) == (8, 0)
    assert 0.0 < told["p50_us"] <= told["p99_us"] <= told["max_us"]


def test_a_client_that_fails_says_why(tmp_path):
    with pytest.raises(PeerError, match=r"(?s)pybit: .*'ten'"):
        streams_latency.measure("pybit", "ten", tmp_path, 1.0)


def test_nautilus_is_a_reason_where_it_cannot_be_had(tmp_path, monkeypatch):
    taken = tmp_path / "a-file"
    taken.touch()
    monkeypatch.setenv("HEAN_HOME", str(taken))
    figures, reason = streams_latency.nautilus(tmp_path, 1.0)
    assert figures is None
    assert "a-file" in reason or "uv" in reason
