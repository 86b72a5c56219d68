"""Looks at one simulation from outside: every order on its way out, what is still under way, and the invariants at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from hean_live.app.keeping import STATE_KEY
from hean_live.app.state import load_states
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.invariants import VenueRecords, Violation, violations
from hean_live.execution.journal import Journal
from hean_live.simulation.process import LIMITS, Life
from hean_live.simulation.trace import Trace
from hean_live.simulation.venue import SimulatedVenue
from hean_live.venues.protocol import NewOrder
from models.execution.memory import split_memory

# The mark has moved since the executor looked: a hundredth is more than it moves in a poll.
_TOLERANCE = Decimal("1.01")


@dataclass
class Outcome:
    """What one seed came to.

    Attributes
    ----------
    seed : int
    violations : list of Violation
    orders, fills, crashes, polls : int
        How much happened.
    bank_orders : int
        Of the orders, those of the bank's strategies.
    trace : list of str
        Line by line, if asked for.

    """

    seed: int
    violations: list[Violation] = field(default_factory=list)
    orders: int = 0
    fills: int = 0
    crashes: int = 0
    polls: int = 0
    bank_orders: int = 0
    trace: list[str] = field(default_factory=list)


class Referee:
    """Of one simulation.

    Parameters
    ----------
    home : Path
        Folder of the journal.
    venue : SimulatedVenue
    trace : Trace
    outcome : Outcome
        Violations are added to it.

    """

    def __init__(self, home: Path, venue: SimulatedVenue, trace: Trace, outcome: Outcome) -> None:
        self._home = home
        self._venue = venue
        self._trace = trace
        self._outcome = outcome
        self.sent: set[str] = set()

    def watch(self, order: NewOrder) -> None:
        """Look at a request on its way out: in the journal before the wire, and within the limits."""
        self.sent.add(order.client_id)
        at_ns = self._venue.clock.now_ns
        self._trace.add(at_ns, f"place {order.client_id} {order.side:+d} {order.qty} @ {order.price}")
        reader = Journal(self._home / "journal.sqlite")
        row = reader.order(order.client_id)
        reader.close()
        if row is None or row.state != "submitting":
            self.blame("I11", f"{order.client_id}: should be in the journal before the wire, was {row}")
        if order.reduce_only:
            return
        equity = self._venue.wallet().equity_usd
        held = abs(self._venue.exchange.position(order.symbol).qty)
        price = order.price or Decimal(0)
        used = (held + order.qty) * price
        allowed = LIMITS.symbol_exposure * equity * _TOLERANCE
        one = LIMITS.capital_fraction * LIMITS.leverage * equity * _TOLERANCE
        if used > allowed or order.qty * price > one:
            self.blame("I12", f"{order.client_id}: {used} USD should be within {allowed} USD")

    def unrest(self, life: Life | None) -> str:
        """Say what is still under way, ``""`` at rest."""
        if life is None:
            return "the process is down"
        ours = [
            order.request.link_id
            for order in self._venue.exchange.open_orders()
            if parse_client_id(order.request.link_id) is not None
        ]
        if ours:
            return f"open orders {ours}"
        if life.account.problem:
            return f"unreconciled: {life.account.problem}"
        exchange = self._venue.exchange
        held = [symbol for symbol in self._venue.market.symbols if exchange.position(symbol).qty]
        if held:
            return f"positions {held}"
        if life.journal.active_orders():
            return f"active {life.journal.active_orders()}"
        return "" if life.engine.is_idle else f"not idle: {_waiting(life)}"

    def check(self, gone: Set[str]) -> None:
        """Hold the journal against the venue, at rest.

        Parameters
        ----------
        gone : set of str
            Orders that left no trace which could be, or need be, found again after a journal was lost.

        """
        journal = Journal(self._home / "journal.sqlite")
        records = VenueRecords(
            [order for order in self._venue.every_order() if order.client_id not in gone],
            self._venue.executions(self._venue.clock.now_ns),
            self._venue.positions(self._venue.clock.now_ns),
            self._venue.exchange.account.wallet_usd - self._venue.start_usd,
        )
        self._outcome.violations += violations(journal, records, at_rest=True)
        if not records.positions:
            self._unbooked(journal)
        journal.close()

    def _unbooked(self, journal: Journal) -> None:
        """Every decision that filled is a live trade, of a pair both are one, or was told to be one its fills do not close.

        What a lost journal had booked is not booked again: adopted orders may be of a trade that was over.
        """
        adopted = {str(event.get("client_id")) for event in journal.events("adopt")}
        rows = [row for symbol in journal.symbols_with_orders() for row in journal.orders_of(symbol)]
        filled = {
            (row.strategy, row.symbol, row.decision_ns): row.client_id in adopted
            for row in rows
            if row.leg == "entry" and row.filled_qty
        }
        told = Counter(
            str(event["symbol"])
            for event in journal.events("error")
            if event.get("code") == "TRADE_INCOMPLETE"
        )
        partners = {
            (event["strategy"], event["symbol"], event["settlement_ns"]): str(event["partner"])
            for event in journal.events("entry")
            if event.get("partner")
        }
        for (strategy, symbol, decision_ns), is_adopted in sorted(filled.items()):
            partner = partners.get((strategy, symbol, decision_ns), "")
            names = [f"live-{strategy}-{leg}-{decision_ns}" for leg in (symbol, partner) if leg]
            if is_adopted or any(journal.count("trades", f"trade_id = '{name}'") for name in names):
                continue
            # Of a pair it is told once, of the first leg.
            where = symbol if told[symbol] > 0 or not partner else partner
            told[where] -= 1
            if told[where] < 0:
                self.blame("I14", f"{names[0]}: what filled should be booked as a trade, was not")

    def blame(self, number: str, words: str) -> None:
        """Note a violation."""
        self._trace.add(self._venue.clock.now_ns, f"VIOLATION {number}: {words}")
        self._outcome.violations.append(Violation(number, words))


def _waiting(life: Life) -> str:
    """Return what the engine's saved state says is under way or waits to be booked."""
    states, _ = split_memory(life.journal.meta(STATE_KEY) or "")
    found = {symbol: vars(state) for symbol, state in load_states(states).items()} if states else {}
    names = ("signal", "campaign", "shadow", "unbooked", "unbooked_shadows")
    return str({symbol: {n: s[n] for n in names if s[n]} for symbol, s in found.items()})
