"""Checks of a request before an order comes to be: steps, minima, ids, prices, margin, in the venue's codes.

Here belongs refusing. Each check is its own function with its own code and text; sources: EXCHANGE codes of the
venue's error page, texts as seen in client issue trackers.
"""

from __future__ import annotations

import re
from decimal import Decimal

from models.simulation.exchange.account import Position
from models.simulation.exchange.matching import market_limit, takeable, total
from models.simulation.exchange.orders import (
    LONG_SIDE,
    ONE_WAY,
    SHORT_SIDE,
    ZERO,
    Order,
    OrderRequest,
    Rejection,
)
from models.simulation.listing import Listing
from models.simulation.quotes import Book

MAX_LINK_ID = 36
MAX_ACTIVE_ORDERS = 500
MAX_CONDITIONAL_ORDERS = 10
_LINK_ID = re.compile(r"[A-Za-z0-9_-]+")

TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "PostOnly")
TRIGGERS = ("LastPrice", "MarkPrice")


def check_words(request: OrderRequest) -> None:
    """Values that must be one of a few, and a well-formed client id."""
    if request.order_type not in ("Market", "Limit"):
        raise Rejection(10001, "OrderType is invalid")
    if request.time_in_force not in TIMES_IN_FORCE:
        raise Rejection(10001, "TimeInForce is invalid")
    for trigger in (request.trigger_by, request.stop_loss_by, request.take_profit_by):
        if trigger not in TRIGGERS:
            raise Rejection(10001, f"TriggerBy is invalid, {trigger} is not served here")
    if len(request.link_id) > MAX_LINK_ID or (request.link_id and not _LINK_ID.fullmatch(request.link_id)):
        raise Rejection(10001, "OrderLinkId is invalid")
    if request.reduce_only and (request.stop_loss is not None or request.take_profit is not None):
        raise Rejection(10001, "TP/SL are not supported on a reduce-only order")
    if request.trigger_price is not None and request.trigger_direction not in (1, 2):
        raise Rejection(10001, "TriggerDirection is invalid")


def check_mode(request: OrderRequest, *, hedged: bool) -> None:
    """Position index fits the symbol's position mode."""
    allowed = (LONG_SIDE, SHORT_SIDE) if hedged else (ONE_WAY,)
    if request.position_idx not in allowed:
        raise Rejection(10001, "position idx not match position mode")


def check_stop_terms(request: OrderRequest) -> None:
    """TP/SL are at market for a whole position; as limit orders they need their price and the Partial mode."""
    if request.tpsl_mode not in ("Full", "Partial"):
        raise Rejection(10001, "TpslMode is invalid")
    for kind, price, limit in (
        (request.take_profit_type, request.take_profit, request.take_profit_limit),
        (request.stop_loss_type, request.stop_loss, request.stop_loss_limit),
    ):
        if kind not in ("Market", "Limit"):
            raise Rejection(10001, "tp/sl OrderType is invalid")
        if kind == "Limit" and request.tpsl_mode == "Full":
            raise Rejection(10001, "Full tpslMode only supports Market tp/sl orders")
        if (kind == "Limit" and price is not None) != (limit is not None):
            raise Rejection(10001, "tp/sl limit price does not fit its order type")


def check_price(request: OrderRequest, listing: Listing) -> None:
    """Limit, trigger and stop prices lie on the tick and within the listing's range."""
    if request.order_type == "Limit" and request.price is None:
        raise Rejection(10001, "Price is required for a Limit order")
    for price in (
        request.price,
        request.trigger_price,
        request.stop_loss,
        request.take_profit,
        request.stop_loss_limit,
        request.take_profit_limit,
    ):
        if price is None:
            continue
        if price <= 0 or price > listing.tick_size * 19_999_998:
            raise Rejection(110003, "Order price exceeds the allowable range.")
        if price % listing.tick_size:
            raise Rejection(10001, f"Price invalid, must be a multiple of {listing.tick_size}")


