"""Orders from decision to final state: durable before the wire, never resent blindly, resolved by asking.

An order's outcome is confirmed, rejected, denied or unresolved. Unresolved (a timeout, a disconnect, a server
error, an unreadable reply after sending) is settled by looking the client id up: found → what the venue says;
twice unknown and older than any signature still valid → lost, that is: it never reached the book and may be
decided again under the same id, which the venue would refuse as a duplicate should the first one turn up
after all.

Here belongs what happens to orders and executions. Positions are compared in `reconcile.py`; deciding is the
engine's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from hean_live.execution.client_id import client_order_id, parse_client_id
from hean_live.execution.fills import FillBook
from hean_live.execution.journal import Journal
from hean_live.execution.records import (
    CANCELLED,
    FILLED,
    LOST,
    OPEN,
    OUTCOMES,
    PARTIALLY_FILLED,
    REJECTED,
    SUBMITTING,
    UNRESOLVED,
    OrderRow,
)
from hean_live.venues.errors import (
    ClockSkewed,
    DuplicateClientId,
    KeyRefused,
    OrderRejected,
    OrderUnresolved,
    RateLimited,
)
from hean_live.venues.protocol import NewOrder, Venue
from models.market.trading_records import Order, OrderStatus

log = logging.getLogger(__name__)

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
# An acknowledged order that the venue no longer finds is looked for longer: its history may lag.
_ACKNOWLEDGED_GRACE = 4.0


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

    @property
    def client_id(self) -> str:
        """The id this decision always has."""
        return client_order_id(self.strategy, self.symbol, self.decision_ns, self.leg)


def no_probe(_point: str) -> None:
    """Do nothing: tests pass a function that dies at a named point."""


class OrderManager:
    """Sends orders and follows them to their end.

    Parameters
    ----------
    journal : Journal
    venue : Venue
    grace_s : float
        How long an order the venue does not know is looked for before it counts as lost; must exceed the
        receive window of signatures, after which the venue refuses a request still on its way.
    monotonic : callable
        Seconds that only grow.
    probe : callable
        Called with the name of each point at which a crash is tested.

    """

    def __init__(
        self,
        journal: Journal,
        venue: Venue,
        *,
        grace_s: float = 7.0,
        monotonic: Callable[[], float] = time.monotonic,
        probe: Callable[[str], None] = no_probe,
    ) -> None:
        self._journal = journal
        self._venue = venue
        self._grace_s = grace_s
        self._monotonic = monotonic
        self._probe = probe
        self._first_miss: dict[str, float] = {}
        self.fills = FillBook(journal, probe)

    def submit(self, decision: OrderDecision) -> OrderRow:
        """Send an order at most once.

        Parameters
        ----------
        decision : OrderDecision

        Returns
        -------
        OrderRow
            As journalled. If this decision was carried out before, its order; nothing is sent then.

        Raises
        ------
        KeyRefused
            If the venue refuses the key; the order is journalled as lost.

        """
        known = self._journal.order(decision.client_id)
        if known is not None and known.state != LOST:
            return known
        row = _row(decision)
        self._probe("before_journal")
        row = self._journal.put_order(row)
        self._probe("after_journal")
        refused: KeyRefused | None = None
        try:
            ack = self._venue.place(_new_order(decision))
            self._probe("after_wire")
            row = replace(row, state=OPEN, venue_id=ack.order_id)
        except (OrderUnresolved, DuplicateClientId) as error:
            row = replace(row, state=UNRESOLVED, reason=str(error))
        except OrderRejected as error:
            row = replace(row, state=REJECTED, reason=str(error))
        except (RateLimited, ClockSkewed) as error:
            row = replace(row, state=LOST, reason=str(error))
        except KeyRefused as error:
            row = replace(row, state=LOST, reason=str(error))
            refused = error
        row = self._journal.put_order(row)
        log.info("order %s: %s, %s %s", row.client_id, OUTCOMES[row.state], row.state, row.reason)
        if refused is not None:
            raise refused
        return row

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask the venue to cancel; the order's state follows from the next `refresh`.

        An unknown outcome of a cancel needs no care of its own: it is asked again while the order is open.
        """
        try:
            self._venue.cancel(symbol, client_id)
        except OrderUnresolved as error:
            log.warning("cancel of %s: %s", client_id, error)

    def refresh(self) -> set[str]:
        """Bring every active order and all executions up to date with the venue.

        Returns
        -------
        set of str
            Symbols with open orders that are not ours and could open a position.

        Raises
        ------
        Retryable, UnknownOutcome, DataError
            If the venue could not be asked; what was learned before is kept.

        """
        foreign: set[str] = set()
        seen: set[str] = set()
        for order in self._venue.open_orders():
            if parse_client_id(order.client_id) is not None:
                seen.add(order.client_id)
                self.absorb(order)
            elif not order.reduce_only and not order.stop_order_type:
                foreign.add(order.symbol)
        for row in self._journal.active_orders():
            if row.client_id not in seen:
                self._look_up(row)
        self.fills.take(self._venue.new_executions(self._journal.has_fill))
        return foreign

    def absorb(self, order: Order) -> None:
        """Journal what the venue says of an order with an id of ours, adopting one not known here."""
        row = self._journal.order(order.client_id)
        if row is None:
            row = self._adopt(order)
        state = _STATES.get(order.status, row.state)
        if not row.is_active and state in (OPEN, PARTIALLY_FILLED) and row.state != LOST:
            return  # an older page: a finished order does not come back
        self._first_miss.pop(row.client_id, None)
        fresh = replace(
            row,
            state=state,
            venue_id=order.order_id,
            filled_qty=max(row.filled_qty, order.filled_qty),
            avg_price=order.avg_price or row.avg_price,
            reason=order.reject_reason or order.cancel_type or ("" if row.is_doubtful else row.reason),
        )
        if fresh != row:
            self._journal.put_order(fresh)

    def net(self, symbol: str) -> Decimal:
        """Signed position that our own orders add up to, base units."""
        return sum((row.side * row.filled_qty for row in self._journal.orders_of(symbol)), Decimal(0))

    def write_off(self, symbol: str) -> None:
        """Book a position of ours as closed that the venue, asked twice, does not hold any more."""
        net = self.net(symbol)
        orders = self._journal.orders_of(symbol)
        last = max(
            (row for row in orders if row.leg == "entry"), key=lambda row: row.decision_ns, default=None
        )
        if net == 0 or last is None:
            return
        taken = sum(row.decision_ns == last.decision_ns and row.leg == "stop" for row in orders)
        row = OrderRow(
            client_id=client_order_id(last.strategy, symbol, last.decision_ns, f"s{taken}"),
            strategy=last.strategy,
            symbol=symbol,
            side=-1 if net > 0 else 1,
            order_type="",
            qty=abs(net),
            price=None,
            reduce_only=True,
            leg="stop",
            decision_ns=last.decision_ns,
            state=FILLED,
            filled_qty=abs(net),
            reason="written off: the venue holds no such position and shows no execution that closed it",
        )
        self._journal.put_order(row)

    def _look_up(self, row: OrderRow) -> None:
        found = self._venue.find_order(row.symbol, row.client_id)
        if found is not None:
            self.absorb(found)
            return
        now = self._monotonic()
        first = self._first_miss.setdefault(row.client_id, now)
        patience = self._grace_s if row.is_doubtful else self._grace_s * _ACKNOWLEDGED_GRACE
        # The first miss never decides: a second look after the patience must find nothing either.
        if first == now or now - first < patience:
            return
        del self._first_miss[row.client_id]
        state = LOST if row.is_doubtful else CANCELLED
        self._journal.put_order(replace(row, state=state, reason="the venue does not know this id"))

    def _adopt(self, order: Order) -> OrderRow:
        parsed = parse_client_id(order.client_id)
        if parsed is None:
            raise ValueError(f"an order of ours should have an id of ours, had {order.client_id!r}")
        row = OrderRow(
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
        body = {"client_id": order.client_id, "venue_id": order.order_id, "qty": str(order.qty)}
        self._journal.event("adopt", body, strategy=parsed.strategy, symbol=order.symbol)
        return row


def _row(decision: OrderDecision) -> OrderRow:
    parsed = parse_client_id(decision.client_id)
    return OrderRow(
        client_id=decision.client_id,
        strategy=decision.strategy,
        symbol=decision.symbol,
        side=decision.side,
        order_type="Market" if decision.price is None else f"Limit/{decision.time_in_force}",
        qty=decision.qty,
        price=decision.price,
        reduce_only=decision.reduce_only,
        leg="" if parsed is None else parsed.leg_name,
        decision_ns=decision.decision_ns,
        state=SUBMITTING,
    )


def _new_order(decision: OrderDecision) -> NewOrder:
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
