from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
import requests

from tests.local_testnet.server import RunningTestnet
from tests.support import shared_path


def test_time_follows_the_wall_and_other_market_replies_the_market_clock(testnet: RunningTestnet) -> None:
    body = testnet.get("/v5/market/time")
    assert abs(body["time"] - time.time() * 1000) < 2_000
    assert body["result"]["timeNano"].startswith(body["result"]["timeSecond"])
    assert testnet.get("/v5/market/tickers", category="linear")["time"] == testnet.now_ms


def test_envelope_and_headers(testnet: RunningTestnet) -> None:
    answer = requests.get(f"{testnet.base_url}/v5/market/tickers?category=linear", timeout=5)
    body = answer.json()
    assert list(body) == ["retCode", "retMsg", "result", "retExtInfo", "time"]
    assert (body["retCode"], body["retExtInfo"]) == (0, {})
    assert isinstance(body["time"], int)
    assert answer.headers["X-Bapi-Limit"]
    assert int(answer.headers["X-Bapi-Limit-Status"]) < int(answer.headers["X-Bapi-Limit"])
    assert abs(int(answer.headers["X-Bapi-Limit-Reset-Timestamp"]) - time.time() * 1000) < 10_000


def test_instruments_page_by_cursor_and_report_minutes_as_numbers(testnet: RunningTestnet) -> None:
    seen, cursor = [], ""
    while True:
        url = f"{testnet.base_url}/v5/market/instruments-info?category=linear&limit=2" + (
            f"&cursor={cursor}" if cursor else ""
        )
        result = requests.get(url, timeout=5).json()["result"]
        seen += result["list"]
        cursor = result["nextPageCursor"]
        if not cursor:
            break
        assert "%3D" in cursor
    assert [row["symbol"] for row in seen] == ["BTCUSDT", "ETHUSDT", "WIFUSDT"]
    assert [row["fundingInterval"] for row in seen] == [480, 480, 240]
    assert seen[0]["priceFilter"]["tickSize"] == "0.10"
    assert seen[0]["lotSizeFilter"]["qtyStep"] == "0.001"
    assert seen[0]["lowerFundingRate"] == "-" + seen[0]["upperFundingRate"]


def test_instruments_by_symbol_status_and_base_coin(testnet: RunningTestnet) -> None:
    def names(**params: str) -> list[str]:
        body = testnet.get("/v5/market/instruments-info", category="linear", **params)
        return [row["symbol"] for row in body["result"]["list"]]

    assert names(symbol="ETHUSDT") == ["ETHUSDT"]
    assert names(status="PreLaunch") == []
    assert names(baseCoin="WIF") == ["WIFUSDT"]
    assert testnet.get("/v5/market/instruments-info", category="linear", symbol="NOPE")["retCode"] == 10001
    assert testnet.get("/v5/market/instruments-info", category="inverse")["result"]["list"] == []


def test_tickers_of_one_and_of_all(testnet: RunningTestnet) -> None:
    everything = testnet.get("/v5/market/tickers", category="linear")["result"]["list"]
    one = testnet.get("/v5/market/tickers", category="linear", symbol="WIFUSDT")["result"]["list"]
    assert [row["symbol"] for row in everything] == ["BTCUSDT", "ETHUSDT", "WIFUSDT"]
    assert one == [everything[2]]
    assert one[0]["fundingIntervalHour"] == "4"
    assert int(one[0]["nextFundingTime"]) > testnet.now_ms
    assert Decimal(one[0]["bid1Price"]) < Decimal(one[0]["ask1Price"])
    lower, upper = sorted((Decimal(one[0]["indexPrice"]), Decimal(one[0]["lastPrice"])))
    assert lower <= Decimal(one[0]["markPrice"]) <= upper
    assert testnet.get("/v5/market/tickers", category="linear", symbol="NOPE")["retCode"] == 10001


