"""Spot and the other venue over loopback: held against the planted truth of the local testnet, and what comes of faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hean_live.local_testnet.markets.order_flow import OrderFlowMarket
from hean_live.local_testnet.setup import build_venue
from hean_live.local_testnet.venue import derive_keys
from hean_live.other_markets.spot import SpotSource, spot_pair
from hean_live.other_markets.venue import OtherVenueSource
from hean_live.venues.binance import BinanceMarket
from hean_live.venues.errors import RequestRefused, VenueUnreachable
from hean_live.venues.public import PublicMarket
from models.errors import DataError, Retryable
from models.market.binance_usdm import parse_intervals, parse_touch
from models.market.symbols import counterparts
from models.simulation.other_venues import PRICE, WAVE
from tests.local_testnet.server import (
    SEED,
    START_MS,
    RunningTestnet,
    serve,
    start_testnet,
    synthetic_market,
)
from tests.local_testnet.sockets import FLOW_START_MS

SYMBOLS = ("BTCUSDT", "ETHUSDT")
NOW_NS = 1_750_000_000_000_000_000


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(SYMBOLS, days=2, extra_days=1) as running:
        yield running


def venue_source(testnet: RunningTestnet, *symbols: str) -> OtherVenueSource:
    market = BinanceMarket(testnet.base_url)
    return OtherVenueSource(market, symbols or SYMBOLS, lambda: NOW_NS, time.monotonic)


@contextmanager
def served(body: bytes) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_spot_is_the_venues_ticker_stamped_when_it_came(testnet: RunningTestnet) -> None:
    source = SpotSource(PublicMarket(testnet.base_url), (*SYMBOLS, "NOPEUSDT", "ODD"), lambda: NOW_NS)
    assert source.newest("BTCUSDT") is None
    source.poll()
    for symbol in SYMBOLS:
        [row] = testnet.get("/v5/market/tickers", category="spot", symbol=symbol)["result"]["list"]
        seen = source.newest(symbol)
        assert seen is not None
        assert (seen.bid, seen.ask, seen.at_ns) == (float(row["bid1Price"]), float(row["ask1Price"]), NOW_NS)
        perpetual = testnet.get("/v5/market/tickers", category="linear", symbol=symbol)["result"]["list"][0]
        assert seen.bid == pytest.approx(float(perpetual["indexPrice"]), rel=0.005)
    # What has no spot market is asked for once.
    assert set(source.absent) == {"NOPEUSDT", "ODD"}
    assert source.newest("NOPEUSDT") is None


def test_a_spot_market_that_cannot_be_asked_keeps_what_was_seen_with_its_age(testnet: RunningTestnet) -> None:
    source = SpotSource(PublicMarket(testnet.base_url), SYMBOLS, lambda: NOW_NS)
    source.poll()
    before = source.newest("BTCUSDT")
    testnet.fault("http_status", status=502)
    with pytest.raises(Retryable):
        source.poll()
    assert source.newest("BTCUSDT") is before


@pytest.mark.parametrize(
    ("symbol", "pair", "coins"),
    [("BTCUSDT", "BTCUSDT", 1), ("1000PEPEUSDT", "PEPEUSDT", 1000), ("SHIB1000USDT", "SHIBUSDT", 1000)],
)
def test_a_perpetual_of_many_coins_is_held_against_as_many(symbol: str, pair: str, coins: int) -> None:
    assert spot_pair(symbol) == (pair, coins)


def test_names_and_units_on_the_other_venue() -> None:
    listed = frozenset({"BTCUSDT", "1000SHIBUSDT", "PEPEUSDT"})
    found = counterparts(("BTCUSDT", "SHIB1000USDT", "1000PEPEUSDT", "NOPEUSDT", "ODD"), listed)
    assert found == {
        "BTCUSDT": ("BTCUSDT", 1.0),
        "SHIB1000USDT": ("1000SHIBUSDT", 1.0),
        "1000PEPEUSDT": ("PEPEUSDT", 1000.0),
    }


def test_the_other_venue_differs_by_what_was_planted(testnet: RunningTestnet) -> None:
    source = venue_source(testnet, *SYMBOLS, "NOPEUSDT")
    source.poll()
    for symbol in SYMBOLS:
        [row] = testnet.get("/v5/market/tickers", category="linear", symbol=symbol)["result"]["list"]
        seen, hours = source.newest(symbol), float(row["fundingIntervalHour"])
        assert seen is not None
        assert seen.bid == pytest.approx(float(row["bid1Price"]) * (1.0 + PRICE["binance"]), rel=1e-9)
        assert seen.ask == pytest.approx(float(row["ask1Price"]) * (1.0 + PRICE["binance"]), rel=1e-9)
        assert seen.interval_h == hours
        assert seen.settlement_ns == int(row["nextFundingTime"]) * 1_000_000
        apart = seen.rate_per_h - float(row["fundingRate"]) / hours
        assert 0.0 < abs(apart) <= WAVE["binance"] / 8.0 * 1.01
        assert seen.at_ns == NOW_NS
    assert source.newest("NOPEUSDT") is None


def test_a_tick_market_has_spot_and_the_other_venue_too() -> None:
    """Where every event is known, spot follows the index of that market, minute by minute."""
    history = synthetic_market(("BTCUSDT",), SEED, START_MS, 3)
    market = OrderFlowMarket(history, SEED, FLOW_START_MS, 1.0)
    with serve(build_venue(market, derive_keys(SEED), now_ms=FLOW_START_MS + 1_000, speed=0.0)) as testnet:
        spot = SpotSource(PublicMarket(testnet.base_url), ("BTCUSDT",), lambda: NOW_NS)
        other = venue_source(testnet, "BTCUSDT")
        bids = []
        for _ in range(3):
            testnet.advance(seconds=20)
            spot.poll()
            other.poll()
            there, seen = other.newest("BTCUSDT"), spot.newest("BTCUSDT")
            assert seen is not None
            assert there is not None
            [row] = testnet.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"]
            assert 0.0 < seen.bid < seen.ask
            assert seen.bid == pytest.approx(float(row["indexPrice"]), rel=0.002)
            assert there.ask == pytest.approx(float(row["ask1Price"]) * (1.0 + PRICE["binance"]), rel=1e-9)
            bids.append(seen.bid)
        assert len(set(bids)) > 1


def test_another_venue_that_is_gone_or_speaks_otherwise(testnet: RunningTestnet) -> None:
    with pytest.raises(VenueUnreachable, match="no answer"):
        BinanceMarket("http://127.0.0.1:9", timeout_s=1.0).listed()
    for body, words in ((b"[{", "should be JSON"), (b'{"symbol": "BTCUSDT"}', "time")):
        with served(body) as url, pytest.raises(VenueUnreachable, match=words):
            BinanceMarket(url).listed()
    with pytest.raises(RequestRefused):
        BinanceMarket(f"{testnet.base_url}/nowhere").listed()


def test_what_the_venue_documents_is_read() -> None:
    # The venue's own examples of both endpoints.
    touch = parse_touch(
        {
            "lastUpdateId": 1027024,
            "symbol": "BTCUSDT",
            "bidPrice": "4.00000000",
            "bidQty": "431.00000000",
            "askPrice": "4.00000200",
            "askQty": "9.00000000",
            "time": 1589437530011,
        }
    )
    assert (touch.symbol, touch.bid, touch.ask) == ("BTCUSDT", 4.0, 4.000002)
    rows = [
        {
            "symbol": "BLZUSDT",
            "adjustedFundingRateCap": "0.02500000",
            "adjustedFundingRateFloor": "-0.02500000",
            "fundingIntervalHours": 8,
            "disclaimer": False,
        }
    ]
    assert parse_intervals(rows) == {"BLZUSDT": 8}
    with pytest.raises(DataError, match="askPrice"):
        parse_touch({"symbol": "BTCUSDT", "bidPrice": "4"})
