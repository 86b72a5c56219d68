"""An order as decided, before it becomes a row of the journal and a request to the venue. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from hean_live.execution.client_id import client_order_id, leg_name
from hean_live.execution.records import SUBMITTING, OrderRow
from hean_live.venues.protocol import NewOrder


@dataclass(frozen=True)
class OrderDecision:
    """An order as decided; `leg` is ``e0``, ``x1``, …, `decision_ns` the instant the decision is about."""

    strategy: str
    symbol: str
    decision_ns: int
    leg: str
    side: int
    qty: Decimal
    price: Decimal | None
    time_in_force: str
    reduce_only: bool
    stop_price: Decimal | None = None

    @cached_property
    def client_id(self) -> str:
        """The id this decision always has."""
        return client_order_id(self.strategy, self.symbol, self.decision_ns, self.leg)

    @property
    def leg_name(self) -> str:
        """``entry``, ``exit`` or ``stop``."""
        return leg_name(self.leg)


def row_of(decision: OrderDecision) -> OrderRow:
    """Return the journal's row of a decision that is about to be sent."""
    return OrderRow(
        client_id=decision.client_id,
        strategy=decision.strategy,
        symbol=decision.symbol,
        side=decision.side,
        order_type="Market" if decision.price is None else f"Limit/{decision.time_in_force}",
        qty=decision.qty,
        price=decision.price,
        reduce_only=decision.reduce_only,
        leg=decision.leg_name,
        decision_ns=decision.decision_ns,
        state=SUBMITTING,
    )


def request_of(decision: OrderDecision) -> NewOrder:
    """Return the request that carries a decision out."""
    return NewOrder(
        client_id=decision.client_id,
        symbol=decision.symbol,
        side=decision.side,
        qty=decision.qty,
        price=decision.price,
        time_in_force=decision.time_in_force,
        reduce_only=decision.reduce_only,
        stop_price=decision.stop_price,
    )
