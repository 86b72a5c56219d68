"""Words of the venue into the books, each for itself: one that cannot be booked is kept and tried again.

A failed word is written to the journal's table `retries` before anything else goes on, is tried again at every
reconciliation, and is forgotten only once it is booked. It never holds up the words behind it; while it waits, its
symbol takes no entries. What a word means is decided by the functions given here.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping

from hean_live.execution.event_text import EXECUTION, ORDER, key_of, read_execution, read_order, to_text
from hean_live.execution.journal import Journal
from hean_live.venues.unreadable import UnreadableRow, read_execution_row
from models.errors import HeanError, StopTrading
from models.market.trading_records import Execution, Order

log = logging.getLogger(__name__)

# What a record of a strange shape or size can do to arithmetic, look-ups and storage. A journal that cannot be
# written is no fault of the word: it stops trading.
_FAULTS = (HeanError, ArithmeticError, LookupError, TypeError, ValueError)


EXECUTION_ROW = "execution row"
_READERS: Mapping[str, Callable[[str], Order | Execution]] = {
    ORDER: read_order,
    EXECUTION: read_execution,
    EXECUTION_ROW: read_execution_row,
}


class Intake:
    """Books what it is given, one by one.

    Parameters
    ----------
    journal : Journal
    book_order : callable
        Books one order record.
    book_execution : callable
        Books one execution.

    """

    def __init__(
        self,
        journal: Journal,
        book_order: Callable[[Order], object],
        book_execution: Callable[[Execution], object],
    ) -> None:
        self._journal = journal
        self._book_order = book_order
        self._book_execution = book_execution

    def order(self, order: Order) -> bool:
        """Book one order; returns False if it had to be kept for later."""
        return self._try(ORDER, order.symbol, order, lambda: self._book_order(order))

    def execution(self, execution: Execution) -> bool:
        """Book one execution; returns False if it had to be kept for later."""
        return self._try(EXECUTION, execution.symbol, execution, lambda: self._book_execution(execution))

    def executions(self, executions: Iterable[Execution]) -> None:
        """Book executions, oldest first."""
        for execution in executions:
            self.execution(execution)

    def unreadable(self, row: UnreadableRow) -> None:
        """Keep a listed execution that could not be read, unless it has been booked from another word."""
        if row.exec_id and self._journal.has_fill(row.exec_id):
            return
        key = f"{EXECUTION_ROW} {row.exec_id or hashlib.sha256(row.body.encode()).hexdigest()}"
        if self._journal.keep_retry(key, EXECUTION_ROW, row.symbol, row.body, row.error):
            log.warning("an execution of %s kept for later: %s", row.symbol, row.error)
            self._journal.event("error", {"code": "NOT_READ", "detail": row.error}, symbol=row.symbol)

    def retry(self) -> None:
        """Try every word again that could not be booked before."""
        for row in self._journal.retries():
            try:
                record = _READERS[row.kind](row.body)
            except HeanError as error:
                self._journal.keep_retry(row.key, row.kind, row.symbol, row.body, str(error))
                continue
            done = self.order(record) if isinstance(record, Order) else self.execution(record)
            # What can be read but not booked waits as a record from here on.
            if done or row.kind == EXECUTION_ROW:
                self._journal.drop_retry(row.key)
                self._journal.event("retried", {"key": row.key, "attempts": row.attempts}, symbol=row.symbol)

    def waiting(self) -> dict[str, str]:
        """Return the symbols with a word still to be booked, and why it could not be."""
        return {
            row.symbol: f"a word of the venue could not be booked: {row.error}"
            for row in self._journal.retries()
        }

    def _try(self, kind: str, symbol: str, record: Order | Execution, book: Callable[[], object]) -> bool:
        try:
            book()
        except StopTrading:
            raise
        except _FAULTS as error:
            words = f"{type(error).__name__}: {error}"
            if self._journal.keep_retry(key_of(record), kind, symbol, to_text(record), words):
                log.warning("%s of %s kept for later: %s", kind, symbol, words)
                self._journal.event("error", {"code": "NOT_BOOKED", "detail": words}, symbol=symbol)
            return False
        return True