def check_qty(request: OrderRequest, qty: Decimal, listing: Listing) -> None:
    """Quantity lies on the step and between minimum and maximum."""
    if qty < listing.min_order_qty:
        raise Rejection(10001, "The number of contracts exceeds minimum limit allowed")
    if qty % listing.qty_step:
        raise Rejection(10001, f"Qty invalid, must be a multiple of {listing.qty_step}")
    largest = listing.max_market_qty if request.order_type == "Market" else listing.max_order_qty
    if qty > largest:
        raise Rejection(10001, "The number of contracts exceeds maximum limit allowed")


def check_notional(request: OrderRequest, qty: Decimal, reference: Decimal, listing: Listing) -> None:
    """Value is at least the listing's minimum; orders that only reduce are exempt."""
    if not request.reduce_only and qty * reference < listing.min_notional_usd:
        raise Rejection(110094, f"Order does not meet minimum order value {listing.min_notional_usd}USDT")


def reducible_qty(request: OrderRequest, position: Position) -> Decimal:
    """Quantity of a reduce-only order, cut to the position; zero asks for all of it.

    Raises
    ------
    Rejection
        There is nothing to reduce on that side.

    """
    if position.side == 0:
        raise Rejection(110017, "current position is zero, cannot fix reduce-only order qty")
    if position.side == request.side:
        raise Rejection(110017, "Reduce-only rule not satisfied")
    return abs(position.qty) if request.qty == 0 else min(request.qty, abs(position.qty))


def check_stops(request: OrderRequest, reference: Decimal) -> None:
    """Stop loss on the losing side of the order's price, take profit on the winning one."""
    name = "Buy" if request.side > 0 else "Sell"
    if request.stop_loss is not None and (request.stop_loss - reference) * request.side >= 0:
        word = "lower" if request.side > 0 else "higher"
        raise Rejection(
            10001,
            f"StopLoss:{request.stop_loss} set for {name} position should be {word} than base_price:{reference}",
        )
    if request.take_profit is not None and (request.take_profit - reference) * request.side <= 0:
        word = "higher" if request.side > 0 else "lower"
        raise Rejection(
            10001,
            f"TakeProfit:{request.take_profit} set for {name} position should be {word} than base_price:{reference}",
        )


def check_trigger(request: OrderRequest, current: Decimal) -> None:
    """Trigger of a conditional order lies on the side its direction says."""
    if request.trigger_price is None:
        return
    if request.trigger_direction == 1 and request.trigger_price <= current:
        raise Rejection(110093, "expect Rising, but trigger_price <= current")
    if request.trigger_direction == 2 and request.trigger_price >= current:
        raise Rejection(110092, "expect Falling, but trigger_price >= current")


def opening_qty(side: int, qty: Decimal, position: Position) -> Decimal:
    """Part of an order that would enlarge or turn the position."""
    return qty if position.side * side >= 0 else max(ZERO, qty - abs(position.qty))


def order_margin(order: Order, position: Position) -> Decimal:
    """Margin a resting order holds; conditional orders hold none until they trigger."""
    if order.request.reduce_only or order.request.price is None or order.is_waiting:
        return ZERO
    return (
        opening_qty(order.request.side, order.remaining, position) * order.request.price / position.leverage
    )


def opening_value(request: OrderRequest, opened: Decimal, book: Book, mark: Decimal) -> Decimal:
    """Return what the opening part of an order is worth at its price, or where it has none at the book's."""
    if request.price is not None:
        return opened * request.price
    return total(takeable(book, request.side, opened, market_limit(mark, request.side)))[1]


def check_margin(value_usd: Decimal, position: Position, available_usd: Decimal, fee_rate: Decimal) -> None:
    """Refuse with 110007 what cannot be paid for: margin and fee of an opening value."""
    if value_usd / position.leverage + value_usd * fee_rate > available_usd:
        raise Rejection(110007, "ab not enough for new order")


def check_risk_limit(value_usd: Decimal, limit_usd: Decimal) -> None:
    """Refuse with 110090 a position value beyond what the leverage allows."""
    if value_usd > limit_usd:
        raise Rejection(
            110090,
            f"Your position value {value_usd} would exceed the maximum of {limit_usd} at the present leverage",
        )
