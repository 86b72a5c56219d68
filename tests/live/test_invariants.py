"""Each invariant is broken by its own planted record, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.execution.invariants import VenueRecords, violations
from hean_live.execution.records import CANCELLED, DENIED, FILLED, LOST, OPEN, UNRESOLVED, FillRow
from models.market.trading_records import OrderStatus
from tests.live.records import ENTRY_ID, SYMBOL, execution, order, order_row, position

FILL = FillRow("x1", ENTRY_ID, "v1", SYMBOL, 1, D(2), D(100), D("0.1"), True, "trade", 5)


@pytest.fixture
def at_rest(journal):
    """A journal and a venue that agree: two bought, held."""
    journal.event(
        "entry", {"qty": "2", "settlement_ns": order_row().decision_ns}, strategy="S1", symbol=SYMBOL
    )
    journal.put_order(order_row(state=FILLED, filled_qty=D(2)))
    journal.add_fill(FILL)
    filled = order(status=OrderStatus.FILLED, filled_qty=D(2))
    return VenueRecords([filled], [execution(qty=D(2), fee=D("0.1"))], [position(size=D(2))])


def broken(journal, records, at_rest=True):
    return {violation.number for violation in violations(journal, records, at_rest=at_rest)}


def test_agreement_breaks_nothing(journal, at_rest):
    assert broken(journal, at_rest) == set()


def test_two_orders_of_one_decision(journal, at_rest):
    twice = replace(at_rest, orders=[*at_rest.orders, replace(at_rest.orders[0], order_id="v2")])
    assert broken(journal, twice, at_rest=False) == {"I1"}


def test_more_filled_than_decided(journal, at_rest):
    journal.put_order(order_row(client_id=ENTRY_ID[:-1] + "1", state=FILLED, filled_qty=D(1)))
    assert "I1" in broken(journal, at_rest, at_rest=False)


def test_what_a_lost_journal_had_decided_may_exceed_what_is_decided_anew(journal):
    """Three were bought before; two are decided now: nothing may be added, and the three are no fault."""
    adopted = order_row(state=FILLED, filled_qty=D(3))
    journal.event("adopt", {"client_id": adopted.client_id}, symbol=SYMBOL)
    journal.put_order(adopted)
    journal.event("entry", {"qty": "2", "settlement_ns": adopted.decision_ns}, strategy="S1", symbol=SYMBOL)
    nothing = VenueRecords([], [], [])
    assert violations(journal, nothing, at_rest=False) == []
    journal.put_order(order_row(client_id=ENTRY_ID[:-1] + "1", state=FILLED, filled_qty=D("0.5")))
    (found,) = violations(journal, nothing, at_rest=False)
    assert (found.number, "at most 3, filled 3.5" in found.words) == ("I1", True)


def test_an_unknown_order(journal, at_rest):
    other = order(client_id=ENTRY_ID[:-1] + "7", order_id="v7", status=OrderStatus.CANCELLED)
    assert broken(journal, replace(at_rest, orders=[*at_rest.orders, other])) == {"I2"}
    foreign = replace(other, client_id="someone-else")
    assert broken(journal, replace(at_rest, orders=[*at_rest.orders, foreign])) == set()


@pytest.mark.parametrize(("state", "number"), [(OPEN, "I3"), (UNRESOLVED, "I3")])
def test_an_active_order_the_venue_does_not_have(journal, at_rest, state, number):
    journal.put_order(order_row(client_id=ENTRY_ID[:-1] + "7", state=state))
    assert broken(journal, at_rest) == {number}
    assert broken(journal, at_rest, at_rest=False) == set()


@pytest.mark.parametrize("state", [CANCELLED, LOST, DENIED])
def test_an_open_order_taken_for_finished(journal, at_rest, state):
    client_id = ENTRY_ID[:-1] + "7"
    journal.put_order(order_row(client_id=client_id, state=state))
    orphan = order(client_id=client_id, order_id="v7")
    assert broken(journal, replace(at_rest, orders=[*at_rest.orders, orphan])) == {"I4"}


def test_a_fill_missing_and_a_fill_too_many(journal, at_rest):
    more = [*at_rest.executions, execution(exec_id="x2")]
    assert broken(journal, replace(at_rest, executions=more)) == {"I5"}
    assert broken(journal, replace(at_rest, executions=more), at_rest=False) == set()
    assert "I5" in broken(journal, replace(at_rest, executions=[]), at_rest=False)
    dearer = [replace(at_rest.executions[0], price=D(101))]
    assert broken(journal, replace(at_rest, executions=dearer), at_rest=False) == {"I5"}


def test_another_filled_quantity_and_another_position(journal, at_rest):
    assert broken(journal, replace(at_rest, positions=[])) == {"I7"}
    more = [replace(at_rest.orders[0], filled_qty=D(1))]
    assert broken(journal, replace(at_rest, orders=more)) == {"I6"}


def test_an_unbooked_word(journal, at_rest):
    journal.keep_retry("order v1", "order", SYMBOL, "{}", "why")
    assert broken(journal, at_rest) == {"I8"}


def test_the_wallet(journal):
    for exec_id, side, price in (("x1", 1, D(100)), ("x2", -1, D(110))):
        journal.add_fill(replace(FILL, exec_id=exec_id, side=side, price=price, fee_usd=D("0.5")))
    theirs = [
        execution(exec_id="x1", qty=D(2)),
        execution(exec_id="x2", qty=D(2), side=-1, price=D(110)),
    ]
    records = VenueRecords([], theirs, [], wallet_change_usd=D(19))
    assert broken(journal, records) == set()
    assert broken(journal, replace(records, wallet_change_usd=D(20))) == {"I9"}


def test_an_order_that_comes_back(journal):
    journal.put_order(order_row(state=FILLED, filled_qty=D(2)))
    journal.put_order(order_row(state=OPEN, filled_qty=D(1)))
    found = violations(journal, VenueRecords([], [], []), at_rest=False)
    assert [row.number for row in found] == ["I10", "I10"]
