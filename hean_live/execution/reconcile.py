"""Comparing our books with the venue's (positions, orders, equity); the venue is right.

A query that fails leaves the last answer marked as old: it never reads as "flat". What the venue holds beyond our own
orders is foreign: it is reported, its symbol takes no entries, and it is never touched. What our orders add up to
beyond what the venue holds is given up after a while, as a journalled event. The procedure and its invariants are
written down in ``docs/reconciliation.md``. Deciding what to do belongs to the engine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hean_live.execution.adoption import write_off
from hean_live.execution.journal import Journal
from hean_live.execution.ledger import LAST_KEY, START_KEY, Mark, cash_of, held_of, to_text
from hean_live.execution.order_manager import OrderManager
from hean_live.venues.protocol import Venue
from hean_live.venues.unreadable import readable
from models.market.trading_records import Position, Wallet

log = logging.getLogger(__name__)

ZERO = Decimal(0)
HEDGE_MODE = "the account holds this symbol in hedge mode: switch its position mode to one-way on the venue"


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
        Symbols that take no entries because of what is not ours or not known (orders, positions, hedge mode, a word
        of the venue still to be booked), and what was found.
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


@dataclass(frozen=True)
class _Held:
    """One symbol's position at the venue, and when the venue last changed it (0 if it did not say)."""

    signed: Decimal
    updated_ns: int
    hedge_mode: bool = False


@dataclass
class Reconciler:
    """Compares, journals differences once, and keeps the last books.

    Parameters
    ----------
    journal, venue, manager
        As elsewhere.
    grace_s : float
        How long the venue must have shown less than our orders add up to before the rest is written off: its
        records may lag.
    monotonic : callable
        Seconds that only grow.

    """

    journal: Journal
    venue: Venue
    manager: OrderManager
    grace_s: float = 20.0
    monotonic: Callable[[], float] = time.monotonic
    _held: dict[str, _Held] = field(default_factory=dict)
    _listed_ns: int = 0
    _refused: dict[str, str] = field(default_factory=dict)
    _unread: dict[str, str] = field(default_factory=dict)
    _wallet: Wallet | None = None
    _missing_since: dict[str, tuple[Decimal, float]] = field(default_factory=dict)
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
        self._refused = self.manager.refresh()
        asked_ns = self.journal.at_ns
        positions, strange = readable(self.venue.positions)
        self._unread = {row.symbol: f"the position could not be read: {row.error}" for row in strange}
        before = {symbol: self._held[symbol] for symbol in self._unread if symbol in self._held}
        self._held = {**_held(positions), **before}
        self._listed_ns = asked_ns
        self._wallet = self.venue.wallet()
        books = self._compare(self._wallet)
        differences = {
            symbol: self._position(symbol) - own
            for symbol, own in books.own.items()
            if self._position(symbol) != own
        }
        self._report(books.foreign, differences)
        self._keep(self._wallet, positions)
        return self._compare(self._wallet) if self._write_off(books) else books

    def _keep(self, wallet: Wallet, positions: list[Position]) -> None:
        """Keep the account as it is now, and as it was the first time: what the ledger begins and ends with."""
        journal = self.journal
        mark = Mark(
            journal.at_ns, cash_of(wallet), wallet.equity_usd, journal.newest_fill(), held_of(positions)
        )
        with journal.transaction():
            journal.add_equity(float(wallet.equity_usd), float(wallet.available_usd))
            if journal.meta(START_KEY) is None:
                journal.set_meta(START_KEY, to_text(mark))
            journal.set_meta(LAST_KEY, to_text(mark))

    def take_position(self, position: Position) -> None:
        """Take a position the private stream has told, unless a newer one is known."""
        fresh = _held([position])[position.symbol]
        known = self._held.get(position.symbol)
        # A flat symbol is not listed: it was flat when the listing was asked for.
        since_ns = self._listed_ns if known is None else known.updated_ns
        if fresh.updated_ns >= since_ns:
            self._held[position.symbol] = fresh

    def take_wallet(self, wallet: Wallet) -> None:
        """Take the account's totals the private stream has told."""
        self._wallet = wallet

    def books(self) -> Books | None:
        """Return the books with what the stream has told since the last comparison; None before the first."""
        return None if self._wallet is None else self._compare(self._wallet)

    def _position(self, symbol: str) -> Decimal:
        held = self._held.get(symbol)
        return ZERO if held is None else held.signed

    def _compare(self, wallet: Wallet) -> Books:
        net: dict[str, Decimal] = {}
        own: dict[str, Decimal] = {}
        foreign = {**self._refused, **self._unread, **self.manager.intake.waiting()}
        for symbol in sorted(set(self._held) | set(self.journal.symbols_with_orders())):
            ours, theirs = self.manager.net(symbol), self._position(symbol)
            net[symbol], own[symbol] = _common(ours, theirs), ours
            if ours != theirs and symbol not in self._unread:
                foreign[symbol] = f"the venue holds {theirs}, our orders add up to {ours}"
            if symbol in self._held and self._held[symbol].hedge_mode:
                foreign[symbol] = HEDGE_MODE
        return Books(net, own, foreign, wallet.equity_usd, wallet.available_usd, self.journal.at_ns)

    def _report(self, foreign: Mapping[str, str], differences: dict[str, Decimal]) -> None:
        # A fill between two questions looks like a difference once; only one that stays is news.
        news = {
            symbol: found
            for symbol, found in foreign.items()
            if symbol not in differences or self._unexplained.get(symbol) == differences[symbol]
        }
        for symbol, found in news.items():
            if self._reported.get(symbol) != found:
                log.warning("%s: %s", symbol, found)
                body = {"found": found, "action": "left alone, no entries"}
                self.journal.event("reconcile", body, symbol=symbol)
        for symbol in set(self._reported) - set(foreign):
            self.journal.event("reconcile", {"found": "agreement again"}, symbol=symbol)
        self._reported = news
        self._unexplained = differences

    def _write_off(self, books: Books) -> bool:
        """Give up what the venue has not held for a while and no execution explains; returns whether anything was."""
        now = self.monotonic()
        missing = {symbol: own - books.net[symbol] for symbol, own in books.own.items()}
        since: dict[str, tuple[Decimal, float]] = {}
        for symbol, qty in missing.items():
            if qty and symbol not in self._unread:
                before = self._missing_since.get(symbol)
                since[symbol] = before if before is not None and before[0] == qty else (qty, now)
        self._missing_since = since
        gone = {symbol: qty for symbol, (qty, at) in since.items() if now - at >= self.grace_s}
        for symbol, qty in gone.items():
            log.warning("%s: %s of ours is not held by the venue, written off", symbol, qty)
            write_off(self.journal, symbol, qty)
        return bool(gone)


def _held(positions: list[Position]) -> dict[str, _Held]:
    """Add up the rows of each symbol; in hedge mode it has two."""
    held: dict[str, _Held] = {}
    for row in positions:
        before = held.get(row.symbol, _Held(ZERO, 0))
        held[row.symbol] = _Held(
            before.signed + row.signed_size,
            max(before.updated_ns, row.updated_ns or 0),
            before.hedge_mode or row.position_idx != 0,
        )
    return held


def _common(ours: Decimal, theirs: Decimal) -> Decimal:
    """Return the part of our position that the venue holds."""
    if ours == 0 or theirs == 0 or (ours > 0) != (theirs > 0):
        return ZERO
    return min(ours, theirs, key=abs)
