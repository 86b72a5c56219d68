"""Orders from decision to final state: durable before the wire, never resent blindly, resolved by asking.

An order's outcome is confirmed, rejected, denied or unresolved. Unresolved (a timeout, a disconnect, a server
error, an unreadable reply after sending) is settled by looking the client id up: found → what the venue says;
twice unknown and older than any signature still valid → lost, that is: it never reached the book and may be
decided again under the same id, which the venue would refuse as a duplicate should the first one turn up
after all.

Here belongs what happens to orders and executions. How a word of the venue is merged is `merging.py`, positions
are compared in `reconcile.py`; deciding is the engine's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from hean_live.execution.adoption import adopt_order
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.decision import OrderDecision, request_of, row_of
from hean_live.execution.fills import FillBook
from hean_live.execution.intake import Intake
from hean_live.execution.journal import Journal
from hean_live.execution.merging import VANISHED, check_order, merged
from hean_live.execution.records import (
    CANCELLED,
    DENIED,
    LOST,
    OPEN,
    OUTCOMES,
    REJECTED,
    SUBMITTING,
    UNRESOLVED,
    UNSENT_STATES,
    OrderRow,
)
from hean_live.execution.second_look import SecondLook
from hean_live.venues.errors import (
    ClockSkewed,
    DuplicateClientId,
    KeyRefused,
    OrderRejected,
    OrderUnresolved,
    RateLimited,
)
from hean_live.venues.protocol import Venue
from hean_live.venues.unreadable import readable
from models.errors import DataError
from models.market.trading_records import Execution, Order
from models.portfolio.limits import Breach

__all__ = ["OrderDecision", "OrderManager", "no_probe"]

log = logging.getLogger(__name__)

# An acknowledged order that the venue no longer finds is looked for longer: its history may lag.
_ACKNOWLEDGED_GRACE = 4.0
# Market time of the newest execution of the last complete listing; the stream may have told newer ones.
_LISTED_THROUGH = "executions_listed_through_ns"


def is_ours(record: Order | Execution) -> bool:
    """Return whether a record carries a client id of ours."""
    return parse_client_id(record.client_id) is not None


Gate = Callable[[OrderDecision], Breach | None]


def no_probe(_point: str) -> None:
    """Do nothing: tests pass a function that dies at a named point."""


class OrderManager:
    """Sends orders and follows them to their end.

    Parameters
    ----------
    journal : Journal
    venue : Venue
    gate : callable
        Asked before every order; a breach denies it. There is no other way to `Venue.place`.
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
        gate: Gate,
        grace_s: float = 7.0,
        monotonic: Callable[[], float] = time.monotonic,
        probe: Callable[[str], None] = no_probe,
    ) -> None:
        self._journal = journal
        self._venue = venue
        self._gate = gate
        self._grace_s = grace_s
        self._monotonic = monotonic
        self._probe = probe
        self._first_miss: dict[str, float] = {}
        self._second_look = SecondLook(monotonic)
        self.fills = FillBook(journal, probe, self._second_look.unknown)
        self.intake = Intake(journal, self.absorb, self.fills.take_one)

    def submit(self, decision: OrderDecision) -> OrderRow:
        """Send an order at most once.

        Parameters
        ----------
        decision : OrderDecision

        Returns
        -------
        OrderRow
            As journalled. If this decision was carried out before, its order; nothing is sent then. If the gate
            denied it, a row that was never sent.

        Raises
        ------
        KeyRefused
            If the venue refuses the key; the order is journalled as lost.

        """
        known = self._journal.order(decision.client_id)
        if known is not None and known.state not in UNSENT_STATES:
            return known
        breach = self._gate(decision)
        if breach is not None:
            return self._deny(decision, known, breach)
        row = row_of(decision)
        self._probe("before_journal")
        row = self._journal.intend(row)
        self._probe("after_journal")
        refused: KeyRefused | None = None
        state, reason, venue_id = OPEN, "", ""
        try:
            venue_id = self._venue.place(request_of(decision)).order_id
            self._probe("after_wire")
        except (OrderUnresolved, DuplicateClientId) as error:
            state, reason = UNRESOLVED, str(error)
        except OrderRejected as error:
            state, reason = REJECTED, str(error)
        except (RateLimited, ClockSkewed) as error:
            state, reason = LOST, str(error)
        except KeyRefused as error:
            state, reason, refused = LOST, str(error), error
        row = self._after_reply(row, state, reason, venue_id)
        log.info("order %s: %s, %s %s", row.client_id, OUTCOMES[row.state], row.state, row.reason)
        if refused is not None:
            raise refused
        return row

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask the venue to cancel; the order's state follows from its own record.

        An unknown outcome of a cancel needs no care of its own: it is asked again while the order is open, and a
        replacement is decided only once the venue has said that the order is gone.
        """
        try:
            self._venue.cancel(symbol, client_id)
        except OrderUnresolved as error:
            log.warning("cancel of %s: %s", client_id, error)

    def refresh(self) -> dict[str, str]:
        """Bring every active order and all executions up to date with the venue.

        Returns
        -------
        dict of str to str
            Symbols with open orders that are not ours and could open a position, and symbols with a word of the
            venue still to be booked, each with its reason.

        Raises
        ------
        Retryable, UnknownOutcome, DataError
            If the venue could not be asked; what was learned before is kept.

        """
        began = self._monotonic()
        self.intake.retry()
        orders, strange = readable(self._venue.open_orders)
        foreign = {row.symbol: f"an open order could not be read: {row.error}" for row in strange}
        # Nothing is concluded from an unreadable row: its order is neither gone nor known.
        seen = {row.client_id for row in strange}
        unknown = {row.symbol for row in strange if not row.client_id}
        for order in orders:
            if is_ours(order):
                seen.add(order.client_id)
                self.intake.order(order)
            elif not order.reduce_only and not order.stop_order_type:
                foreign[order.symbol] = "open orders of another origin"
        for row in self._journal.active_orders():
            if row.client_id in seen or row.symbol in unknown:
                continue
            try:
                self._look_up(row)
            except DataError as error:
                foreign[row.symbol] = f"{row.client_id} could not be read: {error}"
        self._list_executions()
        self._second_look.looked(began)
        return foreign | self.intake.waiting()

    @property
    def doubt(self) -> str:
        """Why there may be more at the venue than it has told, an empty string if that is not so."""
        return self._second_look.doubt

    def absorb(self, order: Order) -> None:
        """Journal what the venue says of an order with an id of ours, adopting one not known here.

        Raises
        ------
        DataError
            If the record contradicts what is known, or itself.

        """
        if not is_ours(order):
            return  # protection of a position, or of another origin
        row = self._journal.order(order.client_id)
        check_order(row, order)
        known = row is not None
        if row is None:
            row = adopt_order(self._journal, order)
            self._second_look.unknown()
        self._first_miss.pop(row.client_id, None)
        fresh = merged(row, order)
        if fresh != row or not known:
            self._journal.put_order(fresh)

    def net(self, symbol: str) -> Decimal:
        """Signed position that our own orders add up to, base units."""
        return sum((row.side * row.filled_qty for row in self._journal.orders_of(symbol)), Decimal(0))

    def _deny(self, decision: OrderDecision, known: OrderRow | None, breach: Breach) -> OrderRow:
        words = f"{breach.reason}: {breach.arithmetic}"
        if known is not None and known.state == DENIED and known.reason.partition(":")[0] == breach.reason:
            return known  # said already; the figures in it may have moved a little
        row = self._journal.put_order(replace(row_of(decision), state=DENIED, reason=words))
        log.warning("order %s denied: %s", row.client_id, words)
        return row

    def _after_reply(self, sent: OrderRow, state: str, reason: str, venue_id: str) -> OrderRow:
        """Book the reply, unless the stream has said more about the order in the meantime."""
        with self._journal.transaction():  # one commit for what was intended and what came of it
            row = self._journal.order(sent.client_id) or sent
            if row.state != SUBMITTING:
                if venue_id and not row.venue_id:
                    row = self._journal.put_order(replace(row, venue_id=venue_id))
                return row
            return self._journal.put_order(
                replace(row, state=state, venue_id=venue_id or row.venue_id, reason=reason)
            )

    def _list_executions(self) -> None:
        """Take what the venue lists back to what the last complete listing has seen.

        What only the stream has told since then does not end the listing: behind it there may be a gap.
        """
        through_ns = int(self._journal.meta(_LISTED_THROUGH) or 0)

        def is_listed(exec_id: str) -> bool:
            at_ns = self._journal.fill_ns(exec_id)
            return at_ns is not None and at_ns <= through_ns

        fresh, strange = readable(lambda: self._venue.new_executions(is_listed))
        for row in strange:
            self.intake.unreadable(row)
        # Of one instant, ours come first: what closes a position without an id of ours is told by what is open.
        self.intake.executions(sorted(fresh, key=lambda row: (row.at_ns, not is_ours(row))))
        newest_ns = max((row.at_ns for row in fresh), default=0)
        if newest_ns > through_ns:
            self._journal.set_meta(_LISTED_THROUGH, str(newest_ns))

    def _look_up(self, row: OrderRow) -> None:
        found = self._venue.find_order(row.symbol, row.client_id)
        if found is not None:
            self.intake.order(found)
            return
        now = self._monotonic()
        first = self._first_miss.setdefault(row.client_id, now)
        patience = self._grace_s if row.is_doubtful else self._grace_s * _ACKNOWLEDGED_GRACE
        # The first miss never decides: a second look after the patience must find nothing either.
        if first == now or now - first < patience:
            return
        del self._first_miss[row.client_id]
        state = LOST if row.is_doubtful else CANCELLED
        self._journal.put_order(replace(row, state=state, reason=VANISHED))
