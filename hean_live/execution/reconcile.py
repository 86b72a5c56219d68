"""Comparing our books with the venue's (positions, orders, equity); the venue is right.

A query that fails leaves the last answer marked as old: it never reads as "flat". What differs from our own
orders is foreign: it is reported, its symbol takes no entries, and it is never touched. Deciding what to do
belongs to the engine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hean_live.execution.journal import Journal
from hean_live.execution.order_manager import OrderManager
from hean_live.venues.protocol import Venue
from models.market.bybit_v5_trading import signed_position

log = logging.getLogger(__name__)

ZERO = Decimal(0)


@dataclass(frozen=True)
class Books:
    """What the account holds, as last confirmed by the venue.

    Attributes
    ----------
    net : mapping of str to Decimal
        The part of our own signed position that the venue holds, by symbol: what may be closed.
    own : mapping of str to Decimal
        What our own orders add up to; differs from `net` while records lag.
    foreign : mapping of str to str
        Symbols with orders or positions that are not ours, and what was found.
    equity_usd, available_usd : Decimal
    at_ns : int
        Market time of the comparison.

    """

    net: Mapping[str, Decimal]
    own: Mapping[str, Decimal]
    foreign: Mapping[str, str]
    equity_usd: Decimal
    available_usd: Decimal
    at_ns: int


@dataclass
class Reconciler:
    """Compares, journals differences once, and keeps the last books.

    Parameters
    ----------
    journal, venue, manager
        As elsewhere.
    grace_s : float
        How long the venue must have shown nothing before a position of ours is written off: its records may
        lag.
    monotonic : callable
        Seconds that only grow.

    """

    journal: Journal
    venue: Venue
    manager: OrderManager
    grace_s: float = 20.0
    monotonic: Callable[[], float] = time.monotonic
    _gone_since: dict[str, float] = field(default_factory=dict)
    _unexplained: dict[str, Decimal] = field(default_factory=dict)
    _reported: dict[str, str] = field(default_factory=dict)

    def reconcile(self) -> Books:
        """Ask the venue for everything and compare.

        Returns
        -------
        Books

        Raises
        ------
        Retryable, UnknownOutcome, SkipSymbol, DataError
            If any question could not be answered; the caller keeps the old books and takes no entries.

        """
        foreign_orders = self.manager.refresh()
        positions = self.venue.positions()
        wallet = self.venue.wallet()
        symbols = {row.symbol for row in positions} | set(self.journal.symbols_with_orders())
        net: dict[str, Decimal] = {}
        own: dict[str, Decimal] = {}
        foreign = dict.fromkeys(sorted(foreign_orders), "open orders of another origin")
        unexplained: dict[str, Decimal] = {}
        for symbol in sorted(symbols):
            ours, theirs = self.manager.net(symbol), signed_position(positions, symbol)
            net[symbol], own[symbol] = _common(ours, theirs), ours
            if ours != theirs:
                unexplained[symbol] = theirs - ours
                foreign[symbol] = f"the venue holds {theirs}, our orders add up to {ours}"
        self._report(foreign, unexplained)
        self._write_off(unexplained)
        self.journal.add_equity(float(wallet.equity_usd), float(wallet.available_usd))
        return Books(net, own, foreign, wallet.equity_usd, wallet.available_usd, self.journal.at_ns)

    def _report(self, foreign: dict[str, str], unexplained: dict[str, Decimal]) -> None:
        # A fill between two questions looks like a difference once; only one that stays is news.
        news = {
            symbol: found
            for symbol, found in foreign.items()
            if symbol not in unexplained or self._unexplained.get(symbol) == unexplained[symbol]
        }
        for symbol, found in news.items():
            if self._reported.get(symbol) != found:
                log.warning("%s: %s", symbol, found)
                body = {"found": found, "action": "left alone, no entries"}
                self.journal.event("reconcile", body, symbol=symbol)
        for symbol in set(self._reported) - set(foreign):
            self.journal.event("reconcile", {"found": "agreement again"}, symbol=symbol)
        self._reported = news
        self._unexplained = unexplained

    def _write_off(self, unexplained: dict[str, Decimal]) -> None:
        """Give a position up that the venue has not held for a while and that no execution explains."""
        now = self.monotonic()
        gone = {symbol for symbol, rest in unexplained.items() if rest == -self.manager.net(symbol)}
        self._gone_since = {symbol: self._gone_since.get(symbol, now) for symbol in gone}
        for symbol, since in self._gone_since.items():
            if now - since >= self.grace_s:
                self.manager.write_off(symbol)


def _common(ours: Decimal, theirs: Decimal) -> Decimal:
    """Return the part of our position that the venue holds."""
    if ours == 0 or theirs == 0 or (ours > 0) != (theirs > 0):
        return ZERO
    return min(ours, theirs, key=abs)
