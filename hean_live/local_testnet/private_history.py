"""Signed endpoints that read what happened: orders, executions, closed positions, the transaction log.

Here belong their windows and pages. A query of orders by id finds the last 500 in any state; without an id, ``realtime`` lists
open orders, or with ``openOnly=1`` the last 500 closed ones.
"""

from __future__ import annotations

from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.private_common import is_linear, listed, nothing, page_of, scope, window
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.rows import Row, closed_pnl_row, execution_row, order_row, transaction_row
from hean_live.local_testnet.venue import Venue
from models.simulation.bars import DAY_MS
from models.simulation.exchange.orders import Order
from models.simulation.exchange.state import NS_PER_MS

CLOSED_KEPT = 500


def realtime(venue: Venue, query: Query) -> Row:
    """``GET /v5/order/realtime``."""
    if not is_linear(query):
        return nothing(query)
    wanted = scope(venue, query.text("symbol"), query.text("baseCoin"), query.text("settleCoin"))
    by_id = bool(query.text("orderId") or query.text("orderLinkId"))
    closed_only = not by_id and query.choice("openOnly", ("0", "1", "2"), "0") != "0"
    orders = [] if closed_only else venue.exchange.open_orders()
    if by_id or closed_only:
        orders = orders + _closed(venue, wanted, query)[-CLOSED_KEPT:]
    orders = [
        order for order in _by_ids(query, orders) if order.request.symbol in wanted and _passes(order, query)
    ]
    page, cursor = page_of(
        orders, query, 20, 50, lambda order: f"page_args%3D{order.sequence}%26symbol%3D6%26"
    )
    return {
        "category": "linear",
        "list": [_order_row(venue, order) for order in page],
        "nextPageCursor": cursor,
    }


def history(venue: Venue, query: Query) -> Row:
    """``GET /v5/order/history``: closed orders; those without any fill are kept for a day."""
    if not is_linear(query):
        return nothing(query)
    start_ms, end_ms = window(query, venue.exchange.now_ms)
    day_ago = venue.exchange.now_ms - DAY_MS
    orders = [
        order
        for order in _by_ids(query, list(venue.exchange.orders.values()))
        if not order.status.is_open
        and (not query.text("symbol") or order.request.symbol == query.text("symbol"))
        and start_ms <= order.created_ns // NS_PER_MS <= end_ms
        and (order.filled_qty or order.updated_ns // NS_PER_MS >= day_ago)
        and (not query.text("orderStatus") or order.status.value == query.text("orderStatus"))
        and _passes(order, query)
    ]
    page, cursor = page_of(orders, query, 20, 50, lambda order: f"page_token%3D{order.sequence}%26")
    return {
        "category": "linear",
        "list": [_order_row(venue, order) for order in page],
        "nextPageCursor": cursor,
    }


def executions(venue: Venue, query: Query) -> Row:
    """``GET /v5/execution/list``: fills and funding payments, newest first."""
    if not is_linear(query):
        return nothing(query)
    start_ms, end_ms = window(query, venue.exchange.now_ms)
    found = [
        execution
        for execution in venue.exchange.executions
        if start_ms <= execution.at_ns // NS_PER_MS <= end_ms
        and (not query.text("symbol") or execution.symbol == query.text("symbol"))
        and (not query.text("orderId") or execution.order_id == query.text("orderId"))
        and (not query.text("orderLinkId") or execution.link_id == query.text("orderLinkId"))
        and (not query.text("execType") or execution.kind == query.text("execType"))
    ]
    page, cursor = page_of(found, query, 50, 100, lambda item: f"{item.sequence}%3A2%2C{item.sequence}%3A2")
    rows = [execution_row(execution, listed(venue, execution.symbol)) for execution in page]
    return {"category": "linear", "list": rows, "nextPageCursor": cursor}


def closed_pnl(venue: Venue, query: Query) -> Row:
    """``GET /v5/position/closed-pnl``: one row per order that closed something, newest first."""
    if not is_linear(query):
        return nothing(query)
    start_ms, end_ms = window(query, venue.exchange.now_ms)
    found = [
        record
        for record in venue.exchange.closed.values()
        if start_ms <= record.updated_ns // NS_PER_MS <= end_ms
        and (not query.text("symbol") or record.order.request.symbol == query.text("symbol"))
    ]
    page, cursor = page_of(found, query, 50, 100, lambda item: f"{item.sequence}%3A{item.order.order_id}")
    rows = [closed_pnl_row(record, listed(venue, record.order.request.symbol)) for record in page]
    return {"category": "linear", "list": rows, "nextPageCursor": cursor}


def transaction_log(venue: Venue, query: Query) -> Row:
    """``GET /v5/account/transaction-log``: every change of the wallet, newest first; a day back by default."""
    if query.text("accountType", "UNIFIED") != "UNIFIED":
        raise Refused(PARAMETER_ERROR, "accountType only support UNIFIED.")
    start_ms, end_ms = window(query, venue.exchange.now_ms, DAY_MS)
    wanted = query.category("linear") == "linear" and query.text("currency", "USDT") in ("", "USDT")
    found = [
        execution
        for execution in venue.exchange.executions
        if wanted
        and start_ms <= execution.at_ns // NS_PER_MS <= end_ms
        and (not query.text("type") or transaction_row(execution)["type"] == query.text("type"))
        and (
            not query.text("baseCoin") or listed(venue, execution.symbol).base_coin == query.text("baseCoin")
        )
    ]
    page, cursor = page_of(found, query, 20, 50, lambda item: f"{item.sequence}%3A1")
    return {"list": [transaction_row(execution) for execution in page], "nextPageCursor": cursor}


def _closed(venue: Venue, wanted: set[str], query: Query) -> list[Order]:
    return [
        order
        for order in _by_ids(query, list(venue.exchange.orders.values()))
        if not order.status.is_open and order.request.symbol in wanted
    ]


def _passes(order: Order, query: Query) -> bool:
    """Whether an order is of the kind ``orderFilter`` asks for."""
    wanted = query.text("orderFilter")
    return wanted not in ("Order", "StopOrder") or bool(order.stop_order_type) == (wanted == "StopOrder")


def _order_row(venue: Venue, order: Order) -> Row:
    return order_row(order, listed(venue, order.request.symbol))


def _by_ids(query: Query, orders: list[Order]) -> list[Order]:
    order_id, link_id = query.text("orderId"), query.text("orderLinkId")
    if order_id:
        return [order for order in orders if order.order_id == order_id]
    return [order for order in orders if order.request.link_id == link_id] if link_id else orders
