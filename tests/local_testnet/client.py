"""A minimal signed client, written from the documentation and not from the server's code."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import requests

from tests.local_testnet.server import RunningTestnet


def signed_headers(
    testnet: RunningTestnet, payload: str, *, timestamp: int | None = None, recv_window: str = "5000"
) -> dict[str, str]:
    stamp = str(timestamp if timestamp is not None else time.time_ns() // 1_000_000)
    text = stamp + testnet.api_key + recv_window + payload
    signature = hmac.new(testnet.api_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {
        "X-BAPI-API-KEY": testnet.api_key,
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": recv_window,
        "X-BAPI-SIGN": signature,
    }


def signed_get(testnet: RunningTestnet, path: str, **params: Any) -> dict[str, Any]:
    query = urlencode(params, safe="%")
    headers = signed_headers(testnet, query)
    body: dict[str, Any] = requests.get(
        f"{testnet.base_url}{path}?{query}", headers=headers, timeout=10
    ).json()
    return body


def signed_post(testnet: RunningTestnet, path: str, **params: Any) -> dict[str, Any]:
    payload = json.dumps(params, separators=(",", ":"))
    headers = signed_headers(testnet, payload) | {"Content-Type": "application/json"}
    answer = requests.post(testnet.base_url + path, data=payload, headers=headers, timeout=10)
    body: dict[str, Any] = answer.json()
    return body


def buy(testnet: RunningTestnet, symbol: str, qty: str, **params: Any) -> dict[str, Any]:
    fields = {
        "category": "linear",
        "symbol": symbol,
        "side": "Buy",
        "orderType": "Market",
        "qty": qty,
    } | params
    return signed_post(testnet, "/v5/order/create", **fields)


def sell(testnet: RunningTestnet, symbol: str, qty: str, **params: Any) -> dict[str, Any]:
    return buy(testnet, symbol, qty, side="Sell", **params)


def order_of(testnet: RunningTestnet, symbol: str, order_id: str) -> dict[str, Any]:
    answer = signed_get(testnet, "/v5/order/realtime", category="linear", symbol=symbol, orderId=order_id)
    row: dict[str, Any] = answer["result"]["list"][0]
    return row
