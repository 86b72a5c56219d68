from __future__ import annotations

import hashlib
import hmac
import json
import time

import pytest
import requests

from hean_live.local_testnet.auth import sign
from tests.local_testnet.client import signed_get, signed_headers
from tests.local_testnet.server import RunningTestnet

PATH = "/v5/account/info"


def ask(testnet: RunningTestnet, headers: dict[str, str], query: str = "") -> requests.Response:
    return requests.get(f"{testnet.base_url}{PATH}?{query}", headers=headers, timeout=5)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_signature_of_the_documented_concatenation() -> None:
    # The documentation masks its keys; the concatenation it prints is what must be signed.
    text = b"1658384314791XXXXXXXXXX5000category=option&symbol=BTC-29JUL22-25000-C"
    expected = hmac.new(b"secret", text, hashlib.sha256).hexdigest()
    payload = b"category=option&symbol=BTC-29JUL22-25000-C"
    assert sign("secret", "1658384314791", "XXXXXXXXXX", "5000", payload) == expected
    assert expected == expected.lower()


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")], ids=["pybit spacing", "compact"])
def test_json_is_checked_as_it_was_sent(testnet: RunningTestnet, separators: tuple[str, str]) -> None:
    fields = {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "10", "sellLeverage": "10"}
    body = json.dumps(fields, separators=separators)
    url = f"{testnet.base_url}/v5/position/set-leverage"
    answer = requests.post(url, data=body, headers=signed_headers(testnet, body), timeout=5).json()
    assert answer["retCode"] == 110043  # past the signature: the leverage already is 10
    other = json.dumps(fields, separators=separators, sort_keys=True)
    assert (
        requests.post(url, data=other, headers=signed_headers(testnet, body), timeout=5).json()["retCode"]
        == 10004
    )


def test_query_order_matters(testnet: RunningTestnet) -> None:
    headers = signed_headers(testnet, "a=1&b=2")
    assert ask(testnet, headers, "a=1&b=2").json()["retCode"] == 0
    assert ask(testnet, headers, "b=2&a=1").json()["retCode"] == 10004


def test_a_cursor_is_signed_as_it_was_given(testnet: RunningTestnet) -> None:
    answer = signed_get(testnet, "/v5/order/history", category="linear", cursor="page_token%3D39380%26")
    assert answer["retCode"] == 0


def test_wrong_secret_and_wrong_key(testnet: RunningTestnet) -> None:
    headers = signed_headers(testnet, "")
    assert ask(testnet, headers | {"X-BAPI-SIGN": "0" * 64}).json()["retCode"] == 10004
    body = ask(testnet, headers | {"X-BAPI-API-KEY": "somebody"}).json()
    assert (body["retCode"], body["retMsg"]) == (10003, "API key is invalid.")


def test_missing_headers_are_unauthorised(testnet: RunningTestnet) -> None:
    assert ask(testnet, {}).status_code == 401


@pytest.mark.parametrize(
    ("ahead_ms", "recv_window", "code"),
    [
        (0, "5000", 0),
        (-4_000, "5000", 0),
        (-6_000, "5000", 10002),
        (700, "5000", 0),
        (1_500, "50000", 10002),
        (-1_500, "1000", 10002),
    ],
)
def test_time_window(testnet: RunningTestnet, ahead_ms: int, recv_window: str, code: int) -> None:
    headers = signed_headers(testnet, "", timestamp=now_ms() + ahead_ms, recv_window=recv_window)
    body = ask(testnet, headers).json()
    assert body["retCode"] == code
    if code:
        assert f"req_timestamp[{headers['X-BAPI-TIMESTAMP']}],server_timestamp[" in body["retMsg"]
        assert f"recv_window[{recv_window}]" in body["retMsg"]


def test_a_skewed_server_clock_is_seen_by_signatures_and_by_time(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.clock(wall_offset_ms=-3_000)
    body = ask(testnet, signed_headers(testnet, "")).json()
    assert body["retCode"] == 10002
    assert body["time"] == pytest.approx(now_ms() - 3_000, abs=1_000)
    assert testnet.get("/v5/market/time")["time"] == pytest.approx(now_ms() - 3_000, abs=1_000)


def test_market_time_does_not_matter_to_signatures(testnet: RunningTestnet) -> None:
    assert testnet.now_ms < now_ms() - 1_000_000
    assert ask(testnet, signed_headers(testnet, "")).json()["retCode"] == 0


def test_wrong_verbs_and_bodies_on_gets(testnet: RunningTestnet) -> None:
    url = testnet.base_url
    assert requests.post(f"{url}/v5/market/time", timeout=5).status_code == 400
    assert requests.get(f"{url}/v5/order/create", timeout=5).status_code == 400
    assert requests.get(f"{url}/v5/market/time", data="{}", timeout=5).status_code == 403
    assert (
        requests.get(f"{url}{PATH}", data="{}", headers=signed_headers(testnet, ""), timeout=5).status_code
        == 403
    )
    assert requests.get(f"{url}/v5/no/such/path", timeout=5).status_code == 404
