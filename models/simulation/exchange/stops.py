"""Stop loss and take profit of a position: waiting market orders that close all of it.

Here belongs when they come, change and go. Only the venue's ``Full`` mode is simulated: one stop and one target for
the whole position.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from models.simulation.exchange.account import Position
from models.simulation.exchange.orders import Order, OrderRequest, OrderStatus

STOP_LOSS, TAKE_PROFIT = "StopLoss", "TakeProfit"


class StopKeeper(Protocol):
    """The part of the engine stops are kept with."""

    def position(self, symbol: str) -> Position:
        """Position of a symbol."""

    def open_orders(self, symbol: str = "") -> list[Order]:
        """Open orders of a symbol."""

    def close(self, order: Order, status: OrderStatus, cancel_type: str, reason: str = "EC_NoError") -> None:
        """End an order."""

    def add_stop(self, request: OrderRequest, qty: Decimal, stop_order_type: str, create_type: str) -> Order:
        """Add a waiting stop."""


def stop_of(keeper: StopKeeper, symbol: str, kind: str) -> Order | None:
    """Return waiting stop of a position, `STOP_LOSS` or `TAKE_PROFIT`; None where there is none."""
    found = (order for order in keeper.open_orders(symbol) if order.stop_order_type == kind)
    return next((order for order in found if order.status is OrderStatus.UNTRIGGERED), None)


def after_fill(keeper: StopKeeper, order: Order) -> None:
    """Bring the stops of a symbol in line with its position after a fill of `order`."""
    symbol = order.request.symbol
    position = keeper.position(symbol)
    for kind in (STOP_LOSS, TAKE_PROFIT):
        waiting = stop_of(keeper, symbol, kind)
        if waiting is None:
            continue
        if waiting.request.side * position.side < 0:
            waiting.qty = abs(position.qty)
        else:
            # The position is flat or turned: its old stop would open a new one.
            keeper.close(waiting, OrderStatus.DEACTIVATED, "CancelByTpSlTsClear")
    _end_pointless_reductions(keeper, symbol, position)
    wants_stops = order.request.stop_loss is not None or order.request.take_profit is not None
    if wants_stops and position.side == order.request.side:
        replace(keeper, position, order.request)


def _end_pointless_reductions(keeper: StopKeeper, symbol: str, position: Position) -> None:
    """Cancel resting reduce-only orders that have nothing left to reduce."""
    for order in keeper.open_orders(symbol):
        resting = order.request.reduce_only and order.status is not OrderStatus.UNTRIGGERED
        if resting and order.request.side * position.side >= 0:
            keeper.close(order, OrderStatus.CANCELLED, "CancelByReduceOnly")


def replace(keeper: StopKeeper, position: Position, wanted: OrderRequest) -> None:
    """Set the stops of a position to those of a request: zero removes, None leaves as it is."""
    for kind, price, by in (
        (STOP_LOSS, wanted.stop_loss, wanted.stop_loss_by),
        (TAKE_PROFIT, wanted.take_profit, wanted.take_profit_by),
    ):
        if price is None:
            continue
        waiting = stop_of(keeper, position.symbol, kind)
        if waiting is not None and waiting.request.trigger_price == price:
            waiting.qty = abs(position.qty)
            continue
        if waiting is not None:
            keeper.close(waiting, OrderStatus.DEACTIVATED, "CancelByTpSlTsClear")
        if price > 0:
            keeper.add_stop(
                _stop_request(position, kind, price, by), abs(position.qty), kind, f"CreateBy{kind}"
            )


def _stop_request(position: Position, kind: str, price: Decimal, by: str) -> OrderRequest:
    falls = (kind == STOP_LOSS) == (position.side > 0)
    return OrderRequest(
        symbol=position.symbol,
        side=-position.side,
        order_type="Market",
        qty=Decimal(0),
        time_in_force="IOC",
        reduce_only=True,
        close_on_trigger=True,
        trigger_price=price,
        trigger_direction=2 if falls else 1,
        trigger_by=by,
    )
