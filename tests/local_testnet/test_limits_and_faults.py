from __future__ import annotations

import time

import pytest
import requests

from hean_live.local_testnet.limits import RateLimits, RollingWindow
from tests.local_testnet.client import buy, order_of, signed_get, signed_headers, signed_post
from tests.local_testnet.server import RunningTestnet

TIME = "/v5/market/time"


def test_rolling_window_admits_so_many_in_any_stretch() -> None:
    window = RollingWindow(limit=2, window_ms=100)
    assert [window.take(at) for at in (0, 10, 20, 99, 100, 105, 110)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert window.reset_ms(115) == 200


def test_breaching_the_address_limit_bans_until_the_ban_ends() -> None:
    now = [0]
    limits = RateLimits(lambda: now[0], ip_limit=3, ban_ms=1_000)
    assert [limits.admit_address("a") is not None for _ in range(4)] == [True, True, True, False]
    assert limits.admit_address("b") is not None
    now[0] = 999
    assert limits.admit_address("a") is None
    now[0] = 6_000
    assert limits.admit_address("a") is not None


def test_too_many_requests_from_one_address_are_forbidden(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",), ip_limit=20, ban_ms=400)
    codes = [requests.get(testnet.base_url + TIME, timeout=5).status_code for _ in range(22)]
    assert codes == [200] * 20 + [403] * 2
    assert requests.get(testnet.base_url + TIME, timeout=5).text == "access too frequent"
    # Control is not part of the venue: it stays reachable.
    assert testnet.state()["symbols"] == ["BTCUSDT"]


def test_too_many_signed_requests_answer_10006_with_a_reset_ahead(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    answers = []
    for _ in range(8):
        url = f"{testnet.base_url}/v5/account/fee-rate?category=linear"
        answers.append(requests.get(url, headers=signed_headers(testnet, "category=linear"), timeout=5))
    codes = [answer.json()["retCode"] for answer in answers]
    assert codes == [0] * 5 + [10006] * 3
    assert answers[-1].status_code == 200
    assert (answers[0].headers["X-Bapi-Limit"], answers[0].headers["X-Bapi-Limit-Status"]) == ("5", "4")
    reset = int(answers[-1].headers["X-Bapi-Limit-Reset-Timestamp"])
    assert 0 < reset - answers[-1].json()["time"] <= 1_000


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_http_status_fault_strikes_once(local_testnet, status: int) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault("http_status", status=status)
    assert testnet.state()["faults"] == 1
    assert requests.get(testnet.base_url + TIME, timeout=5).status_code == status
    assert requests.get(testnet.base_url + TIME, timeout=5).status_code == 200


@pytest.mark.parametrize("reset_in_ms", [500, -700])
def test_rate_limit_fault_with_a_reset_ahead_or_past(local_testnet, reset_in_ms: int) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault("ret_code", ret_code=10006, reset_in_ms=reset_in_ms)
    answer = requests.get(testnet.base_url + TIME, timeout=5)
    assert (answer.status_code, answer.json()["retCode"]) == (200, 10006)
    assert int(answer.headers["X-Bapi-Limit-Reset-Timestamp"]) - answer.json()["time"] == reset_in_ms


def test_truncated_body(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault("truncate")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        requests.get(testnet.base_url + TIME, timeout=5).json()


def test_dropped_connection(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault("drop")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(testnet.base_url + TIME, timeout=5)
    assert testnet.get(TIME)["retCode"] == 0


def test_delay(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault("delay", seconds=0.3)
    started = time.monotonic()
    assert testnet.get(TIME)["retCode"] == 0
    assert time.monotonic() - started >= 0.3
    testnet.fault("delay", seconds=0.5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(testnet.base_url + TIME, timeout=0.1)


def test_faults_wait_for_their_path_and_count(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault("http_status", status=500, path_prefix="/v5/market/tickers", count=2)
    testnet.fault("http_status", status=429, path_prefix="/v5/market/time")
    tickers = testnet.base_url + "/v5/market/tickers?category=linear"
    assert requests.get(testnet.base_url + TIME, timeout=5).status_code == 429
    assert [requests.get(tickers, timeout=5).status_code for _ in range(3)] == [500, 500, 200]
    testnet.fault("drop", count=5)
    testnet.clear_faults()
    assert testnet.get(TIME)["retCode"] == 0


@pytest.mark.parametrize("kind", ["drop", "truncate", "http_status"])
def test_a_reply_lost_after_the_order_was_taken(local_testnet, kind: str) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault(kind, path_prefix="/v5/order/create", when="after", status=502)
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.JSONDecodeError)):
        buy(testnet, "BTCUSDT", "0.001", orderLinkId="lost-1")
    found = signed_get(
        testnet, "/v5/order/realtime", category="linear", symbol="BTCUSDT", orderLinkId="lost-1"
    )
    assert found["result"]["list"][0]["orderStatus"] == "Filled"


def test_a_request_lost_before_it_arrived_left_nothing(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    testnet.fault("drop", path_prefix="/v5/order/create")
    with pytest.raises(requests.exceptions.ConnectionError):
        buy(testnet, "BTCUSDT", "0.001", orderLinkId="lost-2")
    found = signed_get(
        testnet, "/v5/order/realtime", category="linear", symbol="BTCUSDT", orderLinkId="lost-2"
    )
    assert found["result"]["list"] == []


def test_bad_control_requests_say_what_is_wrong(testnet: RunningTestnet) -> None:
    def post(path: str, body: object) -> tuple[int, str]:
        answer = requests.post(testnet.base_url + path, json=body, timeout=5)
        return answer.status_code, answer.json().get("error", "")

    for body in ({}, {"faster": 3}, {"speed": -1}, {"now_ms": 0}, {"advance_ms": 10**13}, ["speed"]):
        status, error = post("/testnet/clock", body)
        assert (status, bool(error)) == (400, True), body
    for body in ({}, {"faults": [{"kind": "flood"}]}, {"faults": [{"kind": "drop", "colour": 1}]}):
        status, error = post("/testnet/faults", body)
        assert (status, bool(error)) == (400, True), body
    assert "only goes forward" in post("/testnet/clock", {"now_ms": 5})[1]


def test_clock_runs_at_its_speed_and_jumps(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",), speed=0)
    start = testnet.now_ms
    assert testnet.now_ms == start
    assert testnet.advance(hours=1)["market_time_ms"] == start + 3_600_000
    testnet.clock(speed=10_000)
    time.sleep(0.1)
    state = testnet.clock(speed=0)
    moved = state["market_time_ms"] - start - 3_600_000
    assert 1_000_000 <= moved < 60_000_000
    assert testnet.now_ms == state["market_time_ms"]


def test_signed_routes_that_are_not_served_say_so(testnet: RunningTestnet) -> None:
    body = signed_post(testnet, "/v5/order/pre-check", category="linear", symbol="BTCUSDT", qty="1")
    assert (body["retCode"], body["retMsg"]) == (10017, "Route not found.")


def test_order_found_after_trading(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    ack = buy(testnet, "BTCUSDT", "0.001")["result"]
    assert order_of(testnet, "BTCUSDT", ack["orderId"])["orderStatus"] == "Filled"
