"""One row of a listing that cannot be read: its symbol takes no entries, nothing is concluded from it, the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.execution.intake import EXECUTION_ROW
from hean_live.execution.order_manager import OrderManager
from hean_live.execution.reconcile import Reconciler
from hean_live.venues.errors import VenueUnreachable
from hean_live.venues.protocol import POST_ONLY
from hean_live.venues.unreadable import PartlyUnreadable
from models.errors import DataError
from tests.live.support import every_order
from tests.live.test_reconcile import ENTRY, Seconds

OTHER = replace(ENTRY, symbol="ETHUSDT", qty=D("0.10"))
RESTING = replace(ENTRY, price=D("50000.0"), time_in_force=POST_ONLY)


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def manager(journal, venue, seconds):
    return OrderManager(journal, venue, gate=every_order, monotonic=seconds)


@pytest.fixture
def reconciler(journal, venue, manager, seconds):
    return Reconciler(journal, venue, manager, grace_s=20.0, monotonic=seconds)


@pytest.fixture
def spoil(venue, monkeypatch) -> Callable[..., None]:
    """Spoil a field of every row of a symbol in the replies to one question; the replies are the testnet's own."""

    def begin(question, symbol, /, **fields):
        real = getattr(venue._http, question)

        def spoiled(**params):
            reply = json.loads(json.dumps(real(**params)))
            for row in reply["result"]["list"]:
                if row["symbol"] == symbol:
                    row.update(fields)
            return reply

        monkeypatch.setattr(venue._http, question, spoiled)

    return begin


def test_an_execution_waits_and_the_others_are_booked(reconciler, manager, journal, spoil):
    manager.submit(ENTRY)
    manager.submit(OTHER)
    spoil("get_executions", "BTCUSDT", execQty="many")
    books = reconciler.reconcile()
    reconciler.reconcile()
    assert set(books.foreign) == {"BTCUSDT"}
    assert "execQty" in books.foreign["BTCUSDT"]
    assert books.net == {"BTCUSDT": D("0.010"), "ETHUSDT": D("0.10")}
    assert (len(journal.fills_of("BTCUSDT")), len(journal.fills_of("ETHUSDT"))) == (0, 1)
    (waiting,) = journal.retries()
    assert (waiting.kind, waiting.symbol, waiting.attempts > 1) == (EXECUTION_ROW, "BTCUSDT", True)
    assert len([e for e in journal.events("error") if e["code"] == "NOT_READ"]) == 1


def test_a_kept_row_is_booked_once_it_can_be_read(reconciler, manager, journal, venue, spoil):
    manager.submit(ENTRY)
    (row,) = venue._http.get_executions(category="linear")["result"]["list"]
    journal.keep_retry(
        "execution row x", EXECUTION_ROW, "BTCUSDT", json.dumps(row), "an older program's word"
    )
    assert set(manager.intake.waiting()) == {"BTCUSDT"}
    assert reconciler.reconcile().foreign == {}
    assert journal.retries() == []
    assert len(journal.fills_of("BTCUSDT")) == 1


@pytest.mark.parametrize("fields", [{"qty": "many"}, {"qty": "many", "orderLinkId": ""}])
def test_an_open_order_is_neither_gone_nor_known(reconciler, manager, journal, seconds, spoil, fields):
    manager.submit(RESTING)
    manager.submit(OTHER)
    spoil("get_open_orders", "BTCUSDT", **fields)
    for seconds.now in (0.0, 100.0, 200.0):
        books = reconciler.reconcile()
    assert "an open order could not be read" in books.foreign["BTCUSDT"]
    assert [row.client_id for row in journal.active_orders()] == [RESTING.client_id]
    assert books.net["ETHUSDT"] == D("0.10")


def test_an_order_that_cannot_be_looked_up_is_not_lost(reconciler, manager, journal, venue, seconds, spoil):
    manager.submit(RESTING)
    venue.cancel("BTCUSDT", RESTING.client_id)
    for question in ("get_open_orders", "get_order_history"):
        spoil(question, "BTCUSDT", side="Sideways")
    for seconds.now in (0.0, 100.0, 200.0):
        books = reconciler.reconcile()
    assert "could not be read" in books.foreign["BTCUSDT"]
    assert [row.client_id for row in journal.active_orders()] == [RESTING.client_id]


def test_a_position_is_not_written_off(reconciler, manager, journal, seconds, spoil):
    manager.submit(ENTRY)
    manager.submit(OTHER)
    reconciler.reconcile()
    spoil("get_positions", "BTCUSDT", size="much")
    for seconds.now in (0.0, 100.0, 200.0):
        books = reconciler.reconcile()
    assert "the position could not be read" in books.foreign["BTCUSDT"]
    assert books.net == books.own == {"BTCUSDT": D("0.010"), "ETHUSDT": D("0.10")}
    assert not journal.events("adopt")


def test_a_position_never_read_before_is_not_written_off_either(reconciler, manager, journal, seconds, spoil):
    manager.submit(ENTRY)
    spoil("get_positions", "BTCUSDT", size="much")
    for seconds.now in (0.0, 100.0, 200.0):
        books = reconciler.reconcile()
    assert (books.net["BTCUSDT"], books.own["BTCUSDT"]) == (D(0), D("0.010"))
    assert not journal.events("adopt")


def test_a_row_of_no_symbol_fails_the_listing(reconciler, manager, venue, spoil):
    manager.submit(ENTRY)
    spoil("get_executions", "BTCUSDT", symbol="")
    with pytest.raises((DataError, VenueUnreachable)) as caught:
        reconciler.reconcile()
    assert not isinstance(caught.value, PartlyUnreadable)
