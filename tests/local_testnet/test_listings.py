"""Symbols that come and go while the synthetic market runs: launch, pre-listing phases, delisting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local_testnet.server import START_MS, RunningTestnet, start_testnet

HOUR_MS = 3_600_000
SYMBOLS = ("BTCUSDT", "FRESHUSDT", "AUCTIONUSDT", "GONEUSDT")


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(SYMBOLS, days=2, extra_days=4) as running:
        yield running


def names(net: RunningTestnet, status: str = "") -> dict[str, dict]:
    asked = {"category": "linear"} | ({"status": status} if status else {})
    rows = net.get("/v5/market/instruments-info", **asked)["result"]["list"]
    return {row["symbol"]: row for row in rows}


def tickers(net: RunningTestnet) -> dict[str, dict]:
    rows = net.get("/v5/market/tickers", category="linear")["result"]["list"]
    return {row["symbol"]: row for row in rows}


def at(net: RunningTestnet, hours: float) -> None:
    net.clock(now_ms=START_MS + int(hours * HOUR_MS))


def bars(net: RunningTestnet, symbol: str) -> list[int]:
    answer = net.get("/v5/market/kline", category="linear", symbol=symbol, interval="60", limit=1000)
    return sorted(int(row[0]) for row in answer["result"]["list"])


def test_a_symbol_is_listed_while_the_market_runs(testnet: RunningTestnet) -> None:
    assert "FRESHUSDT" not in names(testnet) | tickers(testnet) | names(testnet, "PreLaunch")
    unknown = testnet.get("/v5/market/instruments-info", category="linear", symbol="FRESHUSDT")
    assert unknown["retCode"] == 10001
    at(testnet, 74)
    assert names(testnet)["FRESHUSDT"]["launchTime"] == str(START_MS + 73 * HOUR_MS)
    assert "FRESHUSDT" in tickers(testnet)
    assert bars(testnet, "FRESHUSDT") == [START_MS + 73 * HOUR_MS, START_MS + 74 * HOUR_MS]
    assert len(bars(testnet, "BTCUSDT")) == 75


def test_a_pre_listing_goes_through_its_phases(testnet: RunningTestnet) -> None:
    seen = {}
    for hours in (72, 75, 76.2, 76.7, 78):
        at(testnet, hours)
        seen[hours] = names(testnet, "PreLaunch")["AUCTIONUSDT"]["preListingInfo"]["curAuctionPhase"]
        assert "AUCTIONUSDT" not in names(testnet)
        assert ("AUCTIONUSDT" in tickers(testnet)) == (seen[hours] == "ContinuousTrading")
    assert list(seen.values()) == [
        "NotStarted",
        "CallAuction",
        "CallAuctionNoCancel",
        "CrossMatching",
        "ContinuousTrading",
    ]
    assert tickers(testnet)["AUCTIONUSDT"]["curPreListingPhase"] == "ContinuousTrading"
    at(testnet, 111)
    finished = names(testnet)["AUCTIONUSDT"]
    assert (finished["isPreListing"], finished["preListingInfo"]) == (False, None)
    assert "AUCTIONUSDT" not in names(testnet, "PreLaunch")


def test_a_delisted_symbol_is_closed_and_keeps_its_history(testnet: RunningTestnet) -> None:
    assert "GONEUSDT" in names(testnet)
    at(testnet, 61)
    assert "GONEUSDT" not in names(testnet) | tickers(testnet)
    closed = names(testnet, "Closed")["GONEUSDT"]
    assert (closed["status"], closed["deliveryTime"]) == ("Closed", str(START_MS + 60 * HOUR_MS))
    assert bars(testnet, "GONEUSDT")[-1] == START_MS + 59 * HOUR_MS
