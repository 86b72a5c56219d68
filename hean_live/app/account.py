"""The private side of the loop: reconciling when it is due, booking the private stream, and carrying orders out.

Keeps the last confirmed books and says when they are not current. A question that failed is asked again, never
guessed. The procedure is written down in ``docs/reconciliation.md``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from decimal import Decimal

from hean_live.app.alarms import Alarms
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from hean_live.execution.order_gate import BooksNow
from hean_live.execution.order_manager import OrderDecision, OrderManager, is_ours
from hean_live.execution.reconcile import HEDGE_MODE, Books, Reconciler
from hean_live.execution.records import OrderRow
from hean_live.venues.errors import RateLimited
from hean_live.venues.protocol import Venue
from hean_live.venues.streams.private_events import (
    Connected,
    Disconnected,
    ExecutionEvent,
    OrderEvent,
    PositionEvent,
    PrivateEvent,
    Unreadable,
    WalletEvent,
)
from models.errors import HeanError, StopTrading
from models.market.trading_records import Execution

log = logging.getLogger(__name__)

UNRECONCILED = "UNRECONCILED"
JOURNAL_LOST = "JOURNAL_LOST"
_NEVER_ASKED = "the venue has not been asked yet"


class Account:
    """What we hold and how orders get out.

    Parameters
    ----------
    venue, journal, manager, reconciler, kill_switch, alarms
        As elsewhere.
    leverage : Decimal
        Set on each symbol before its first order.
    idle_s, open_s : float
        Wall seconds between reconciliations while flat and while holding.
    monotonic : callable
        Seconds that only grow.

    """

    def __init__(
        self,
        venue: Venue,
        journal: Journal,
        manager: OrderManager,
        reconciler: Reconciler,
        kill_switch: KillSwitch,
        alarms: Alarms,
        *,
        leverage: Decimal,
        idle_s: float,
        open_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._venue = venue
        self._journal = journal
        self._manager = manager
        self._reconciler = reconciler
        self._kill_switch = kill_switch
        self._alarms = alarms
        self._leverage = leverage
        self._intervals_s = (idle_s, open_s)
        self._monotonic = monotonic
        self._due_at = 0.0
        self._paused_until = 0.0
        self._prepared: set[str] = set()
        self._streaming = False
        self.books: Books | None = None
        self.problem = _NEVER_ASKED

    def take(self, events: Iterable[PrivateEvent]) -> None:
        """Book what the private stream has told; doubled, late and disordered words change nothing.

        After a gap in the stream (a new connection, a lost one, a message that could not be read) the books are
        unconfirmed until the next reconciliation has succeeded.
        """
        told = False
        for event in events:
            told = True
            if isinstance(event, OrderEvent):
                self._manager.intake.order(event.order)
            elif isinstance(event, ExecutionEvent):
                self._take_execution(event.execution)
            elif isinstance(event, PositionEvent):
                self._reconciler.take_position(event.position)
            elif isinstance(event, WalletEvent):
                self._reconciler.take_wallet(event.wallet)
            else:
                self._gap(event)
        if told and self.books is not None:
            self.books = self._reconciler.books()

    def reconcile_if_due(self, *, busy: bool) -> bool:
        """Ask the venue if it is time, or always while `busy`; returns True if the books are fresh.

        While the private stream is connected, being busy alone is no reason to ask: only doubt is.
        """
        now = self._monotonic()
        if self._streaming and busy:
            busy = any(row.is_doubtful for row in self._journal.active_orders())
        if now < self._paused_until or not (busy or now >= self._due_at or self.problem):
            return False
        try:
            self.books = self._reconciler.reconcile()
        except StopTrading:
            raise
        except HeanError as error:
            self.problem = str(error)
            if isinstance(error, RateLimited):
                self._paused_until = now + error.wait_s
            self._alarms.raised("RECONCILE", str(error))
            self._kill_switch.say_progress(None, [], self.problem)
            return False
        self.problem = ""
        self._alarms.cleared("RECONCILE")
        self._kill_switch.observe_equity(self.books.equity_usd)
        active = self._journal.active_orders()
        self._kill_switch.say_progress(self.books.own, active, "")
        holding = any(self.books.own.values()) or bool(active) or bool(self.doubt)
        self._due_at = now + self._intervals_s[holding]
        return True

    def ask_soon(self) -> None:
        """Reconcile at the next opportunity."""
        self._due_at = 0.0

    def books_now(self) -> BooksNow:
        """Return the books for the order gate, with what forbids entries on the account's side."""
        return BooksNow(self.books, self._kill_switch.reason or self.problem or self.doubt)

    @property
    def doubt(self) -> str:
        """Why the books may not hold everything yet, so that nothing may be entered; an empty string if they do."""
        return self._reconciler.manager.doubt

    def place(self, decision: OrderDecision) -> None:
        """Send an order, after preparing its symbol once."""
        if self._monotonic() < self._paused_until:
            return
        if not decision.reduce_only and not self._prepare(decision.symbol):
            return
        row = self._manager.submit(decision)
        if row.is_doubtful:
            self.problem = f"{row.client_id}: {row.reason}"
        self.ask_soon()

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask to cancel an order; failing, it is asked again while the order is open."""
        if self._monotonic() < self._paused_until:
            return
        try:
            self._manager.cancel(symbol, client_id)
        except StopTrading:
            raise
        except HeanError as error:
            if isinstance(error, RateLimited):
                self._paused_until = self._monotonic() + error.wait_s
            self._alarms.raised("CANCEL", f"{client_id}: {error}")
        else:
            self._alarms.cleared("CANCEL")
        self.ask_soon()

    def cancel_strays(self, decision_of: Callable[[str], int | None]) -> list[OrderRow]:
        """Cancel active orders of ours that no campaign follows any more.

        Such an order is one that was taken for lost and turned up after its campaign had ended.

        Parameters
        ----------
        decision_of : callable
            Returns the decision the campaign of a symbol is about, None without a campaign.

        Returns
        -------
        list of OrderRow
            Those it was tried for.

        """
        strays = [
            row
            for row in self._journal.active_orders()
            if not row.is_doubtful and row.decision_ns != decision_of(row.symbol)
        ]
        for row in strays:
            self._journal.event("stray", {"client_id": row.client_id, "state": row.state}, symbol=row.symbol)
            self.cancel(row.symbol, row.client_id)
        return strays

    def cancel_all(self, *, timeout_s: float, pause: Callable[[float], object]) -> list[str]:
        """Cancel every active order of ours and wait until the venue confirms.

        Parameters
        ----------
        timeout_s : float
            How long to try.
        pause : callable
            Waits so many seconds between attempts.

        Returns
        -------
        list of str
            Client ids that could not be confirmed as finished.

        """
        deadline = self._monotonic() + timeout_s
        while True:
            active = self._journal.active_orders()
            if not active or self._monotonic() > deadline:
                return [order.client_id for order in active]
            for order in active:
                self.cancel(order.symbol, order.client_id)
            self.ask_soon()
            self.reconcile_if_due(busy=True)
            if self._journal.active_orders():
                pause(0.2)

    def _take_execution(self, execution: Execution) -> None:
        if is_ours(execution):
            self._manager.intake.execution(execution)
            return
        # Whether it closed a position of ours depends on all that came before it, and only the listing has that
        # without gaps.
        self.problem = (
            f"{execution.symbol}: an execution without an id of ours, the venue is asked what it closed"
        )
        self.ask_soon()

    def _gap(self, event: Connected | Disconnected | Unreadable) -> None:
        if isinstance(event, Connected):
            self._streaming = True
            self.problem = "the private stream has just connected: what happened before is not known from it"
            self._alarms.cleared("PRIVATE_STREAM")
        else:
            self._streaming = self._streaming and isinstance(event, Unreadable)
            self.problem = f"the private stream: {event.reason}"
            self._alarms.raised("PRIVATE_STREAM", event.reason)
        self.ask_soon()

    def _prepare(self, symbol: str) -> bool:
        """Set the leverage of a symbol and make sure of its position mode, once; returns whether it may be traded."""
        if symbol in self._prepared:
            return True
        try:
            if self._venue.is_hedge_mode(symbol):
                self._alarms.raised(f"HEDGE_MODE {symbol}", HEDGE_MODE)
                return False
            self._venue.set_leverage(symbol, self._leverage)
        except StopTrading:
            raise
        except HeanError as error:
            self._alarms.raised("LEVERAGE", f"{symbol}: {error}")
            return False
        self._prepared.add(symbol)
        self._alarms.cleared("LEVERAGE")
        self._alarms.cleared(f"HEDGE_MODE {symbol}")
        return True
