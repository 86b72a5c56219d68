"""What the venue says of an order, merged into what is known of it: in any order, doubled, or late. Pure.

The words of a venue about one order arrive by three ways (the reply to a request, the private stream, a listing)
and in no promised order, so merging must not depend on it: what has been filled never shrinks, an order the venue
has ended does not come back, and a fill outweighs a cancel. Storage and attribution do not belong here.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hean_live.execution.records import (
    CANCELLED,
    FILLED,
    LOST,
    OPEN,
    PARTIALLY_FILLED,
    REJECTED,
    OrderRow,
)
from models.errors import DataError
from models.market.trading_records import Execution, Order, OrderStatus

# Reason of an order that was acknowledged and that no listing showed any more: our conclusion, not the venue's word.
VANISHED = "the venue does not know this id"

_STATES = {
    OrderStatus.NEW: OPEN,
    OrderStatus.UNTRIGGERED: OPEN,
    OrderStatus.TRIGGERED: OPEN,
    OrderStatus.PARTIALLY_FILLED: PARTIALLY_FILLED,
    OrderStatus.FILLED: FILLED,
    OrderStatus.CANCELLED: CANCELLED,
    OrderStatus.PARTIALLY_FILLED_CANCELED: CANCELLED,
    OrderStatus.DEACTIVATED: CANCELLED,
    OrderStatus.REJECTED: REJECTED,
}
# Larger than any order or price on earth, small enough that arithmetic on it stays exact and quick.
_LARGEST = Decimal("1e15")
_LAST_NS = 2**63 - 1


def merged(row: OrderRow, order: Order) -> OrderRow:
    """Return an order as it is known after one more word of the venue.

    Parameters
    ----------
    row : OrderRow
        As known before.
    order : Order
        The venue's record, possibly older than what is known.

    Returns
    -------
    OrderRow
        Equal to `row` if nothing new was said.

    """
    state = _state(row, order)
    filled = max(row.filled_qty, order.filled_qty)
    if state == OPEN and filled:
        state = PARTIALLY_FILLED
    ended_differently = row.state != state or row.is_active or not _is_ended_by_venue(row)
    words = order.reject_reason or order.cancel_type or ("" if row.is_doubtful else row.reason)
    newer = order.filled_qty >= row.filled_qty
    return replace(
        row,
        state=state,
        venue_id=order.order_id or row.venue_id,
        # An amended order has another size and price than it was sent with.
        qty=max(order.qty, filled) if newer and row.leg != "stop" else row.qty,
        price=order.price if newer and row.price is not None and order.price is not None else row.price,
        filled_qty=filled,
        avg_price=(order.avg_price if newer else None) or row.avg_price,
        reason=words if ended_differently else row.reason,
    )


def check_order(row: OrderRow | None, order: Order) -> None:
    """Refuse a record that cannot be true.

    Raises
    ------
    DataError
        If quantities are impossible, or symbol or side are not those of the order known under this id.

    """
    where = f"order {order.client_id or order.order_id}"
    _in_range(where, "filled quantity", order.filled_qty, order.qty if order.qty else _LARGEST)
    _in_range(where, "quantity", order.qty, _LARGEST)
    if order.avg_price is not None:
        _in_range(where, "average price", order.avg_price, _LARGEST)
    if row is not None and (row.symbol, row.side) != (order.symbol, order.side):
        raise DataError(
            f"{where}: should be of {row.symbol}, side {row.side:+d}, was of {order.symbol}, side {order.side:+d}"
        )
    if row is not None and row.venue_id and order.order_id != row.venue_id and row.state != LOST:
        raise DataError(f"{where}: the venue's id should be {row.venue_id}, was {order.order_id}")


def check_execution(row: OrderRow | None, execution: Execution) -> None:
    """Refuse an execution that cannot be true; raises `DataError`."""
    where = f"execution {execution.exec_id}"
    _in_range(where, "quantity", execution.qty, _LARGEST)
    _in_range(where, "price", execution.price, _LARGEST)
    _in_range(where, "fee", abs(execution.fee), _LARGEST)
    if not 0 < execution.at_ns <= _LAST_NS:
        raise DataError(f"{where}: time should be a nanosecond stamp, was {execution.at_ns}")
    if execution.kind != "funding" and (execution.qty == 0 or execution.price == 0):
        raise DataError(
            f"{where}: quantity and price should be positive, were {execution.qty}, {execution.price}"
        )
    if row is not None and (row.symbol, row.side) != (execution.symbol, execution.side):
        raise DataError(
            f"{where}: should be of {row.symbol}, side {row.side:+d}, was of {execution.symbol},"
            f" side {execution.side:+d}"
        )


def _state(row: OrderRow, order: Order) -> str:
    state = _STATES.get(order.status)
    if state is None:  # a status this code does not know: the order exists, that is all that was said
        return OPEN if row.is_doubtful or row.state == LOST else row.state
    if not _is_ended_by_venue(row):
        return state
    # A fill outweighs the cancel it raced; everything else the venue has ended stays as it ended.
    return FILLED if state == FILLED else row.state


def _is_ended_by_venue(row: OrderRow) -> bool:
    """Whether the venue itself has said how the order ended; conclusions of ours give way to its word."""
    return row.state in (FILLED, CANCELLED) and row.reason != VANISHED


def _in_range(where: str, what: str, value: Decimal, largest: Decimal) -> None:
    if not 0 <= value <= largest:
        raise DataError(f"{where}: {what} should lie between 0 and {largest}, was {value}")
