"""Stops of a position: waiting orders that close all of it, or a part, when a price is reached.

Here belongs when they come, change and go. In the venue's ``Full`` mode there is one stop loss, one take profit and one trailing
stop, for the whole position and at market. In ``Partial`` mode there may be twenty, each for its own quantity, at market or as a
limit order, in pairs of which one ends the other.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from models.simulation.exchange.account import Position
from models.simulation.exchange.orders import ZERO, Order, OrderRequest, OrderStatus, Rejection

STOP_LOSS, TAKE_PROFIT, TRAILING_STOP = "StopLoss", "TakeProfit", "TrailingStop"
PARTIAL_STOP_LOSS, PARTIAL_TAKE_PROFIT = "PartialStopLoss", "PartialTakeProfit"
WHOLE = (STOP_LOSS, TAKE_PROFIT, TRAILING_STOP)
PARTS = (PARTIAL_STOP_LOSS, PARTIAL_TAKE_PROFIT)
MAX_PARTS = 20


class StopKeeper(Protocol):
    """The part of the exchange stops are kept with."""

    def position(self, symbol: str, index: int = 0) -> Position:
        """Position of a symbol."""

    def open_orders(self, symbol: str = "") -> list[Order]:
        """Open orders of a symbol."""

    def last_price(self, symbol: str) -> Decimal:
        """Price of the last trade."""

    def tell(self, order: Order) -> None:
        """Note that an order has changed."""

    def close(self, order: Order, status: OrderStatus, cancel_type: str, reason: str = "EC_NoError") -> None:
        """End an order."""

    def add_stop(
        self, request: OrderRequest, qty: Decimal, stop_order_type: str, create_type: str, price: Decimal
    ) -> Order:
        """Add a waiting stop."""


def waiting_stops(keeper: StopKeeper, symbol: str, index: int) -> list[Order]:
    """Return all waiting stops of a position, of both modes."""
    return [
        order
        for order in keeper.open_orders(symbol)
        if order.is_waiting and order.stop_order_type in WHOLE + PARTS and order.request.position_idx == index
    ]


def stop_of(keeper: StopKeeper, symbol: str, kind: str, index: int = 0) -> Order | None:
    """Return waiting stop of a whole position, one of `WHOLE`; None where there is none."""
    found = waiting_stops(keeper, symbol, index)
    return next((order for order in found if order.stop_order_type == kind), None)


def clear(keeper: StopKeeper, order: Order) -> None:
    """End a stop that has become pointless."""
    keeper.close(order, OrderStatus.DEACTIVATED, "CancelByTpSlTsClear")


def after_fill(keeper: StopKeeper, order: Order, qty: Decimal) -> None:
    """Bring the stops of a position in line with it after `order` was filled by `qty`."""
    request = order.request
    position = keeper.position(request.symbol, request.position_idx)
    for waiting in waiting_stops(keeper, request.symbol, request.position_idx):
        if waiting.request.side * position.side >= 0:
            # The position is flat or turned: its old stop would open a new one.
            clear(keeper, waiting)
        elif waiting.stop_order_type in WHOLE:
            _resize(keeper, waiting, abs(position.qty))
    _end_pointless_reductions(keeper, position)
    wants_stops = request.stop_loss is not None or request.take_profit is not None
    if wants_stops and position.side == request.side:
        if request.tpsl_mode == "Partial":
            _grow_parts(keeper, order, position, qty)
        else:
            replace_whole(keeper, position, request)


def after_trigger(keeper: StopKeeper, order: Order) -> None:
    """End the other one of a pair of partial stops."""
    for other in keeper.open_orders(order.request.symbol):
        if other.order_id == order.partner_id and other.is_waiting:
            clear(keeper, other)


def replace_whole(keeper: StopKeeper, position: Position, wanted: OrderRequest) -> bool:
    """Set stop loss and take profit of a whole position: zero removes, None leaves; False where nothing changed."""
    changed = False
    for kind, price, by in (
        (STOP_LOSS, wanted.stop_loss, wanted.stop_loss_by),
        (TAKE_PROFIT, wanted.take_profit, wanted.take_profit_by),
    ):
        if price is None:
            continue
        waiting = stop_of(keeper, position.symbol, kind, position.index)
        if waiting is not None and waiting.request.trigger_price == price:
            _resize(keeper, waiting, abs(position.qty))
            continue
        if waiting is not None:
            clear(keeper, waiting)
        if price > 0:
            request = _stop_request(position, kind, price, by)
            _add(keeper, request, abs(position.qty), kind)
        changed = changed or waiting is not None or price > 0
    return changed


def set_trailing(keeper: StopKeeper, position: Position, distance: Decimal, active: Decimal | None) -> bool:
    """Set the trailing stop of a position: a distance of zero removes it; False where nothing changed."""
    waiting = stop_of(keeper, position.symbol, TRAILING_STOP, position.index)
    if waiting is not None:
        if (waiting.request.trailing, waiting.request.active_price) == (distance, active):
            return False
        clear(keeper, waiting)
    if distance > 0:
        last = keeper.last_price(position.symbol)
        base = _stop_request(position, STOP_LOSS, last - position.side * distance, "LastPrice")
        order = _add(
            keeper, replace(base, trailing=distance, active_price=active), abs(position.qty), TRAILING_STOP
        )
        # Without a price to start at it follows from now on.
        order.peak = last if active is None else None
    return distance > 0 or waiting is not None


def check_room(keeper: StopKeeper, symbol: str, index: int) -> None:
    """Refuse further partial stops with 110061 once twenty are there or promised to open orders."""
    promised = 0
    for order in keeper.open_orders(symbol):
        if order.request.position_idx != index:
            continue
        if order.stop_order_type in PARTS:
            promised += 1
        elif order.request.tpsl_mode == "Partial" and not order.attached:
            promised += sum(
                price is not None for price in (order.request.stop_loss, order.request.take_profit)
            )
    if promised + 2 > MAX_PARTS:
        raise Rejection(110061, "Not allowed to have more than 20 TP/SLs under Partial tpSlMode")


def add_parts(keeper: StopKeeper, position: Position, wanted: OrderRequest, qty: Decimal) -> tuple[str, ...]:
    """Add a partial stop loss, a partial take profit, or a pair of them; returns their ids."""
    wants = [
        (PARTIAL_STOP_LOSS, wanted.stop_loss, wanted.stop_loss_by, wanted.stop_loss_limit),
        (PARTIAL_TAKE_PROFIT, wanted.take_profit, wanted.take_profit_by, wanted.take_profit_limit),
    ]
    added = []
    for kind, price, by, limit in wants:
        if not price:
            continue
        request = _stop_request(position, kind, price, by)
        if limit is not None:
            request = replace(request, order_type="Limit", price=limit, time_in_force="GTC")
        added.append(_add(keeper, replace(request, tpsl_mode="Partial"), qty, kind))
    if len(added) == 2:
        added[0].partner_id, added[1].partner_id = added[1].order_id, added[0].order_id
    return tuple(order.order_id for order in added)


def _grow_parts(keeper: StopKeeper, order: Order, position: Position, qty: Decimal) -> None:
    """Cover what `order` has just filled: enlarge the stops of its earlier fills, or add them."""
    waiting = {stop.order_id: stop for stop in waiting_stops(keeper, position.symbol, position.index)}
    present = [waiting[stop_id] for stop_id in order.attached if stop_id in waiting]
    if present:
        for stop in present:
            _resize(keeper, stop, stop.qty + qty)
        return
    order.attached = add_parts(keeper, position, order.request, qty)


def _resize(keeper: StopKeeper, order: Order, qty: Decimal) -> None:
    if order.qty != qty:
        order.qty = qty
        keeper.tell(order)


def _end_pointless_reductions(keeper: StopKeeper, position: Position) -> None:
    """Cancel resting reduce-only orders that have nothing left to reduce."""
    for order in keeper.open_orders(position.symbol):
        request = order.request
        resting = request.reduce_only and not order.is_waiting and request.position_idx == position.index
        if resting and request.side * position.side >= 0:
            keeper.close(order, OrderStatus.CANCELLED, "CancelByReduceOnly")


def _add(keeper: StopKeeper, request: OrderRequest, qty: Decimal, kind: str) -> Order:
    return keeper.add_stop(request, qty, kind, f"CreateBy{kind}", keeper.last_price(request.symbol))


def _stop_request(position: Position, kind: str, price: Decimal, by: str) -> OrderRequest:
    falls = (kind in (STOP_LOSS, PARTIAL_STOP_LOSS)) == (position.side > 0)
    return OrderRequest(
        symbol=position.symbol,
        side=-position.side,
        order_type="Market",
        qty=ZERO,
        time_in_force="IOC",
        reduce_only=True,
        close_on_trigger=True,
        trigger_price=price,
        trigger_direction=2 if falls else 1,
        trigger_by=by,
        position_idx=position.index,
    )
