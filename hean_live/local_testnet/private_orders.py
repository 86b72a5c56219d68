"""Signed endpoints that change orders one by one.

Here belongs reading their parameters. ``create``, ``amend`` and ``cancel`` answer with an acknowledgement only; what became of an
order is told by the private streams and by ``private_history``.
"""

from __future__ import annotations

from decimal import Decimal

from hean_live.local_testnet.body import Body
from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.private_common import listed, scope
from hean_live.local_testnet.rows import Row
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.orders import Amendment, Order, OrderRequest

MAX_CANCELLED = 500
# Parameters that would change what an order does; ignoring them would be a lie.
NOT_SERVED_FIELDS = ("bboSideType", "bboLevel", "slippageToleranceType", "slippageTolerance")


def create(venue: Venue, body: Body) -> Row:
    """``POST /v5/order/create``."""
    body.linear()
    listing = listed(venue, body.required("symbol"))
    for name in NOT_SERVED_FIELDS:
        if body.text(name):
            raise Refused(PARAMETER_ERROR, f"{name} is not served here")
    order_type = body.required("orderType")
    close_all = body.flag("reduceOnly") and body.flag("closeOnTrigger")
    qty = body.decimal("qty")
    if qty is None or (qty == 0 and not close_all):
        raise Refused(PARAMETER_ERROR, "Qty invalid")
    order = venue.exchange.create(
        OrderRequest(
            symbol=listing.symbol,
            side=body.side(),
            order_type=order_type,
            qty=qty,
            price=body.decimal("price") if order_type == "Limit" else None,
            time_in_force=body.text("timeInForce") or "GTC" if order_type == "Limit" else "IOC",
            link_id=body.text("orderLinkId"),
            reduce_only=body.flag("reduceOnly"),
            close_on_trigger=body.flag("closeOnTrigger"),
            trigger_price=_positive(body, "triggerPrice"),
            trigger_direction=body.integer("triggerDirection"),
            trigger_by=body.text("triggerBy") or "LastPrice",
            stop_loss=_positive(body, "stopLoss"),
            take_profit=_positive(body, "takeProfit"),
            stop_loss_by=body.text("slTriggerBy") or "LastPrice",
            take_profit_by=body.text("tpTriggerBy") or "LastPrice",
            position_idx=body.integer("positionIdx"),
            tpsl_mode=body.text("tpslMode") or "Full",
            stop_loss_type=body.text("slOrderType") or "Market",
            take_profit_type=body.text("tpOrderType") or "Market",
            stop_loss_limit=_positive(body, "slLimitPrice"),
            take_profit_limit=_positive(body, "tpLimitPrice"),
        )
    )
    return _ack(order)


def amend(venue: Venue, body: Body) -> Row:
    """``POST /v5/order/amend``: what is not given stays; a TP/SL of ``"0"`` is removed."""
    symbol, order_id, link_id = _which(venue, body)
    changes = Amendment(
        qty=_positive(body, "qty"),
        price=_positive(body, "price"),
        trigger_price=_positive(body, "triggerPrice"),
        trigger_by=body.text("triggerBy"),
        stop_loss=body.decimal("stopLoss"),
        take_profit=body.decimal("takeProfit"),
        stop_loss_by=body.text("slTriggerBy"),
        take_profit_by=body.text("tpTriggerBy"),
        stop_loss_limit=_positive(body, "slLimitPrice"),
        take_profit_limit=_positive(body, "tpLimitPrice"),
    )
    return _ack(venue.exchange.amend(symbol, changes, order_id, link_id))


def cancel(venue: Venue, body: Body) -> Row:
    """``POST /v5/order/cancel``; where both ids are given, ``orderId`` wins."""
    symbol, order_id, link_id = _which(venue, body)
    return _ack(venue.exchange.cancel(symbol, order_id, link_id))


def cancel_all(venue: Venue, body: Body) -> Row:
    """``POST /v5/order/cancel-all``: by symbol, base coin or settle coin, in that priority."""
    body.linear()
    wanted = scope(venue, body.text("symbol"), body.text("baseCoin"), body.text("settleCoin"))
    kinds = {"": (True, False), "Order": (False,), "StopOrder": (True,), "OpenOrder": (True, False)}
    if body.text("orderFilter") not in kinds:
        raise Refused(PARAMETER_ERROR, "params error: orderFilter invalid")
    conditional = kinds[body.text("orderFilter")]
    cancelled = []
    for order in venue.exchange.open_orders()[:MAX_CANCELLED]:
        # One cancellation may end others: the partner of a pair of stops, for example.
        if order.status.is_open and order.request.symbol in wanted and order.is_waiting in conditional:
            venue.exchange.cancel_order(order)
            cancelled.append(_ack(order))
    return {"list": cancelled, "success": "1"}


def _which(venue: Venue, body: Body) -> tuple[str, str, str]:
    body.linear()
    listing = listed(venue, body.required("symbol"))
    order_id, link_id = body.text("orderId"), body.text("orderLinkId")
    if not (order_id or link_id):
        raise Refused(PARAMETER_ERROR, "params error: orderId or orderLinkId is required")
    return listing.symbol, order_id, link_id


def _positive(body: Body, name: str) -> Decimal | None:
    """Read an optional number; zero and empty both mean that it is not set."""
    return body.decimal(name) or None


def _ack(order: Order) -> Row:
    return {"orderId": order.order_id, "orderLinkId": order.request.link_id}
