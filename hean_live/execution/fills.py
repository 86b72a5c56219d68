"""Executions into the journal, each once and attributed: to our order, to its protection, or to others.

Here belongs the attribution. Fetching executions is the venue's business, adding them up to a trade that of
`trades.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from hean_live.execution.adoption import next_protection_id, take_back
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.journal import Journal
from hean_live.execution.merging import check_execution
from hean_live.execution.records import FILLED, FillRow, OrderRow
from models.errors import DataError
from models.market.trading_records import Execution

log = logging.getLogger(__name__)

TRADE = "trade"
FUNDING = "funding"
FOREIGN = "foreign"
# Reason of an order known from its executions alone: its size is what they add up to.
ADOPTED = "adopted from an execution"

# Auto-deleveraging and liquidation change a position as any trade does.
_TRADING_KINDS = frozenset({"trade", "adltrade", "busttrade", "blocktrade"})
_USD_COINS = frozenset({"", "USDT", "USDC"})


class FillBook:
    """Writes executions to the journal and keeps the filled quantity of orders true.

    Parameters
    ----------
    journal : Journal
    probe : callable
        Called before a fill is written, with the point's name.
    unknown : callable
        Called at an execution of an order of ours that the journal did not know.

    """

    def __init__(self, journal: Journal, probe: Callable[[str], None], unknown: Callable[[], None]) -> None:
        self._journal = journal
        self._probe = probe
        self._unknown = unknown

    def take_one(self, execution: Execution) -> bool:
        """Journal one execution; returns False if it is known already.

        Raises
        ------
        DataError
            If it cannot be true, or contradicts the order it belongs to.

        """
        if self._journal.has_fill(execution.exec_id):
            return False
        check_execution(self._journal.order(execution.client_id) if execution.client_id else None, execution)
        self._probe("before_fill")
        with self._journal.transaction():
            self._take_one(execution)
        return True

    def _take_one(self, execution: Execution) -> None:
        kind, order = self._attribute(execution)
        fee = execution.fee
        if execution.fee_currency not in _USD_COINS:
            body = {"code": "FEE_CURRENCY", "fee": str(fee), "coin": execution.fee_currency}
            self._journal.event("error", body, symbol=execution.symbol)
            fee = Decimal(0)
        fill = FillRow(
            exec_id=execution.exec_id,
            client_id=order.client_id if order else "",
            venue_id=execution.order_id,
            symbol=execution.symbol,
            side=execution.side,
            qty=execution.qty,
            price=execution.price,
            fee_usd=fee,
            is_maker=execution.is_maker,
            kind=kind,
            at_ns=execution.at_ns,
        )
        self._journal.add_fill(fill)
        if order is not None:
            self._count(order)
        if order is not None and order.leg != "entry":
            take_back(self._journal, order, fill.qty)
        if kind != FOREIGN:
            log.info("%s of %s: %s at %s", kind, fill.symbol, fill.qty * fill.side, fill.price)

    def _attribute(self, execution: Execution) -> tuple[str, OrderRow | None]:
        if execution.kind == "funding":
            return FUNDING, None
        if execution.kind not in _TRADING_KINDS:
            return FOREIGN, None
        order = self._order_of(execution)
        return (TRADE, order) if order else (FOREIGN, None)

    def _order_of(self, execution: Execution) -> OrderRow | None:
        if parse_client_id(execution.client_id) is not None:
            known = self._journal.order(execution.client_id)
            if known is None:
                self._unknown()
            return known or self._adopt(execution, execution.client_id)
        if execution.client_id:
            return None
        known = self._journal.order_by_venue_id(execution.order_id) if execution.order_id else None
        return known or self._protection(execution)

    def _protection(self, execution: Execution) -> OrderRow | None:
        """Adopt an order without anyone's id that shrank our position: the venue's stop, a close by hand."""
        orders = self._journal.orders_of(execution.symbol)
        net = sum((row.side * row.filled_qty for row in orders), Decimal(0))
        if net == 0 or (net > 0) == (execution.side > 0) or execution.qty > abs(net):
            return None
        client_id = next_protection_id(orders, execution.side)
        return self._adopt(execution, client_id) if client_id else None

    def _adopt(self, execution: Execution, client_id: str) -> OrderRow | None:
        parsed = parse_client_id(client_id)
        if parsed is None:
            return None
        row = OrderRow(
            client_id=client_id,
            strategy=parsed.strategy,
            symbol=execution.symbol,
            side=execution.side,
            order_type="",
            qty=execution.qty,
            price=None,
            reduce_only=parsed.leg_name != "entry",
            leg=parsed.leg_name,
            decision_ns=parsed.decision_ns,
            state=FILLED,
            venue_id=execution.order_id,
            reason=ADOPTED,
        )
        body = {"client_id": client_id, "venue_id": execution.order_id, "exec_id": execution.exec_id}
        self._journal.event("adopt", body, strategy=parsed.strategy, symbol=execution.symbol)
        self._journal.put_order(row)
        return row

    def _count(self, order: OrderRow) -> None:
        fills = [
            fill
            for fill in self._journal.fills_of(order.symbol)
            if fill.client_id == order.client_id and fill.kind == TRADE
        ]
        filled = sum((fill.qty for fill in fills), Decimal(0))
        if filled <= order.filled_qty:
            return
        if filled > order.qty and order.reason != ADOPTED:
            raise DataError(
                f"{order.client_id}: should fill at most {order.qty}, its executions add up to {filled}"
            )
        average = sum((fill.qty * fill.price for fill in fills), Decimal(0)) / filled
        qty = max(order.qty, filled)
        self._journal.put_order(replace(order, filled_qty=filled, avg_price=average, qty=qty))
