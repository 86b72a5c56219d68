"""Parsers of Bybit v5 trading replies: orders, executions, positions, wallet, fees, key. Pure.

Public functions, all taking the `result` object of a reply:

    parse_order_ack(result)        -> OrderAck
    parse_orders(result)           -> list[Order]          order/realtime, order/history
    parse_executions(result)       -> list[Execution]      execution/list
    parse_positions(result)        -> list[Position]       position/list
    parse_wallet(result)           -> Wallet               account/wallet-balance (UNIFIED)
    parse_fee_rates(result)        -> dict[str, FeeRate]   account/fee-rate, by symbol
    parse_api_key_info(result)     -> ApiKeyInfo           user/query-api
    signed_position(positions, symbol) -> Decimal          net size over all rows of a symbol

Pages: `models.market.bybit_v5.next_page_cursor(result)`. The rows of the private stream have the same fields
(positions there say `entryPrice` for `avgPrice`; both are read). Unknown enum values become `UNKNOWN`, never
an error: one strange order must not stop the rest. The records are in `trading_records.py`, importable from
here too. What does not belong here: sending, journalling, deciding.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from models.errors import DataError
from models.market.bybit_v5 import (
    NS_PER_S,
    Payload,
    as_payload,
    decimal,
    flag,
    nanoseconds,
    optional_decimal,
    optional_integer,
    optional_nanoseconds,
    optional_text,
    rows_of,
    side_sign,
    text,
)
from models.market.trading_records import (
    ApiKeyInfo,
    CoinBalance,
    Execution,
    FeeRate,
    Order,
    OrderAck,
    OrderStatus,
    Position,
    Wallet,
)

__all__ = [
    "ApiKeyInfo",
    "CoinBalance",
    "Execution",
    "FeeRate",
    "Order",
    "OrderAck",
    "OrderStatus",
    "Position",
    "Wallet",
    "parse_api_key_info",
    "parse_execution",
    "parse_executions",
    "parse_fee_rates",
    "parse_order",
    "parse_order_ack",
    "parse_orders",
    "parse_position",
    "parse_positions",
    "parse_wallet",
    "signed_position",
]

ZERO = Decimal(0)
_STATUS = {status.value: status for status in OrderStatus}


def parse_order_ack(result: object) -> OrderAck:
    """Parse the reply of order create, amend or cancel; raises DataError when the order id is missing."""
    row = as_payload(result, "order acknowledgement")
    return OrderAck(text(row, "orderId", "order acknowledgement"), optional_text(row, "orderLinkId"))


def parse_orders(result: object) -> list[Order]:
    """Parse one page of orders, newest first as sent; raises DataError naming field and symbol."""
    return [parse_order(row) for row in rows_of(result, "orders")]


def parse_order(row: Payload) -> Order:
    """Parse one order of REST or of the private stream."""
    symbol = text(row, "symbol", "order")
    where = f"order of {symbol}"
    created = nanoseconds(row, "createdTime", where)
    qty = decimal(row, "qty", where)
    filled = optional_decimal(row, "cumExecQty", where) or ZERO
    leaves = optional_decimal(row, "leavesQty", where)
    return Order(
        symbol=symbol,
        order_id=text(row, "orderId", where),
        client_id=optional_text(row, "orderLinkId"),
        side=side_sign(row, "side", where),
        order_type=text(row, "orderType", where),
        time_in_force=optional_text(row, "timeInForce"),
        status=_STATUS.get(text(row, "orderStatus", where), OrderStatus.UNKNOWN),
        qty=qty,
        price=_positive(row, "price", where),
        filled_qty=filled,
        leaves_qty=qty - filled if leaves is None else leaves,
        avg_price=_positive(row, "avgPrice", where),
        trigger_price=_positive(row, "triggerPrice", where),
        stop_order_type=_known(row, "stopOrderType"),
        reduce_only=flag(row, "reduceOnly"),
        position_idx=optional_integer(row, "positionIdx", where) or 0,
        reject_reason=_known(row, "rejectReason", "EC_NoError"),
        cancel_type=_known(row, "cancelType"),
        fees=_fees(row, where),
        created_ns=created,
        updated_ns=optional_nanoseconds(row, "updatedTime", where) or created,
    )


def parse_executions(result: object) -> list[Execution]:
    """Parse one page of executions, newest first as sent; raises DataError naming field and symbol."""
    return [parse_execution(row) for row in rows_of(result, "executions")]


def parse_execution(row: Payload) -> Execution:
    """Parse one execution of REST or of the private stream."""
    symbol = text(row, "symbol", "execution")
    where = f"execution of {symbol}"
    return Execution(
        exec_id=text(row, "execId", where),
        order_id=optional_text(row, "orderId"),
        client_id=optional_text(row, "orderLinkId"),
        symbol=symbol,
        side=side_sign(row, "side", where),
        price=decimal(row, "execPrice", where),
        qty=decimal(row, "execQty", where),
        fee=optional_decimal(row, "execFee", where) or ZERO,
        fee_currency=optional_text(row, "feeCurrency"),
        is_maker=flag(row, "isMaker"),
        kind=text(row, "execType", where).lower(),
        closed_qty=optional_decimal(row, "closedSize", where) or ZERO,
        at_ns=nanoseconds(row, "execTime", where),
    )


def parse_positions(result: object) -> list[Position]:
    """Parse one page of positions; raises DataError naming field and symbol."""
    return [parse_position(row) for row in rows_of(result, "positions")]


def parse_position(row: Payload) -> Position:
    """Parse one position of REST (`avgPrice`) or of the private stream (`entryPrice`)."""
    symbol = text(row, "symbol", "position")
    where = f"position of {symbol}"
    size = decimal(row, "size", where)
    price_field = "avgPrice" if "avgPrice" in row else "entryPrice"
    return Position(
        symbol=symbol,
        side=side_sign(row, "side", where) if size else 0,
        size=size,
        avg_price=_positive(row, price_field, where),
        mark_price=_positive(row, "markPrice", where),
        liq_price=_positive(row, "liqPrice", where),
        leverage=_positive(row, "leverage", where),
        unrealised_pnl=optional_decimal(row, "unrealisedPnl", where),
        cum_realised_pnl=optional_decimal(row, "cumRealisedPnl", where),
        take_profit=_positive(row, "takeProfit", where),
        stop_loss=_positive(row, "stopLoss", where),
        position_idx=optional_integer(row, "positionIdx", where) or 0,
        status=optional_text(row, "positionStatus"),
        updated_ns=optional_nanoseconds(row, "updatedTime", where),
    )


def signed_position(positions: Iterable[Position], symbol: str) -> Decimal:
    """Return the net size of `symbol` over *all* its rows (in hedge mode the first may be the empty side)."""
    return sum((row.signed_size for row in positions if row.symbol == symbol), ZERO)


def parse_wallet(result: object) -> Wallet:
    """Parse the unified account's balance; raises DataError when there is none or a total is missing."""
    rows = rows_of(result, "wallet-balance")
    if not rows:
        raise DataError(
            "wallet-balance: expected one UNIFIED account, was an empty list",
            remedy="the key must belong to a unified trading account",
        )
    row, where = rows[0], "wallet-balance"
    return Wallet(
        equity_usd=decimal(row, "totalEquity", where),
        wallet_usd=decimal(row, "totalWalletBalance", where),
        available_usd=decimal(row, "totalAvailableBalance", where),
        initial_margin_usd=optional_decimal(row, "totalInitialMargin", where) or ZERO,
        maintenance_margin_usd=optional_decimal(row, "totalMaintenanceMargin", where) or ZERO,
        coins={balance.coin: balance for balance in map(_coin, rows_of(row, where, "coin"))},
    )