def test_book_is_sorted_and_as_deep_as_asked(testnet: RunningTestnet) -> None:
    for limit, depth in ((None, 25), (50, 50), (5000, 1000)):
        params = {"category": "linear", "symbol": "BTCUSDT"} | ({} if limit is None else {"limit": limit})
        book = testnet.get("/v5/market/orderbook", **params)["result"]
        bids, asks = ([Decimal(price) for price, _ in book[side]] for side in ("b", "a"))
        assert (len(bids), len(asks)) == (depth, depth)
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
    spot = testnet.get("/v5/market/orderbook", category="spot", symbol="BTCUSDT")["result"]
    assert (len(spot["b"]), len(spot["a"])) == (1, 1)


def test_trades_agree_with_the_bars(testnet: RunningTestnet) -> None:
    trades = testnet.get("/v5/market/recent-trade", category="linear", symbol="BTCUSDT", limit=1000)[
        "result"
    ]["list"]
    bars = testnet.get("/v5/market/kline", symbol="BTCUSDT", interval="1", limit=60)["result"]["list"]
    times = [int(trade["time"]) for trade in trades]
    assert times == sorted(times, reverse=True)
    assert len({trade["execId"] for trade in trades}) == len(trades)
    for bar in bars[1:]:
        inside = [trade for trade in trades if int(bar[0]) <= int(trade["time"]) < int(bar[0]) + 60_000]
        prices = [Decimal(trade["price"]) for trade in inside]
        assert (max(prices), min(prices)) == (Decimal(bar[2]), Decimal(bar[3]))
        assert (prices[-1], prices[0]) == (Decimal(bar[1]), Decimal(bar[4]))
        assert sum(Decimal(trade["size"]) for trade in inside) == Decimal(bar[5])


def test_spot_trades_are_limited_to_60(testnet: RunningTestnet) -> None:
    body = testnet.get("/v5/market/recent-trade", category="spot", symbol="BTCUSDT", limit=500)
    assert len(body["result"]["list"]) == 60


@pytest.mark.parametrize(
    ("fixture", "path", "params"),
    [
        ("market__instrument__0", "instruments-info", {"category": "linear", "symbol": "BTCUSDT"}),
        ("market__instrument__3", "instruments-info", {"category": "spot", "symbol": "BTCUSDT"}),
        ("market__tickers__0", "tickers", {"category": "linear", "symbol": "BTCUSDT"}),
        ("market__tickers__2", "tickers", {"category": "spot", "symbol": "BTCUSDT"}),
        (
            "market__history-fund-rate__0",
            "funding/history",
            {"category": "linear", "symbol": "BTCUSDT", "limit": 1},
        ),
        (
            "market__open-interest__0",
            "open-interest",
            {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "1h", "limit": 1},
        ),
        (
            "market__long-short-ratio__0",
            "account-ratio",
            {"category": "linear", "symbol": "BTCUSDT", "period": "1h", "limit": 1},
        ),
        ("market__recent-trade__0", "recent-trade", {"category": "linear", "symbol": "BTCUSDT", "limit": 1}),
        ("market__kline__0", "kline", {"symbol": "BTCUSDT", "interval": "1", "limit": 1}),
        (
            "market__premium-index-kline__0",
            "premium-index-price-kline",
            {"symbol": "BTCUSDT", "interval": "1", "limit": 1},
        ),
    ],
)
def test_replies_have_every_field_and_type_of_the_official_samples(
    testnet: RunningTestnet, fixture: str, path: str, params: dict[str, str]
) -> None:
    sample = json.loads(shared_path(f"fixtures/bybit/docs_official/{fixture}.json").read_text())["result"]
    ours = testnet.get(f"/v5/market/{path}", **params)["result"]
    assert_same_shape(sample, ours, path)


def assert_same_shape(sample: object, ours: object, where: str) -> None:
    assert type(sample) is type(ours), where
    if isinstance(sample, dict) and isinstance(ours, dict):
        for key, value in sample.items():
            # The spot sample has no cursor key; prelisting is null on both.
            assert key in ours, f"{where}.{key}"
            assert_same_shape(value, ours[key], f"{where}.{key}")
    elif isinstance(sample, list) and isinstance(ours, list) and sample:
        assert ours, where
        assert_same_shape(sample[0], ours[0], f"{where}[0]")
