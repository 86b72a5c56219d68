"""Codes and statuses stand for policies; pybit's own handling never gets in the way."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hean_live.app.start import check_one_way
from hean_live.venues import bybit
from hean_live.venues.codes import error_of_code, error_of_status
from hean_live.venues.errors import (
    ClockSkewed,
    DuplicateClientId,
    KeyRefused,
    OrderRejected,
    OrderUnresolved,
    RateLimited,
    RequestRefused,
    VenueUnreachable,
)
from hean_live.venues.public import PublicMarket
from models.errors import ConfigError
from tests.local_testnet.server import start_testnet


@pytest.mark.parametrize(
    ("code", "command", "question"),
    [
        (10002, ClockSkewed, ClockSkewed),
        (10006, RateLimited, RateLimited),
        (10003, KeyRefused, KeyRefused),
        (33004, KeyRefused, KeyRefused),
        (10016, OrderUnresolved, VenueUnreachable),
        (110072, DuplicateClientId, DuplicateClientId),
        (110007, OrderRejected, RequestRefused),
        (10001, OrderRejected, RequestRefused),
    ],
)
def test_codes(code, command, question):
    assert type(error_of_code(code, "", command=True)) is command
    assert type(error_of_code(code, "", command=False)) is question


@pytest.mark.parametrize(
    ("status", "command", "question"),
    [
        (500, OrderUnresolved, VenueUnreachable),
        (502, OrderUnresolved, VenueUnreachable),
        (408, OrderUnresolved, VenueUnreachable),
        (409, OrderUnresolved, VenueUnreachable),
        (403, RateLimited, RateLimited),
        (429, RateLimited, RateLimited),
        (401, KeyRefused, KeyRefused),
        (404, OrderRejected, RequestRefused),
    ],
)
def test_statuses(status, command, question):
    assert type(error_of_status(status, "", command=True)) is command
    assert type(error_of_status(status, "", command=False)) is question


@pytest.mark.parametrize(
    "fault", [{"kind": "truncate"}, {"kind": "drop"}, {"kind": "http_status", "status": 503}]
)
def test_public_questions_fail_as_unreachable(testnet, fault):
    market = PublicMarket(testnet.base_url)
    testnet.fault(path_prefix="/v5/market/tickers", **fault)
    with pytest.raises(VenueUnreachable):
        market.tickers()
    assert "BTCUSDT" in market.tickers().tickers


def test_a_wrong_secret_is_a_refused_key(testnet):
    with pytest.raises(KeyRefused):
        bybit.BybitVenue(testnet.base_url, testnet.api_key, "wrong").wallet()


def test_a_skewed_clock_is_named(testnet, venue):
    testnet.clock(wall_offset_ms=60_000)
    with pytest.raises(ClockSkewed, match="10002"):
        venue.wallet()


def test_leverage_unchanged_is_success(testnet, venue):
    from decimal import Decimal

    venue.set_leverage("BTCUSDT", Decimal(4))
    assert venue.set_leverage("BTCUSDT", Decimal("4.0")) is None


class HedgeAccount(BaseHTTPRequestHandler):
    """What the venue answers for an account in hedge mode: two rows, the empty side first."""

    def do_GET(self):
        row = {"symbol": "BTCUSDT", "side": "", "size": "0", "positionIdx": 1}
        rows = [row, {**row, "side": "Sell", "size": "0.1", "positionIdx": 2}]
        body = json.dumps({"retCode": 0, "retMsg": "OK", "result": {"list": rows}, "time": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_hedge_mode_is_refused(venue):
    assert not venue.is_hedge_mode("BTCUSDT")
    check_one_way(venue, "BTCUSDT")
    with HTTPServer(("127.0.0.1", 0), HedgeAccount) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        hedged = bybit.BybitVenue(f"http://127.0.0.1:{server.server_port}", "key", "secret")
        with pytest.raises(ConfigError, match="one-way"):
            check_one_way(hedged, "BTCUSDT")


def test_bulk_reading_keeps_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hean_live.venues.public._WINDOW_S", 0.3)
    with start_testnet(("BTCUSDT",), days=1) as testnet:
        market = PublicMarket(testnet.base_url, requests_per_5s=5)
        stamps = []
        for _ in range(16):
            market.envelope("/v5/market/time", {})
            stamps.append(time.monotonic())
    # Sixteen requests at five a window fill three windows before the last is sent.
    assert stamps[-1] - stamps[0] >= 2 * 0.3
