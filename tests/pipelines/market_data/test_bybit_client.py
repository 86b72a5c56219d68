"""Ranges fetched page by page are exactly what the venue's market holds."""

from collections.abc import Iterator

import numpy as np
import pytest

from hean_pipelines.sources import bybit
from models.errors import DataError, Retryable, SkipSymbol
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.pipelines.market_data.fake_bybit import Step, envelope, fake_bybit
from tests.pipelines.market_data.support import (
    DAY_NS,
    NS_PER_MS,
    START_NS,
    client_of,
    true_bars,
    true_funding,
    true_open_interest,
    true_ratio,
)

H = 3_600 * 10**9


@pytest.fixture(scope="module")
def net() -> Iterator[RunningTestnet]:
    with start_testnet(symbols=("BTCUSDT", "ETHUSDT"), days=100) as running:
        yield running


@pytest.fixture
def client(net: RunningTestnet) -> Iterator[bybit.BybitPublicClient]:
    with client_of(net.base_url) as made:
        yield made


def cut(ts: np.ndarray, values: np.ndarray, start: int, end: int) -> tuple[list[int], np.ndarray]:
    keep = (ts >= start) & (ts < end)
    return ts[keep].tolist(), values[keep]


RANGES = [
    pytest.param(START_NS, START_NS + 100 * DAY_NS, id="everything"),
    pytest.param(START_NS + 10 * DAY_NS, START_NS + 20 * DAY_NS, id="whole days"),
    pytest.param(START_NS + 9 * DAY_NS + 8 * H, START_NS + 9 * DAY_NS + 16 * H, id="edge to edge"),
    pytest.param(START_NS + 9 * DAY_NS + 7 * H + 1, START_NS + 9 * DAY_NS + 9 * H - 1, id="off the grid"),
    pytest.param(START_NS - 5 * DAY_NS, START_NS + DAY_NS, id="before the first row"),
]


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_funding_is_exact(net: RunningTestnet, client, start: int, end: int) -> None:
    got = client.funding_history("BTCUSDT", start, end)
    ts, rates = cut(*true_funding(net, "BTCUSDT"), start, end)
    assert got.ts.tolist() == ts
    np.testing.assert_allclose(got.funding_rate, rates, atol=1e-8)


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_open_interest_is_exact(net: RunningTestnet, client, start: int, end: int) -> None:
    got = client.open_interest("BTCUSDT", "5min", start, end)
    ts, values = cut(*true_open_interest(net, "BTCUSDT"), start, end)
    assert got.ts.tolist() == ts
    np.testing.assert_allclose(got.open_interest, values, rtol=1e-6)


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_account_ratio_is_exact(net: RunningTestnet, client, start: int, end: int) -> None:
    got = client.account_ratio("ETHUSDT", "1h", start, end)
    ts, values = cut(*true_ratio(net, "ETHUSDT"), start, end)
    assert got.ts.tolist() == ts
    np.testing.assert_allclose(got.buy_ratio, values, atol=1e-4)
    np.testing.assert_allclose(got.buy_ratio + got.sell_ratio, 1.0, atol=1e-9)


@pytest.mark.parametrize(("start", "end"), RANGES)
@pytest.mark.parametrize("kind", ["perp", "spot"])
def test_trade_bars_are_exact(net: RunningTestnet, client, kind: str, start: int, end: int) -> None:
    got = client.klines(kind, "BTCUSDT", 300, start, end)
    ts, closes = cut(*true_bars(net, kind, "BTCUSDT", "5"), start, end)
    assert got.ts.tolist() == ts
    np.testing.assert_allclose(got.close, closes, rtol=1e-9)


@pytest.mark.parametrize("kind", ["mark", "index", "premium"])
def test_minute_bars_are_exact(net: RunningTestnet, client, kind: str) -> None:
    start, end = START_NS + 50 * DAY_NS, START_NS + 53 * DAY_NS
    got = client.index_klines(kind, "ETHUSDT", 60, start, end)
    ts, closes = cut(*true_bars(net, kind, "ETHUSDT", "1"), start, end)
    assert got.ts.tolist() == ts
    assert len(ts) == 3 * 1440
    np.testing.assert_allclose(got.close, closes, rtol=5e-6, atol=1e-8)  # the venue rounds to its step


def test_page_counts_are_those_of_full_pages(client) -> None:
    before = client.http.traffic.requests
    client.klines("perp", "BTCUSDT", 300, START_NS + 10 * DAY_NS, START_NS + 20 * DAY_NS)
    assert client.http.traffic.requests - before == 3  # 2880 rows of 1000


def test_range_in_the_future_is_empty(net: RunningTestnet, client) -> None:
    start = net.now_ms * NS_PER_MS + DAY_NS
    assert len(client.funding_history("BTCUSDT", start, start + DAY_NS).ts) == 0
    assert len(client.klines("perp", "BTCUSDT", 300, start, start + DAY_NS).ts) == 0
    assert len(client.open_interest("BTCUSDT", "5min", start, start + DAY_NS).ts) == 0


def test_unknown_symbol_is_skipped_by_name(client) -> None:
    with pytest.raises(SkipSymbol, match="NOPEUSDT"):
        client.funding_history("NOPEUSDT", START_NS, START_NS + DAY_NS)
    with pytest.raises(SkipSymbol, match=r"NOPEUSDT.*spot"):
        client.klines("spot", "NOPEUSDT", 300, START_NS, START_NS + DAY_NS)


