"""The exchange's records as the executor's parsers would read them: same types, without the wire. Pure."""

from __future__ import annotations

from decimal import Decimal

from models.market.trading_records import CoinBalance, Execution, Order, OrderStatus, Position, Wallet
from models.simulation.exchange import account, orders
from models.simulation.exchange.engine import Exchange

_STATUS = {status.value: status for status in OrderStatus}
_NOTHING = frozenset({"UNKNOWN", "EC_NoError"})


def order_record(order: orders.Order) -> Order:
    """Return an order as the venue shows it now."""
    request = order.request
    return Order(
        symbol=request.symbol,
        order_id=order.order_id,
        client_id=request.link_id,
        side=request.side,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        status=_STATUS[order.status.value],
        qty=order.qty,
        price=request.price,
        filled_qty=order.filled_qty,
        leaves_qty=order.remaining,
        avg_price=order.average_price,
        trigger_price=request.trigger_price,
        stop_order_type=order.stop_order_type,
        reduce_only=request.reduce_only,
        position_idx=0,
        reject_reason="" if order.reject_reason in _NOTHING else order.reject_reason,
        cancel_type="" if order.cancel_type in _NOTHING else order.cancel_type,
        fees={},
        created_ns=order.created_ns,
        updated_ns=order.updated_ns,
    )


def execution_record(execution: orders.Execution) -> Execution:
    """Return a fill or funding payment as the venue shows it."""
    return Execution(
        exec_id=execution.exec_id,
        order_id=execution.order_id,
        client_id=execution.link_id,
        symbol=execution.symbol,
        side=execution.side,
        price=execution.price,
        qty=execution.qty,
        fee=execution.fee_usd,
        fee_currency="USDT",
        is_maker=execution.is_maker,
        kind=execution.kind.lower(),
        closed_qty=execution.closed_qty,
        at_ns=execution.at_ns,
    )


def position_record(position: account.Position, mark: Decimal) -> Position:
    """Return a position as the venue shows it now."""
    return Position(
        symbol=position.symbol,
        side=position.side,
        size=abs(position.qty),
        avg_price=position.average_price or None,
        mark_price=mark,
        liq_price=None,
        leverage=position.leverage,
        unrealised_pnl=position.unrealised_usd(mark),
        cum_realised_pnl=position.realised_usd,
        take_profit=None,
        stop_loss=None,
        position_idx=0,
        status="Normal",
        updated_ns=position.updated_ns,
    )


def wallet_record(exchange: Exchange) -> Wallet:
    """Return the account's totals now."""
    wallet = exchange.account.wallet_usd
    equity = wallet + exchange.unrealised_usd()
    margin = exchange.position_margin_usd() + exchange.order_margin_usd()
    coins = {"USDT": CoinBalance("USDT", equity, wallet, equity - wallet)}
    return Wallet(equity, wallet, equity - margin, margin, Decimal(0), coins)
