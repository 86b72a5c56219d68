"""What an amendment makes of an order, and whether it may.

Here belong pure functions of an order and the changes asked for; carrying them out is `desk`'s business.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from models.simulation.exchange import checks
from models.simulation.exchange.orders import Amendment, Order, OrderRequest, Rejection
from models.simulation.exchange.stops import WHOLE
from models.simulation.listing import Listing


def amended(order: Order, changes: Amendment) -> tuple[OrderRequest, Decimal]:
    """Return request and quantity of an order after its amendment.

    Raises
    ------
    Rejection
        10001 for a value the order does not have: the price of a market order, the trigger of an unconditional one.

    """
    request = order.request
    if changes.price is not None and request.order_type == "Market":
        raise Rejection(10001, "a Market order has no price to amend")
    if changes.trigger_price is not None and not order.is_waiting:
        raise Rejection(10001, "the order has no trigger price to amend")
    new = replace(
        request,
        price=request.price if changes.price is None else changes.price,
        trigger_price=request.trigger_price if changes.trigger_price is None else changes.trigger_price,
        trigger_by=changes.trigger_by or request.trigger_by,
        stop_loss=request.stop_loss if changes.stop_loss is None else changes.stop_loss or None,
        take_profit=request.take_profit if changes.take_profit is None else changes.take_profit or None,
        stop_loss_by=changes.stop_loss_by or request.stop_loss_by,
        take_profit_by=changes.take_profit_by or request.take_profit_by,
    )
    if new.stop_loss is None:
        new = replace(new, stop_loss_limit=None, stop_loss_type="Market")
    elif changes.stop_loss_limit is not None:
        new = replace(new, stop_loss_limit=changes.stop_loss_limit)
    if new.take_profit is None:
        new = replace(new, take_profit_limit=None, take_profit_type="Market")
    elif changes.take_profit_limit is not None:
        new = replace(new, take_profit_limit=changes.take_profit_limit)
    return new, order.qty if changes.qty is None else changes.qty


def check(
    order: Order, request: OrderRequest, qty: Decimal, listing: Listing, last: Decimal, marked: Decimal
) -> None:
    """Refuse an amendment that changes nothing or breaks a rule.

    Parameters
    ----------
    order : Order
        As it is.
    request, qty : OrderRequest, Decimal
        As it would be.
    listing : Listing
    last, marked : Decimal
        Price of the last trade, and the price the order's trigger looks at.

    Raises
    ------
    Rejection
        With the venue's code and text.

    """
    if (request, qty) == (order.request, order.qty):
        raise Rejection(
            10001, "The order remains unchanged as the parameters entered match the existing ones."
        )
    if order.is_waiting and order.stop_order_type in WHOLE and qty != order.qty:
        raise Rejection(10001, "the quantity of a whole position's stop follows the position")
    if request.trailing is not None and request.trigger_price != order.request.trigger_price:
        raise Rejection(10001, "the trigger price of a trailing stop follows the market")
    checks.check_words(request)
    checks.check_stop_terms(request)
    checks.check_price(request, listing)
    if qty <= order.filled_qty and qty != order.qty:
        raise Rejection(110064, "The order quantity must be larger than what is filled already")
    reference = request.price if request.price is not None else last
    if qty != order.qty:
        checks.check_qty(request, qty, listing)
    if qty:
        checks.check_notional(request, qty, reference, listing)
    checks.check_stops(request, reference)
    if order.is_waiting and request.trigger_price != order.request.trigger_price:
        checks.check_trigger(request, marked)
