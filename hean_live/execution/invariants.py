"""The invariants of reconciliation as checks: what must hold between our books and the venue's records. Pure reads.

Numbered as in ``docs/reconciliation.md``. Those marked *at rest* hold once nothing is under way: every request has been
answered or given up and the venue has been asked since. The simulations and the crash benchmark check all of them after
every run; a violation is a fault of the executor, never of the venue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hean_live.execution.adoption import WRITTEN_OFF
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.fills import FUNDING, TRADE
from hean_live.execution.journal import Journal
from hean_live.execution.merging import VANISHED
from hean_live.execution.records import ACTIVE_STATES, CANCELLED, FILLED, UNSENT_STATES
from models.market.trading_records import Execution, Order, Position

ZERO = Decimal(0)
_DUST = Decimal("1e-6")


@dataclass(frozen=True)
class Violation:
    """One broken invariant: its number and what was expected and found."""

    number: str
    words: str


@dataclass(frozen=True)
class VenueRecords:
    """Everything a venue knows of an account.

    Attributes
    ----------
    orders : sequence of Order
        Every order ever, in its last state.
    executions : sequence of Execution
        Every fill and funding payment ever.
    positions : sequence of Position
        Those that are not flat.
    wallet_change_usd : Decimal or None
        Cash now minus cash at the start; None where it is not known.

    """

    orders: Sequence[Order]
    executions: Sequence[Execution]
    positions: Sequence[Position]
    wallet_change_usd: Decimal | None = None


def violations(journal: Journal, records: VenueRecords, *, at_rest: bool) -> list[Violation]:
    """Compare a journal with a venue.

    Parameters
    ----------
    journal : Journal
    records : VenueRecords
    at_rest : bool
        Whether the invariants that hold at rest are checked too.

    Returns
    -------
    list of Violation
        Empty if all hold.

    """
    found = [
        *_ids(journal, records),
        *_fills(journal, records, at_rest),
        *_sizes(journal),
        *_histories(journal),
    ]
    if at_rest:
        found += [*_rest(journal, records), *_positions(journal, records), *_money(journal, records)]
    return found


def _ours(records: VenueRecords) -> list[Order]:
    return [order for order in records.orders if parse_client_id(order.client_id) is not None]


def _ids(journal: Journal, records: VenueRecords) -> list[Violation]:
    counts = Counter((order.symbol, order.client_id) for order in _ours(records))
    found = [
        Violation("I1", f"{key[1]}: one order of the venue was expected for a decision, were {count}")
        for key, count in counts.items()
        if count > 1
    ]
    return found + [
        Violation("I2", f"{order.client_id}: an order of the venue should be in the journal, was not")
        for order in _ours(records)
        if journal.order(order.client_id) is None
    ]


def _fills(journal: Journal, records: VenueRecords, at_rest: bool) -> list[Violation]:
    theirs = {row.exec_id: row for row in records.executions}
    found = []
    kept = [fill for symbol in _symbols(journal, records) for fill in journal.fills_of(symbol)]
    for exec_id, count in Counter(fill.exec_id for fill in kept).items():
        if count > 1:
            found.append(Violation("I5", f"{exec_id}: a fill should be kept once, was {count} times"))
    for fill in kept:
        row = theirs.get(fill.exec_id)
        if row is None:
            found.append(
                Violation("I5", f"{fill.exec_id}: the journal's fill should be the venue's, was not")
            )
        elif (row.qty, row.price, row.side) != (fill.qty, fill.price, fill.side):
            found.append(Violation("I5", f"{fill.exec_id}: a fill should be as the venue has it, was {fill}"))
    if at_rest:
        missing = set(theirs) - {fill.exec_id for fill in kept}
        found += [
            Violation("I5", f"{exec_id}: the venue's fill should be in the journal") for exec_id in missing
        ]
    return found


def _sizes(journal: Journal) -> list[Violation]:
    """No decision may have filled more than was decided: what one order counts twice, two orders may do as well.

    What a journal lost since had decided, the adopted orders show: where they alone filled more than was decided anew
    (the account is worth less by then, say), nothing may have been added to them.
    """
    found = []
    adopted = {str(event.get("client_id")) for event in journal.events("adopt")}
    targets: dict[tuple[str, int, str], Decimal] = {}
    for event in journal.events("entry"):
        key = (str(event["symbol"]), _int(event.get("settlement_ns")), str(event["strategy"]))
        targets[key] = Decimal(str(event["qty"]))
    for (symbol, decision_ns, strategy), target in targets.items():
        orders = journal.orders_of(symbol, decision_ns)
        entries = [row for row in orders if row.leg == "entry" and row.strategy == strategy]
        filled = sum((row.filled_qty for row in entries), ZERO)
        before = sum((row.filled_qty for row in entries if row.client_id in adopted), ZERO)
        if filled > max(target, before):
            words = (
                f"{symbol} {decision_ns}: entries should fill at most {max(target, before)}, filled {filled}"
            )
            found.append(Violation("I1", words))
    return found


def _histories(journal: Journal) -> list[Violation]:
    """Check that what the venue has ended does not come back, and what has been filled does not shrink."""
    found = []
    last: dict[str, tuple[str, str, Decimal]] = {}
    for event in journal.events("order_state"):
        client_id, state = str(event["client_id"]), str(event["state"])
        filled, reason = Decimal(str(event["filled_qty"])), str(event["reason"])
        before, words, filled_before = last.get(client_id, ("", "", ZERO))
        ended = before == FILLED or (before == CANCELLED and words != VANISHED)
        if ended and state in ACTIVE_STATES:
            found.append(Violation("I10", f"{client_id}: should stay {before}, became {state}"))
        if filled < filled_before and words != WRITTEN_OFF:
            found.append(
                Violation("I10", f"{client_id}: filled should stay {filled_before}, became {filled}")
            )
        last[client_id] = (state, reason, filled)
    return found


def _rest(journal: Journal, records: VenueRecords) -> list[Violation]:
    found = []
    open_ids = {order.client_id for order in _ours(records) if order.status.is_open}
    for row in journal.active_orders():
        if row.is_doubtful:
            found.append(Violation("I3", f"{row.client_id}: its fate should be known, was {row.state}"))
        elif row.client_id not in open_ids:
            found.append(
                Violation("I3", f"{row.client_id}: {row.state} here should be open at the venue, was not")
            )
    active = {row.client_id for row in journal.active_orders()}
    found += [
        Violation("I4", f"{client_id}: open at the venue should be active here, was not")
        for client_id in sorted(open_ids - active)
    ]
    for order in _ours(records):
        known = journal.order(order.client_id)
        if known is None:
            continue
        if known.state in UNSENT_STATES:
            found.append(
                Violation("I4", f"{order.client_id}: an order of the venue was taken as {known.state}")
            )
        if known.filled_qty != order.filled_qty:
            words = f"{order.client_id}: filled should be {order.filled_qty}, was {known.filled_qty}"
            found.append(Violation("I6", words))
    found += [
        Violation("I8", f"{row.key}: no word of the venue should be left unbooked: {row.error}")
        for row in journal.retries()
    ]
    return found


def _positions(journal: Journal, records: VenueRecords) -> list[Violation]:
    theirs: dict[str, Decimal] = {row.symbol: row.signed_size for row in records.positions}
    found = []
    for symbol in _symbols(journal, records):
        own = sum((row.side * row.filled_qty for row in journal.orders_of(symbol)), ZERO)
        if own != theirs.get(symbol, ZERO):
            words = (
                f"{symbol}: our orders should add up to the venue's {theirs.get(symbol, ZERO)}, were {own}"
            )
            found.append(Violation("I7", words))
    return found


def _money(journal: Journal, records: VenueRecords) -> list[Violation]:
    """Cash from the journal's fills alone; exact once every position is flat."""
    if records.wallet_change_usd is None or records.positions:
        return []
    cash = ZERO
    for symbol in _symbols(journal, records):
        for fill in journal.fills_of(symbol):
            if fill.kind == TRADE:
                cash -= fill.side * fill.qty * fill.price
            if fill.kind in (TRADE, FUNDING):
                cash -= fill.fee_usd
    if abs(cash - records.wallet_change_usd) > _DUST:
        words = (
            f"the wallet should have changed by {cash} by our fills, changed by {records.wallet_change_usd}"
        )
        return [Violation("I9", words)]
    return []


def _symbols(journal: Journal, records: VenueRecords) -> list[str]:
    return sorted({*journal.symbols_with_orders(), *(row.symbol for row in records.executions)})


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
