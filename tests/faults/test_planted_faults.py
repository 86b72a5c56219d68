"""The simulation's own test: faults planted in the executor, each of which some seed must find."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.campaigns import entering, mirror
from hean_live.execution import fills, merging, order_manager
from hean_live.execution.journal import Journal
from hean_live.execution.order_gate import OrderGate
from hean_live.execution.records import CANCELLED, UNRESOLVED
from hean_live.execution.rows import fill_values
from hean_live.simulation.network import SimulatedClient
from hean_live.simulation.run import run_seed
from hean_live.venues.errors import VenueUnreachable
from models.errors import HeanError

MOST_SEEDS = 100


def found(numbers: set[str], allowed: tuple[str, ...]) -> set[str]:
    """Invariants broken by the first seeds that break any of `numbers`."""
    for seed in range(MOST_SEEDS):
        broken = {violation.number for violation in run_seed(seed, allowed).violations}
        if broken & numbers:
            return broken & numbers
    return set()


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch):
    return monkeypatch.setattr


def test_a_timeout_taken_for_a_failure(plant):
    """The order is decided anew under a new id although the first may have arrived: doubled."""
    real = order_manager.OrderManager._after_reply

    def after_reply(self, sent, state, reason, venue_id):
        return real(self, sent, CANCELLED if state == UNRESOLVED else state, reason, venue_id)

    plant(order_manager.OrderManager, "_after_reply", after_reply)
    assert found({"I1", "I4", "I7"}, ("lost-reply", "late-request"))


def test_sent_before_it_is_journalled(plant):
    plant(Journal, "intend", lambda self, row: row)
    assert "I11" in found({"I11"}, ("crash",))


def test_given_up_at_the_first_look(plant):
    """An order on its way is taken for lost at once; its campaign ends, the order turns up alone."""

    def look_up(self, row):
        found_order = self._venue.find_order(row.symbol, row.client_id)
        if found_order is not None:
            self.intake.order(found_order)
        else:
            self._journal.put_order(replace(row, state=CANCELLED, reason=""))

    plant(order_manager.OrderManager, "_look_up", look_up)
    assert found({"I1", "I3", "I4", "I6", "I7"}, ("late-request", "stale"))


def test_a_cancel_taken_for_done(plant):
    real = order_manager.OrderManager.cancel

    def cancel(self, symbol, client_id):
        row = self._journal.order(client_id)
        with contextlib.suppress(HeanError):
            real(self, symbol, client_id)
        self._journal.put_order(replace(row, state=CANCELLED))

    plant(order_manager.OrderManager, "cancel", cancel)
    assert found({"I1", "I3", "I4", "I6", "I7"}, ("lost-request", "late-request", "rate-limit"))


def test_a_doubled_fill_counted_twice(plant):
    def count(self, order):
        kept = self._journal.fills_of(order.symbol)
        newest = max(kept, key=lambda fill: fill.at_ns)
        self._journal.put_order(replace(order, filled_qty=order.filled_qty + newest.qty))

    plant(fills.FillBook, "_count", count)
    assert found({"I1", "I6", "I7"}, ("calm",))


def test_an_execution_kept_without_its_id(plant):
    plant(Journal, "has_fill", lambda self, _exec_id: False)
    plant(Journal, "fill_ns", lambda self, _exec_id: None)
    plant(
        Journal,
        "add_fill",
        lambda self, fill: self._execute(
            f"INSERT OR REPLACE INTO fills VALUES ({','.join('?' * 11)})",
            fill_values(replace(fill, exec_id=f"{fill.exec_id}-{self.count('fills')}")),
        ),
    )
    assert found({"I5"}, ("calm",))


def test_an_older_page_believed(plant):
    """A finished order comes back from a stale listing."""
    plant(merging, "_is_ended_by_venue", lambda _row: False)
    assert "I10" in found({"I10"}, ("stale", "disconnect"))


def test_a_failed_question_read_as_flat(plant):
    real = SimulatedClient.positions

    def positions(self):
        try:
            return real(self)
        except VenueUnreachable:
            return []

    plant(SimulatedClient, "positions", positions)
    real_executions = SimulatedClient.new_executions

    def executions(self, is_known):
        try:
            return real_executions(self, is_known)
        except VenueUnreachable:
            return []

    plant(SimulatedClient, "new_executions", executions)
    assert found({"I5", "I7", "I9", "I10"}, ("outage", "server-error", "lost-reply", "disconnect"))


def test_limits_not_asked(plant):
    plant(OrderGate, "__call__", lambda self, _decision: None)
    plant(entering, "affordable", lambda qty, _price, _room, _step: qty * D(3))
    assert "I12" in found({"I12"}, ("calm",))


def test_quotes_beyond_their_share(plant):
    """A market maker that quotes three times what it may on each side fills more than was decided."""
    plant(mirror, "affordable", lambda qty, _price, _room, _step: qty * D(3))
    assert found({"I1", "I12"}, ("calm",))


def test_limits_asked(plant):
    """The same greed, with the gate in its place: nothing is sent, nothing is exceeded.

    Asked of S1 alone: entries of the bank bind less than a third of what one trade may, and three times as much passes.
    """
    plant(entering, "affordable", lambda qty, _price, _room, _step: qty * D(3))
    outcomes = [row for row in (run_seed(seed, ("calm",)) for seed in range(20)) if not row.bank_orders]
    assert len(outcomes) > 4
    assert all(not row.violations and row.orders == 0 for row in outcomes)
