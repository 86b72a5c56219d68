"""Unmodified pybit reads the local testnet by changing its endpoint alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from tests.local_testnet.server import RunningTestnet, start_testnet

HOUR = 3_600_000


@pytest.fixture(scope="module")
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT", "ETHUSDT")) as running:
        yield running


@pytest.fixture
def session(testnet: RunningTestnet) -> Iterator[Any]:
    http = HTTP(testnet=True)
    http.endpoint = testnet.base_url
    yield http
    http.client.close()


def test_every_public_method(session: Any, testnet: RunningTestnet) -> None:
    now = testnet.now_ms
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    assert int(session.get_server_time()["result"]["timeSecond"]) > 1_600_000_000
    assert len(session.get_instruments_info(category="linear")["result"]["list"]) == 2
    assert session.get_tickers(**ask)["result"]["list"][0]["symbol"] == "BTCUSDT"
    assert len(session.get_tickers(category="spot")["result"]["list"]) == 2
    assert len(session.get_orderbook(**ask, limit=50)["result"]["b"]) == 50
    assert len(session.get_public_trade_history(**ask, limit=10)["result"]["list"]) == 10
    for method in (
        "get_kline",
        "get_mark_price_kline",
        "get_index_price_kline",
        "get_premium_index_price_kline",
    ):
        found = getattr(session, method)(**ask, interval=60, start=now - 3 * HOUR, end=now)
        assert [int(row[0]) for row in found["result"]["list"]] == [now - k * HOUR for k in range(4)]
    assert len(session.get_funding_rate_history(**ask, limit=5)["result"]["list"]) == 5
    assert len(session.get_long_short_ratio(**ask, period="1h")["result"]["list"]) == 50


def test_open_interest_is_walked_by_cursor(session: Any, testnet: RunningTestnet) -> None:
    start, end = testnet.now_ms - 10 * HOUR, testnet.now_ms
    seen: list[int] = []
    cursor = None
    while True:
        result = session.get_open_interest(
            category="linear",
            symbol="BTCUSDT",
            intervalTime="1h",
            startTime=start,
            endTime=end,
            limit=4,
            cursor=cursor,
        )["result"]
        seen += [int(row["timestamp"]) for row in result["list"]]
        cursor = result["nextPageCursor"]
        if not cursor:
            break
    assert seen == list(range(end, start - 1, -HOUR))


def test_errors_are_raised_with_the_venues_codes(session: Any, testnet: RunningTestnet) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        session.get_funding_rate_history(category="linear", symbol="BTCUSDT", startTime=testnet.now_ms - HOUR)
    assert caught.value.status_code == 10001
    testnet.fault("http_status", status=403)
    with pytest.raises(FailedRequestError) as forbidden:
        session.get_server_time()
    assert forbidden.value.status_code == 403


def test_rate_limit_with_a_reset_ahead_is_retried(session: Any, testnet: RunningTestnet) -> None:
    testnet.fault("ret_code", ret_code=10006, reset_in_ms=300)
    assert session.get_server_time()["retCode"] == 0


def test_rate_limit_with_a_reset_past_breaks_pybit(session: Any, testnet: RunningTestnet) -> None:
    # A defect of pybit 5.17.0 that the executor has to work around; this is how it is reproduced.
    testnet.fault("ret_code", ret_code=10006, reset_in_ms=-5_000)
    with pytest.raises(ValueError, match="non-negative"):
        session.get_server_time()


def test_headers_are_returned(testnet: RunningTestnet) -> None:
    http = HTTP(testnet=True, return_response_headers=True)
    http.endpoint = testnet.base_url
    body, _, headers = http.get_tickers(category="linear", symbol="ETHUSDT")
    assert Decimal(body["result"]["list"][0]["lastPrice"]) > 0
    assert int(headers["X-Bapi-Limit-Status"]) > 0
    http.client.close()
