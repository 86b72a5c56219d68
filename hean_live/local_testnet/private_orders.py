"""Signed endpoints of orders and executions.

Here belongs their parameters, windows and pages. ``create`` and ``cancel`` answer with an acknowledgement only; what
became of an order is told by ``realtime`` and ``history``. A query by id finds the last 500 orders in any state;
without an id, ``realtime`` lists open orders, or with ``openOnly=1`` the last 500 closed ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from hean_live.local_testnet.body import Body
from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.rows import Row, execution_row, order_row
from hean_live.local_testnet.venue import Venue
from models.simulation.bars import DAY_MS
from models.simulation.exchange.orders import Execution, Order, OrderRequest, OrderStatus
from models.simulation.exchange.state import NS_PER_MS
from models.simulation.listing import Listing

Record = TypeVar("Record", Order, Execution)

WEEK_MS = 7 * DAY_MS
CLOSED_KEPT = 500


def create(venue: Venue, body: Body) -> Row:
    """``POST /v5/order/create``."""
    body.linear()
    listing = listed(venue, body.required("symbol"))
    if body.integer("positionIdx") != 0:
        raise Refused(PARAMETER_ERROR, "position idx not match position mode")
    if body.text("tpslMode", "Full") != "Full":
        raise Refused(PARAMETER_ERROR, "tpslMode Partial is not served here")
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
        )
    )
    return _ack(order)


def cancel(venue: Venue, body: Body) -> Row:
    """``POST /v5/order/cancel``; where both ids are given, ``orderId`` wins."""
    body.linear()
    listing = listed(venue, body.required("symbol"))
    order_id, link_id = body.text("orderId"), body.text("orderLinkId")
    if not (order_id or link_id):
        raise Refused(PARAMETER_ERROR, "params error: orderId or orderLinkId is required")
    return _ack(venue.exchange.cancel(listing.symbol, order_id, link_id))


def cancel_all(venue: Venue, body: Body) -> Row:
    """``POST /v5/order/cancel-all``: by symbol, base coin or settle coin, in that priority."""
    body.linear()
    wanted = scope(venue, body.text("symbol"), body.text("baseCoin"), body.text("settleCoin"))
    kinds = {"": (True, False), "Order": (False,), "StopOrder": (True,), "OpenOrder": (True, False)}
    if body.text("orderFilter") not in kinds:
        raise Refused(PARAMETER_ERROR, "params error: orderFilter invalid")
    conditional = kinds[body.text("orderFilter")]
    cancelled = []
    for order in venue.exchange.open_orders()[:CLOSED_KEPT]:
        if order.request.symbol in wanted and (order.status is OrderStatus.UNTRIGGERED) in conditional:
            venue.exchange.cancel_order(order)
            cancelled.append(_ack(order))
    return {"list": cancelled, "success": "1"}


def realtime(venue: Venue, query: Query) -> Row:
    """``GET /v5/order/realtime``."""
    _linear(query)
    wanted = scope(venue, query.text("symbol"), query.text("baseCoin"), query.text("settleCoin"))
    orders = _by_ids(
        query, [order for order in venue.exchange.orders.values() if order.request.symbol in wanted]
    )
    closed = [order for order in orders if not order.status.is_open][-CLOSED_KEPT:]
    if query.text("orderId") or query.text("orderLinkId"):
        orders = [order for order in orders if order.status.is_open] + closed
    elif query.choice("openOnly", ("0", "1", "2"), "0") == "0":
        orders = [order for order in orders if order.status.is_open]
    else:
        orders = closed
    page, cursor = _page(orders, query, 20, 50, lambda order: f"page_args%3D{order.sequence}%26symbol%3D6%26")
    return {
        "category": "linear",
        "list": [_order_row(venue, order) for order in page],
        "nextPageCursor": cursor,
    }


def history(venue: Venue, query: Query) -> Row:
    """``GET /v5/order/history``: closed orders; those without any fill are kept for a day."""
    _linear(query)
    start_ms, end_ms = _window(query, venue.exchange.now_ms)
    day_ago = venue.exchange.now_ms - DAY_MS
    orders = [
        order
        for order in _by_ids(query, list(venue.exchange.orders.values()))
        if not order.status.is_open
        and (not query.text("symbol") or order.request.symbol == query.text("symbol"))
        and start_ms <= order.created_ns // NS_PER_MS <= end_ms
        and (order.filled_qty or order.updated_ns // NS_PER_MS >= day_ago)
        and (not query.text("orderStatus") or order.status.value == query.text("orderStatus"))
    ]
    page, cursor = _page(orders, query, 20, 50, lambda order: f"page_token%3D{order.sequence}%26")
    return {
        "category": "linear",
        "list": [_order_row(venue, order) for order in page],
        "nextPageCursor": cursor,
    }


def executions(venue: Venue, query: Query) -> Row:
    """``GET /v5/execution/list``: fills and funding payments, newest first."""
    _linear(query)
    start_ms, end_ms = _window(query, venue.exchange.now_ms)
    found = [
        execution
        for execution in venue.exchange.executions
        if start_ms <= execution.at_ns // NS_PER_MS <= end_ms
        and (not query.text("symbol") or execution.symbol == query.text("symbol"))
        and (not query.text("orderId") or execution.order_id == query.text("orderId"))
        and (not query.text("orderLinkId") or execution.link_id == query.text("orderLinkId"))
        and (not query.text("execType") or execution.kind == query.text("execType"))
    ]
    page, cursor = _page(found, query, 50, 100, lambda item: f"{item.sequence}%3A2%2C{item.sequence}%3A2")
    rows = [execution_row(execution, listed(venue, execution.symbol)) for execution in page]
    return {"category": "linear", "list": rows, "nextPageCursor": cursor}


def listed(venue: Venue, symbol: str) -> Listing:
    """Return listing of a perpetual the account may trade."""
    listing = venue.market.listing(symbol)
    if listing is None:
        raise Refused(PARAMETER_ERROR, "params error: symbol invalid")
    return listing


def scope(venue: Venue, symbol: str, base_coin: str, settle_coin: str) -> set[str]:
    """Symbols a request is about; one of the three must be given."""
    if symbol:
        return {listed(venue, symbol).symbol}
    listings = venue.market.listings("linear")
    if base_coin:
        return {name for name, listing in listings.items() if listing.base_coin == base_coin}
    if settle_coin:
        return set(listings) if settle_coin == "USDT" else set()
    raise Refused(PARAMETER_ERROR, "params error: symbol, baseCoin or settleCoin is required")


def _linear(query: Query) -> None:
    if query.category() != "linear":
        raise Refused(PARAMETER_ERROR, "params error: Category is invalid")


def _positive(body: Body, name: str) -> Decimal | None:
    """Price of an optional field; zero and empty both mean that it is not set."""
    return body.decimal(name) or None


def _ack(order: Order) -> Row:
    return {"orderId": order.order_id, "orderLinkId": order.request.link_id}


def _order_row(venue: Venue, order: Order) -> Row:
    return order_row(order, listed(venue, order.request.symbol))


def _by_ids(query: Query, orders: list[Order]) -> list[Order]:
    order_id, link_id = query.text("orderId"), query.text("orderLinkId")
    if order_id:
        return [order for order in orders if order.order_id == order_id]
    return [order for order in orders if order.request.link_id == link_id] if link_id else orders


def _window(query: Query, now_ms: int) -> tuple[int, int]:
    """Time range of a history: seven days back by default, never longer than seven days."""
    start, end = query.integer("startTime"), query.integer("endTime")
    if start is None:
        end_ms = now_ms if end is None else end
        return end_ms - WEEK_MS, end_ms
    end_ms = start + WEEK_MS if end is None else end
    if not 0 <= end_ms - start <= WEEK_MS:
        raise Refused(PARAMETER_ERROR, "The time range between startTime and endTime cannot exceed 7 days")
    return start, end_ms


def _page(
    records: Sequence[Record], query: Query, default: int, maximum: int, cursor_of: Callable[[Record], str]
) -> tuple[list[Record], str]:
    """One page, newest first, and the cursor to the next; the cursor holds the sequence of the page's last record."""
    limit = query.limit(default, maximum)
    ordered = sorted(records, key=lambda record: -record.sequence)
    cursor = query.text("cursor")
    if cursor:
        number = re.search(r"\d+", cursor)
        if number is None:
            raise Refused(PARAMETER_ERROR, "params error: cursor invalid")
        ordered = [record for record in ordered if record.sequence < int(number.group())]
    page = ordered[:limit]
    return page, cursor_of(page[-1]) if len(ordered) > limit else ""
