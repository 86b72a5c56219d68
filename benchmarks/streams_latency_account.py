"""The account of the latency benchmark's venue: what an adapter asks before it trades, over REST and the private socket.

Instruments, coins, fee rates and wallet in the venue's shapes, for nautilus_trader, which does not start without them; our own
executor's parts and pybit's sockets ask for none of it. While messages are measured nothing here has anything to do.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.streams_feed import PING, PONG, TEXT, accept, frame, read_frame
from benchmarks.streams_market import SYMBOLS, TICK

_MONEY = "1000000"


def _instrument(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": "2",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": f"{TICK}", "maxPrice": "1999999.98", "tickSize": f"{TICK}"},
        "lotSizeFilter": {
            "maxOrderQty": "10000.0",
            "maxMktOrderQty": "1000.0",
            "minOrderQty": "0.1",
            "qtyStep": "0.1",
            "postOnlyMaxOrderQty": "10000.0",
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": "USDT",
        "copyTrading": "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
    }


def _coin(name: str) -> dict[str, Any]:
    chain = {
        "chain": name,
        "chainType": name,
        "confirmation": "6",
        "withdrawFee": "0.1",
        "depositMin": "0",
        "withdrawMin": "1",
        "chainDeposit": "1",
        "chainWithdraw": "1",
        "minAccuracy": "8",
        "withdrawPercentageFee": "0",
    }
    return {"name": name, "coin": name, "remainAmount": _MONEY, "chains": [chain]}


def _wallet() -> dict[str, Any]:
    zeros = ("accountIMRate", "accountMMRate", "accountLTV", "totalPerpUPL", "totalInitialMargin")
    full = ("totalEquity", "totalWalletBalance", "totalMarginBalance", "totalAvailableBalance")
    none = ("borrowAmount", "accruedInterest", "totalOrderIM", "totalPositionIM", "totalPositionMM", "bonus")
    coin = {
        "coin": "USDT",
        **dict.fromkeys(("equity", "usdValue", "walletBalance"), _MONEY),
        **dict.fromkeys((*none, "unrealisedPnl", "cumRealisedPnl", "locked", "spotHedgingQty"), "0"),
        **dict.fromkeys(("availableToWithdraw", "availableToBorrow"), ""),
        **dict.fromkeys(("collateralSwitch", "marginCollateral"), True),
    }
    return {
        "accountType": "UNIFIED",
        **dict.fromkeys((*zeros, "totalMaintenanceMargin"), "0"),
        **dict.fromkeys(full, _MONEY),
        "coin": [coin],
    }


def answer(path: str) -> dict[str, Any] | None:
    """Return the whole reply to a GET; None where the path is none of those served."""
    fees = [{"symbol": s, "takerFeeRate": "0.00055", "makerFeeRate": "0.0002"} for s in SYMBOLS]
    listed = [_instrument(symbol) for symbol in SYMBOLS]
    coins = ["USDT", *(row["baseCoin"] for row in listed)]
    results: dict[str, dict[str, Any]] = {
        "/v5/market/instruments-info": {"category": "linear", "list": listed, "nextPageCursor": ""},
        "/v5/account/fee-rate": {"list": fees},
        "/v5/account/wallet-balance": {"list": [_wallet()]},
        "/v5/asset/coin/query-info": {"rows": [_coin(name) for name in coins]},
    }
    result = results.get(path.split("?")[0])
    if result is None:
        return None
    now_ms = time.time_ns() // 1_000_000
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms}


class _Rest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        found = answer(self.path)
        body = json.dumps(found).encode() if found is not None else b""
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def serve_rest() -> int:
    """Serve REST in threads of its own; returns the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Rest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def serve_private(server: socket.socket) -> None:
    """Accept one private socket, sign it in and take its subscriptions; nothing ever happens to the account."""
    connection = accept(server)
    while True:
        try:
            kind, payload = read_frame(connection)
        except (ConnectionError, OSError):
            return
        if kind == PING:
            connection.sendall(frame(payload, PONG))
        if kind == TEXT:
            op = json.loads(payload)["op"]
            reply = {"success": True, "ret_msg": "", "op": op, "conn_id": "c"}
            if op == "ping":
                reply = {"op": "pong", "args": [str(time.time_ns() // 1_000_000)], "conn_id": "c"}
            connection.sendall(frame(json.dumps(reply).encode()))
