from __future__ import annotations

from decimal import Decimal

import pytest

from tests.local_testnet.server import RunningTestnet

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
PATHS = ("kline", "mark-price-kline", "index-price-kline", "premium-index-price-kline")


def rows(testnet: RunningTestnet, path: str = "kline", **params: object) -> list[list[str]]:
    body = testnet.get(f"/v5/market/{path}", **({"category": "linear", "symbol": "BTCUSDT"} | params))
    assert body["retCode"] == 0, body
    found: list[list[str]] = body["result"]["list"]
    return found


@pytest.mark.parametrize("path", PATHS)
def test_both_ends_are_inclusive_and_newest_comes_first(testnet: RunningTestnet, path: str) -> None:
    end = testnet.now_ms - DAY
    found = rows(testnet, path, interval="60", start=end - 2 * HOUR, end=end)
    assert [int(row[0]) for row in found] == [end, end - HOUR, end - 2 * HOUR]
    assert {len(row) for row in found} == ({7} if path == "kline" else {5})
    assert all(isinstance(cell, str) for row in found for cell in row)


@pytest.mark.parametrize("path", PATHS)
def test_a_small_limit_keeps_the_rows_nearest_the_end(testnet: RunningTestnet, path: str) -> None:
    end = testnet.now_ms - DAY
    found = rows(testnet, path, interval="5", start=end - DAY, end=end, limit=3)
    assert [int(row[0]) for row in found] == [end, end - 5 * MINUTE, end - 10 * MINUTE]


def test_ends_between_bars_count_openings_only(testnet: RunningTestnet) -> None:
    end = testnet.now_ms - DAY
    found = rows(testnet, interval="60", start=end - HOUR - 1, end=end + HOUR - 1)
    assert [int(row[0]) for row in found] == [end, end - HOUR]


def test_default_limit_is_200_and_maximum_1000(testnet: RunningTestnet) -> None:
    assert len(rows(testnet, interval="1")) == 200
    assert len(rows(testnet, interval="1", limit=5000)) == 1000


def test_walking_backwards_meets_every_bar_once(testnet: RunningTestnet) -> None:
    first = testnet.now_ms - 2 * DAY
    seen: list[int] = []
    end = testnet.now_ms
    while end >= first:
        page = [int(row[0]) for row in rows(testnet, interval="5", start=first, end=end, limit=100)]
        if not page:
            break
        seen += page
        end = page[-1] - 1
    assert seen == list(range(testnet.now_ms, first - 1, -5 * MINUTE))


def test_the_open_candle_is_included_and_closes_at_the_last_price(testnet: RunningTestnet) -> None:
    newest = rows(testnet, interval="60", limit=1)[0]
    ticker = testnet.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"][0]
    assert int(newest[0]) <= testnet.now_ms < int(newest[0]) + HOUR
    assert Decimal(newest[4]) == Decimal(ticker["lastPrice"])


def test_no_bar_opens_after_the_clock(testnet: RunningTestnet) -> None:
    found = rows(testnet, interval="1", start=testnet.now_ms - HOUR, end=testnet.now_ms + DAY)
    assert int(found[0][0]) <= testnet.now_ms
    assert rows(testnet, interval="1", start=testnet.now_ms + HOUR, end=testnet.now_ms + DAY) == []


def test_start_time_is_not_a_parameter_of_klines(testnet: RunningTestnet) -> None:
    plain = rows(testnet, interval="60", limit=5)
    assert rows(testnet, interval="60", limit=5, startTime=0, endTime=1, nonsense="x") == plain


def test_spot_and_linear_are_different_series(testnet: RunningTestnet) -> None:
    linear = rows(testnet, interval="60", limit=24)
    spot = rows(testnet, category="spot", interval="60", limit=24)
    assert [row[0] for row in linear] == [row[0] for row in spot]
    gaps = [abs(float(a[4]) / float(b[4]) - 1) for a, b in zip(linear, spot, strict=True)]
    assert 0 < max(gaps) < 0.01


def test_category_defaults_to_linear(testnet: RunningTestnet) -> None:
    without = testnet.get("/v5/market/kline", symbol="BTCUSDT", interval="60", limit=2)["result"]
    assert (
        without
        == testnet.get("/v5/market/kline", category="linear", symbol="BTCUSDT", interval="60", limit=2)[
            "result"
        ]
    )
    assert without["category"] == "linear"


@pytest.mark.parametrize(("interval", "minutes"), [("3", 3), ("15", 15), ("240", 240), ("D", 1440)])
def test_coarse_bars_are_made_of_minutes(testnet: RunningTestnet, interval: str, minutes: int) -> None:
    start = (testnet.now_ms - 3 * DAY) // DAY * DAY
    coarse = rows(testnet, interval=interval, start=start, end=start)[0]
    fine: list[list[str]] = []
    for end in range(start + minutes * MINUTE - 1, start, -1000 * MINUTE):
        fine += rows(testnet, interval="1", start=max(start, end - 1000 * MINUTE + 1), end=end, limit=1000)
    assert len(fine) == minutes
    assert coarse[1] == fine[-1][1]
    assert coarse[4] == fine[0][4]
    assert Decimal(coarse[2]) == max(Decimal(row[2]) for row in fine)
    assert Decimal(coarse[3]) == min(Decimal(row[3]) for row in fine)
    assert float(coarse[5]) == pytest.approx(sum(float(row[5]) for row in fine), abs=1e-6)


def test_weeks_open_on_monday_and_months_on_the_first(testnet: RunningTestnet) -> None:
    assert rows(testnet, interval="W", limit=1)[0][0] == "1736121600000"  # Monday 2025-01-06
    assert rows(testnet, interval="M", limit=1)[0][0] == "1735689600000"  # 2025-01-01


@pytest.mark.parametrize("path", PATHS)
def test_unknown_symbols_intervals_and_categories_are_refused(testnet: RunningTestnet, path: str) -> None:
    for params in (
        {"symbol": "NOPEUSDT", "interval": "5"},
        {"symbol": "BTCUSDT", "interval": "7"},
        {"symbol": "BTCUSDT", "interval": "5", "category": "futures"},
        {"symbol": "btcusdt", "interval": "5"},
        {"symbol": "BTCUSDT", "interval": "5", "start": "yesterday"},
        {"interval": "5"},
    ):
        body = testnet.get(f"/v5/market/{path}", **params)
        assert body["retCode"] == 10001, params
        assert body["retMsg"]
        assert body["result"] == {}