def test_snapshots_carry_the_market_clock(net: RunningTestnet, client) -> None:
    seen_at, tickers = client.tickers(["ETHUSDT", "NOPEUSDT"])
    assert seen_at == net.now_ms * NS_PER_MS == client.market_time_ns("BTCUSDT")
    assert [ticker.symbol for ticker in tickers] == ["ETHUSDT"]
    assert tickers[0].next_funding_ns > seen_at
    seen_at, contracts = client.instruments(["BTCUSDT", "ETHUSDT"])
    assert seen_at == net.now_ms * NS_PER_MS
    assert {contract.symbol for contract in contracts} == {"BTCUSDT", "ETHUSDT"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "truncate"},
        {"kind": "http_status", "status": 429},
        {"kind": "http_status", "status": 500},
        {"kind": "ret_code", "ret_code": 10006, "reset_in_ms": 50},
        {"kind": "ret_code", "ret_code": 10006, "reset_in_ms": -5000},
        {"kind": "ret_code", "ret_code": 10016},
        {"kind": "ret_code", "ret_code": 10000},
    ],
    ids=str,
)
def test_faults_in_the_middle_of_a_walk_lose_nothing(net: RunningTestnet, client, fault: dict) -> None:
    start, end = START_NS, START_NS + 5 * DAY_NS
    net.fault(**fault, path_prefix="/v5/market/open-interest", count=3)
    try:
        got = client.open_interest("BTCUSDT", "5min", start, end)
    finally:
        net.clear_faults()
    assert got.ts.tolist() == cut(*true_open_interest(net, "BTCUSDT"), start, end)[0]
    assert client.http.traffic.retries == 3


def test_rate_limit_without_end_is_told(net: RunningTestnet) -> None:
    net.fault("ret_code", ret_code=10006, reset_in_ms=-5000, path_prefix="/v5/market/kline", count=100)
    try:
        with client_of(net.base_url, max_attempts=3) as client, pytest.raises(Retryable, match="10006"):
            client.klines("perp", "BTCUSDT", 300, START_NS, START_NS + DAY_NS)
    finally:
        net.clear_faults()


def test_other_return_codes_are_told_with_path_and_parameters() -> None:
    step = Step(body=envelope({}, code=10005, message="Permission denied"))
    with (
        fake_bybit(step) as venue,
        client_of(venue.base_url) as client,
        pytest.raises(DataError, match=r"open-interest.*BTCUSDT.*10005"),
    ):
        client.open_interest("BTCUSDT", "5min", START_NS, START_NS + DAY_NS)


def test_cursor_goes_back_verbatim_and_a_repeated_one_ends_the_walk() -> None:
    ms = START_NS // NS_PER_MS
    cursor = "lastid%3D19408935%26lasttime%3D1780617600"
    page = {"list": [{"openInterest": "1", "timestamp": str(ms + 600_000)}], "nextPageCursor": cursor}
    with fake_bybit(Step(body=envelope(page))) as venue, client_of(venue.base_url) as client:
        got = client.open_interest("BTCUSDT", "5min", START_NS, START_NS + DAY_NS)
    assert got.ts.tolist() == [START_NS + 600 * 10**9]
    assert len(venue.asked) == 2
    assert venue.asked[1].endswith(f"&cursor={cursor}")


def test_both_ends_of_a_range_are_always_sent() -> None:
    empty = Step(body=envelope({"list": [], "nextPageCursor": ""}))
    with fake_bybit(empty) as venue, client_of(venue.base_url) as client:
        client.funding_history("X", START_NS, START_NS + DAY_NS)
        client.open_interest("X", "5min", START_NS, START_NS + DAY_NS)
        client.account_ratio("X", "1h", START_NS, START_NS + DAY_NS)
        client.klines("perp", "X", 300, START_NS, START_NS + DAY_NS)
    assert all("startTime=" in path and "endTime=" in path for path in venue.asked[:3])
    assert "&start=" in venue.asked[3]
    assert "&end=" in venue.asked[3]


def test_venue_that_does_not_walk_back_is_refused() -> None:
    ms = START_NS // NS_PER_MS
    rows = [[str(ms + 10 * 86_400_000), "1", "1", "1", "1", "1", "1"]]
    with (
        fake_bybit(Step(body=envelope({"list": rows}))) as venue,
        client_of(venue.base_url) as client,
        pytest.raises(DataError, match="expected a page of rows before") as error,
    ):
        client.klines("perp", "X", 300, START_NS, START_NS + DAY_NS)
    assert "HEAN_PIPELINES_VENUE_URL" in error.value.remedy


def test_instruments_pages_follow_the_cursor_until_it_repeats() -> None:
    def page(cursor: str, *symbols: str) -> Step:
        rows = [
            {
                "symbol": symbol,
                "status": "Trading",
                "baseCoin": "A",
                "quoteCoin": "USDT",
                "launchTime": "1",
                "fundingInterval": 60,
                "priceFilter": {"tickSize": "1"},
                "lotSizeFilter": {"qtyStep": "1", "minOrderQty": "1", "maxOrderQty": "9"},
                "leverageFilter": {"maxLeverage": "5"},
            }
            for symbol in symbols
        ]
        return Step(body=envelope({"list": rows, "nextPageCursor": cursor}))

    with (
        fake_bybit(page("a%3D1", "AUSDT"), page("a%3D1", "BUSDT")) as venue,
        client_of(venue.base_url) as client,
    ):
        _, contracts = client.instruments(["AUSDT", "BUSDT"])
    assert [contract.symbol for contract in contracts] == ["AUSDT", "BUSDT"]
    assert len(venue.asked) == 2
