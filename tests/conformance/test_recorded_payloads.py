"""Every recorded or documented private payload goes through our parsers, pushes included."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from models.market.bybit_v5 import rows_of
from models.market.bybit_v5_trading import (
    OrderStatus,
    parse_api_key_info,
    parse_execution,
    parse_executions,
    parse_fee_rates,
    parse_order,
    parse_order_ack,
    parse_orders,
    parse_position,
    parse_positions,
    parse_wallet,
)
from tests.support import shared_path

REPLIES: dict[str, Callable[[object], Any]] = {
    "docs_official/order__open-order__0": parse_orders,
    "docs_official/order__order-list__0": parse_orders,
    "docs_official/order__execution__0": parse_executions,
    "docs_official/order__create-order__0": parse_order_ack,
    "docs_official/order__amend-order__0": parse_order_ack,
    "docs_official/order__cancel-order__0": parse_order_ack,
    "docs_official/position__position__0": parse_positions,
    "docs_official/account__wallet-balance__0": parse_wallet,
    "docs_official/account__fee-rate__0": parse_fee_rates,
    "hirokisan/v5-get-open-orders": parse_orders,
    "hirokisan/v5-get-history-orders": parse_orders,
    "hirokisan/v5-execution-get-execution-list": parse_executions,
    "hirokisan/v5-position-get-position-info": parse_positions,
    "hirokisan/v5-create-order": parse_order_ack,
    "hirokisan/v5-amend-order": parse_order_ack,
    "hirokisan/v5-cancel-order": parse_order_ack,
    "nautilus/http_get_orders_realtime": parse_orders,
    "nautilus/http_get_orders_realtime_tp_sl": parse_orders,
    "nautilus/http_get_orders_history": parse_orders,
    "nautilus/http_get_orders_history_with_duplicate": parse_orders,
    "nautilus/http_get_order_partially_filled_rejected": parse_orders,
    "nautilus/http_get_executions": parse_executions,
    "nautilus/http_get_positions": parse_positions,
    "nautilus/http_get_positions_with_open_time": parse_positions,
    "nautilus/http_get_wallet_balance": parse_wallet,
    "nautilus/http_get_wallet_balance_spot_short": parse_wallet,
    "nautilus/http_get_wallet_balance_with_spot_borrow": parse_wallet,
    "nautilus/http_get_fee_rate": parse_fee_rates,
    "nautilus/http_get_user_query_api": parse_api_key_info,
}
PUSHES: dict[str, Callable[[Any], Any]] = {
    "docs_official/websocket_private__order__1": parse_order,
    "docs_official/websocket_private__execution__1": parse_execution,
    "docs_official/websocket_private__position__1": parse_position,
    "docs_official/websocket_private__wallet__1": lambda row: parse_wallet({"list": [row]}),
    "hirokisan/private-v5-execution": parse_execution,
    "hirokisan/private-v5-position": parse_position,
    "hirokisan/private-v5-wallet": lambda row: parse_wallet({"list": [row]}),
    "nautilus/ws_account_order": parse_order,
    "nautilus/ws_account_order_buy_stop_market": parse_order,
    "nautilus/ws_account_order_filled": parse_order,
    "nautilus/ws_account_order_limit_if_touched": parse_order,
    "nautilus/ws_account_order_market_if_touched": parse_order,
    "nautilus/ws_account_order_partially_filled_rejected": parse_order,
    "nautilus/ws_account_order_sell_market_if_touched": parse_order,
    "nautilus/ws_account_order_stop_limit": parse_order,
    "nautilus/ws_account_order_stop_loss": parse_order,
    "nautilus/ws_account_order_stop_market": parse_order,
    "nautilus/ws_account_order_take_profit": parse_order,
    "nautilus/ws_account_execution": parse_execution,
    "nautilus/ws_account_execution_adl": parse_execution,
    "nautilus/ws_account_position": parse_position,
    "nautilus/ws_account_position_short": parse_position,
    "nautilus/ws_account_position_with_open_time": parse_position,
    "nautilus/ws_account_wallet": lambda row: parse_wallet({"list": [row]}),
    "nautilus/ws_account_wallet_locked_exceeds_total": lambda row: parse_wallet({"list": [row]}),
    "nautilus/ws_account_wallet_small_order": lambda row: parse_wallet({"list": [row]}),
}


def content(name: str) -> Any:
    return json.loads(Path(shared_path(f"fixtures/bybit/{name}.json")).read_text())


@pytest.mark.parametrize("name", REPLIES)
def test_replies(name: str) -> None:
    payload = content(name)
    parsed = REPLIES[name](payload.get("result", payload))
    assert parsed
    check(parsed if isinstance(parsed, list) else [parsed])


@pytest.mark.parametrize("name", PUSHES)
def test_pushes(name: str) -> None:
    payload = content(name)
    # One recording holds a bare row.
    rows = rows_of(payload, name, "data") if "data" in payload else [payload]
    assert rows
    check([PUSHES[name](row) for row in rows])


def check(records: list[Any]) -> None:
    for record in records:
        status = getattr(record, "status", None)
        assert status is not OrderStatus.UNKNOWN
        for field in ("qty", "size"):
            assert getattr(record, field, Decimal(0)) >= 0


def test_every_private_payload_of_the_collection_is_looked_at() -> None:
    folder = Path(shared_path("fixtures/bybit"))
    looked_at = {*REPLIES, *PUSHES}
    # Other products' topics, and the fast executions, which the executor does not subscribe to.
    others = {"greek", "dcp", "fast"}
    missing = [
        path.stem
        for pattern in ("nautilus/ws_account_*.json", "docs_official/websocket_private__*__1.json")
        for path in folder.glob(pattern)
        if f"{path.parent.name}/{path.stem}" not in looked_at
        and not any(word in path.stem for word in others)
    ]
    assert missing == []
