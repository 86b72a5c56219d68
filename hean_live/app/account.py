"""The private side of the loop: reconciling when it is due, and carrying orders out.

Keeps the last confirmed books and says when they are not current. A question that failed is asked again,
never guessed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from decimal import Decimal

from hean_live.app.alarms import Alarms
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from hean_live.execution.order_manager import OrderDecision, OrderManager
from hean_live.execution.reconcile import Books, Reconciler
from hean_live.venues.errors import RateLimited
from hean_live.venues.protocol import Venue
from models.errors import HeanError, StopTrading

log = logging.getLogger(__name__)

UNRECONCILED = "UNRECONCILED"


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
        self._leveraged: set[str] = set()
        self.books: Books | None = None
        self.problem = "the venue has not been asked yet"

    def reconcile_if_due(self, *, busy: bool) -> bool:
        """Ask the venue if it is time, or always while `busy`; returns True if the books are fresh."""
        now = self._monotonic()
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
            return False
        self.problem = ""
        self._alarms.cleared("RECONCILE")
        self._kill_switch.observe_equity(self.books.equity_usd)
        holding = any(self.books.own.values()) or bool(self._journal.active_orders())
        self._due_at = now + self._intervals_s[holding]
        return True

    def ask_soon(self) -> None:
        """Reconcile at the next opportunity."""
        self._due_at = 0.0

    def place(self, decision: OrderDecision) -> None:
        """Send an order, after setting the symbol's leverage once."""
        if self._monotonic() < self._paused_until:
            return
        try:
            if not decision.reduce_only and decision.symbol not in self._leveraged:
                self._venue.set_leverage(decision.symbol, self._leverage)
                self._leveraged.add(decision.symbol)
        except StopTrading:
            raise
        except HeanError as error:
            self._alarms.raised("LEVERAGE", f"{decision.symbol}: {error}")
            return
        self._alarms.cleared("LEVERAGE")
        row = self._manager.submit(decision)
        if row.is_doubtful:
            self.problem = f"{row.client_id}: {row.reason}"
        self.ask_soon()

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask to cancel an order; failing, it is asked again while the order is open."""
        try:
            self._manager.cancel(symbol, client_id)
        except StopTrading:
            raise
        except HeanError as error:
            self._alarms.raised("CANCEL", f"{client_id}: {error}")
        else:
            self._alarms.cleared("CANCEL")
        self.ask_soon()

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
            self.reconcile_if_due(busy=True)
            if self._journal.active_orders():
                pause(0.2)