def parse_fee_rates(result: object) -> dict[str, FeeRate]:
    """Parse fee rates by symbol; raises DataError naming field and symbol."""
    rates = {}
    for row in rows_of(result, "fee-rate"):
        symbol = text(row, "symbol", "fee-rate")
        where = f"fee-rate of {symbol}"
        taker, maker = decimal(row, "takerFeeRate", where), decimal(row, "makerFeeRate", where)
        rates[symbol] = FeeRate(symbol, taker, maker)
    return rates


def parse_api_key_info(result: object) -> ApiKeyInfo:
    """Parse what the key may do.

    Raises
    ------
    DataError
        If permissions are missing (a key of unknown power must not pass for a harmless one) or the date is
        unreadable.

    """
    row = as_payload(result, "query-api")
    granted = as_payload(row.get("permissions"), "query-api, permissions")
    return ApiKeyInfo(
        read_only=flag(row, "readOnly"),
        permissions={group: _names(names, group) for group, names in granted.items()},
        ips=_names(row.get("ips") or [], "ips"),
        expires_ns=_expiry_ns(optional_text(row, "expiredAt")),
        is_unified=flag(row, "uta") or flag(row, "unified"),
    )


def _names(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise DataError(f"query-api: expected an array at '{where}', was {type(value).__name__}")
    return tuple(str(item) for item in value)


def _expiry_ns(stamp: str) -> int | None:
    # The venue writes the year 1970 or nothing for a key bound to an address, which does not expire.
    if not stamp:
        return None
    try:
        seconds = int(datetime.fromisoformat(stamp).timestamp())
    except ValueError:
        raise DataError(f"query-api: 'expiredAt' must be an ISO time, was {stamp!r}") from None
    return seconds * NS_PER_S if seconds > 0 else None


def _coin(row: Payload) -> CoinBalance:
    coin = text(row, "coin", "wallet-balance")
    where = f"wallet-balance of {coin}"
    return CoinBalance(
        coin=coin,
        equity=optional_decimal(row, "equity", where) or ZERO,
        wallet_balance=optional_decimal(row, "walletBalance", where) or ZERO,
        unrealised_pnl=optional_decimal(row, "unrealisedPnl", where) or ZERO,
    )


def _fees(row: Payload, where: str) -> dict[str, Decimal]:
    detail = row.get("cumFeeDetail")
    if isinstance(detail, dict):
        return {str(coin): decimal(detail, coin, where) for coin in detail if detail[coin] not in (None, "")}
    # Older replies have one number in the settle coin and do not name it.
    paid = optional_decimal(row, "cumExecFee", where)
    return {"": paid} if paid else {}


def _positive(row: Payload, field: str, where: str) -> Decimal | None:
    # "0", "0.00" and "" all mean "none" for prices.
    return optional_decimal(row, field, where) or None


def _known(row: Payload, field: str, nothing: str = "UNKNOWN") -> str:
    value = optional_text(row, field)
    return "" if value in ("UNKNOWN", nothing) else value
