"""Trading parsers against recorded and documented replies, and against replies that are wrong."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from models.errors import DataError
from models.market.bybit_v5_trading import (
    OrderStatus,
    parse_api_key_info,
    parse_executions,
    parse_fee_rates,
    parse_order,
    parse_order_ack,
    parse_orders,
    parse_position,
    parse_positions,
    parse_wallet,
    signed_position,
)
from tests.support import shared_path

MS = 1_000_000
ORDER = {
    "symbol": "BTCUSDT",
    "orderId": "1",
    "side": "Buy",
    "orderType": "Limit",
    "orderStatus": "New",
    "qty": "0.010",
    "createdTime": "1000",
}


def result_of(path: str) -> dict:
    content = json.loads(Path(shared_path(f"fixtures/bybit/{path}.json")).read_text())
    return content.get("result", content)


def test_documented_order_rejected_as_taker() -> None:
    order = parse_orders(result_of("docs_official/order__order-list__0"))[0]
    assert order.status is OrderStatus.CANCELLED
    assert order.status.is_closed
    assert order.reject_reason == "EC_PostOnlyWillTakeLiquidity"
    assert order.cancel_type == ""
    assert order.price == Decimal("26864.40")
    assert (order.qty, order.filled_qty, order.avg_price) == (Decimal("0.003"), 0, None)
    assert order.fees == {"MNT": Decimal("0.00242968")}
    assert (order.created_ns, order.updated_ns) == (1684476068369 * MS, 1684476068372 * MS)


@pytest.mark.parametrize("name", ["v5-get-open-orders", "v5-get-history-orders"])
def test_recorded_orders(name: str) -> None:
    orders = parse_orders(result_of(f"hirokisan/{name}"))
    assert orders
    assert all(order.qty > 0 and order.side in (1, -1) for order in orders)


def test_order_with_an_unknown_status_is_neither_open_nor_closed() -> None:
    order = parse_order(ORDER | {"orderStatus": "SomethingNew", "newField": [1]})
    assert order.status is OrderStatus.UNKNOWN
    assert not order.status.is_open
    assert not order.status.is_closed
    assert order.leaves_qty == Decimal("0.010")
    assert order.updated_ns == order.created_ns


@pytest.mark.parametrize("field", ["orderId", "side", "qty", "orderStatus", "createdTime"])
def test_order_without_a_required_field_names_it(field: str) -> None:
    with pytest.raises(DataError, match=rf"BTCUSDT.*'{field}'"):
        parse_order({name: value for name, value in ORDER.items() if name != field})


def test_documented_and_recorded_executions() -> None:
    fill = parse_executions(result_of("docs_official/order__execution__0"))[0]
    assert (fill.exec_id, fill.kind, fill.side) == ("e0cbe81d-0f18-5866-9415-cf319b5dab3b", "trade", 1)
    assert (fill.price, fill.qty, fill.fee) == (Decimal("1190.15"), Decimal("0.1"), Decimal("0.071409"))
    assert fill.closed_qty == 0
    real = parse_executions(result_of("hirokisan/v5-execution-get-execution-list"))[0]
    assert (real.side, real.closed_qty) == (-1, Decimal("0.01"))


def test_flat_position_row_and_short_position() -> None:
    flat = parse_positions(result_of("hirokisan/v5-position-get-position-info"))[0]
    assert (flat.side, flat.size, flat.signed_size) == (0, 0, 0)
    assert flat.unrealised_pnl is None
    short = parse_positions(result_of("docs_official/position__position__0"))[0]
    assert short.signed_size == -300
    assert short.liq_price is None


def test_net_position_counts_every_row_and_stream_rows_are_read() -> None:
    empty = parse_position({"symbol": "X", "side": "", "size": "0", "positionIdx": 1})
    short = parse_position({"symbol": "X", "side": "Sell", "size": "2", "entryPrice": "10", "positionIdx": 2})
    assert short.avg_price == 10
    assert signed_position([empty, short], "X") == -2
    assert signed_position([empty, short], "Y") == 0


def test_wallet_and_fees() -> None:
    wallet = parse_wallet(result_of("docs_official/account__wallet-balance__0"))
    assert (wallet.equity_usd, wallet.available_usd) == (Decimal("3.31216591"), Decimal("3.00326056"))
    assert list(wallet.coins) == ["BTC"]
    fees = parse_fee_rates(result_of("docs_official/account__fee-rate__0"))["ETHUSDT"]
    assert (fees.taker, fees.maker) == (Decimal("0.0006"), Decimal("0.0001"))
    with pytest.raises(DataError, match="one UNIFIED account"):
        parse_wallet({"list": []})


def test_recorded_key_can_trade_and_not_withdraw() -> None:
    key = parse_api_key_info(result_of("hirokisan/v5-user-get-api-key"))
    assert not key.can_withdraw
    assert key.can_trade_contracts
    assert key.is_unified
    assert key.expires_ns == 1682229144 * 1_000_000_000


def test_key_that_can_withdraw_is_seen_and_a_key_of_unknown_power_refused() -> None:
    row = {"readOnly": 0, "permissions": {"Wallet": ["AccountTransfer", "Withdraw"]}, "expiredAt": ""}
    key = parse_api_key_info(row)
    assert key.can_withdraw
    assert not key.can_trade_contracts
    assert key.expires_ns is None
    with pytest.raises(DataError, match="permissions"):
        parse_api_key_info({"readOnly": 0})
    with pytest.raises(DataError, match="ISO time"):
        parse_api_key_info(row | {"expiredAt": "soon"})


def test_acknowledgement() -> None:
    ack = parse_order_ack(result_of("docs_official/order__create-order__0"))
    assert (ack.order_id, ack.client_id) == ("1321003749386327552", "spot-test-postonly")
    with pytest.raises(DataError, match="'orderId'"):
        parse_order_ack({})
