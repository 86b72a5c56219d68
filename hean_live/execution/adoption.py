"""Taking over what the venue holds and our books do not know, and giving up what it does not hold; journalled.

The venue's word is the truth: an order with an id of ours that no row explains becomes a row, a position of ours
that the venue has not held for a while is booked as closed. Deciding when is the callers'.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hean_live.execution.client_id import client_order_id, parse_client_id
from hean_live.execution.journal import Journal
from hean_live.execution.records import FILLED, SUBMITTING, OrderRow
from models.errors import DataError
from models.market.trading_records import Order

WRITTEN_OFF = "written off: the venue holds no such position and shows no execution that closed it"


def adopt_order(journal: Journal, order: Order) -> OrderRow:
    """Return a row, not yet journalled, for an order of ours that is not known here; journals the event.

    Raises
    ------
    DataError
        If the order carries no id of ours.

    """
    parsed = parse_client_id(order.client_id)
    if parsed is None:
        raise DataError(f"an order of ours should have an id of ours, had {order.client_id!r}")
    body = {"client_id": order.client_id, "venue_id": order.order_id, "qty": str(order.qty)}
    journal.event("adopt", body, strategy=parsed.strategy, symbol=order.symbol)
    return OrderRow(
        client_id=order.client_id,
        strategy=parsed.strategy,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        qty=order.qty,
        price=order.price,
        reduce_only=order.reduce_only,
        leg=parsed.leg_name,
        decision_ns=parsed.decision_ns,
        state=SUBMITTING,
        venue_id=order.order_id,
        reason="adopted",
    )


def next_protection_id(orders: list[OrderRow], side: int) -> str:
    """Return the id of the next order on `side` that closes a position among `orders` without being ours.

    It belongs to the newest decision that is open on the other side, ``""`` without one.
    """
    open_net: dict[tuple[int, str], Decimal] = {}
    for row in orders:
        key = (row.decision_ns, row.strategy)
        open_net[key] = open_net.get(key, Decimal(0)) + row.side * row.filled_qty
    decisions = sorted(key for key, net in open_net.items() if net * side < 0)
    if not decisions:
        return ""
    decision_ns, strategy = decisions[-1]
    taken = sum(row.decision_ns == decision_ns and row.leg == "stop" for row in orders)
    return client_order_id(strategy, orders[0].symbol, decision_ns, f"s{taken}")


def write_off(journal: Journal, symbol: str, qty: Decimal) -> None:
    """Book `qty` (signed, base units) of our position as closed."""
    side = -1 if qty > 0 else 1
    client_id = next_protection_id(journal.orders_of(symbol), side)
    parsed = parse_client_id(client_id)
    if qty == 0 or parsed is None:
        return
    row = OrderRow(
        client_id=client_id,
        strategy=parsed.strategy,
        symbol=symbol,
        side=side,
        order_type="",
        qty=abs(qty),
        price=None,
        reduce_only=True,
        leg="stop",
        decision_ns=parsed.decision_ns,
        state=FILLED,
        filled_qty=abs(qty),
        reason=WRITTEN_OFF,
    )
    with journal.transaction():
        body = {
            "client_id": client_id,
            "qty": str(qty),
            "found": "the position differs, the venue's is taken",
        }
        journal.event("adopt", body, strategy=row.strategy, symbol=symbol)
        journal.put_order(row)


def take_back(journal: Journal, explained_by: OrderRow, qty: Decimal) -> None:
    """Undo write-offs of a decision, newest first, that a late fill of its order `explained_by` accounts for."""
    orders = journal.orders_of(explained_by.symbol, explained_by.decision_ns)
    for row in reversed(orders):
        ours = row.strategy == explained_by.strategy
        if ours and row.reason == WRITTEN_OFF and row.side == explained_by.side:
            undone = min(qty, row.filled_qty)
            journal.put_order(replace(row, filled_qty=row.filled_qty - undone))
            qty -= undone
