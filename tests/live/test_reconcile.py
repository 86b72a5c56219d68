"""Our books against the venue's: agreement, foreign orders and positions, lagging and vanished records."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from hean_live.execution.order_manager import OrderDecision, OrderManager
from hean_live.execution.reconcile import Reconciler
from hean_live.venues.errors import RateLimited, VenueUnreachable
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY, NewOrder
from models.market.trading_records import Position
from tests.live.conftest import SETTLEMENT_MS
from tests.live.support import every_order

ENTRY = OrderDecision("S1", "BTCUSDT", SETTLEMENT_MS * 1_000_000, "e0", 1, D("0.010"), None, IMMEDIATE, False)


class Seconds:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def manager(journal, venue):
    return OrderManager(journal, venue, gate=every_order)


@pytest.fixture
def reconciler(journal, venue, manager, seconds):
    return Reconciler(journal, venue, manager, grace_s=20.0, monotonic=seconds)


def test_our_position_is_ours(reconciler, manager, journal):
    manager.submit(ENTRY)
    books = reconciler.reconcile()
    assert books.net == books.own == {"BTCUSDT": D("0.010")}
    assert books.foreign == {}
    assert 99_000 < books.equity_usd < 100_100
    assert journal.count("equity") == 1


def test_foreign_orders_and_positions_are_reported_and_left_alone(reconciler, venue, journal):
    venue.place(NewOrder("someone-else-1", "BTCUSDT", 1, D("0.010"), D("50000.0"), POST_ONLY, False))
    venue.place(NewOrder("someone-else-2", "ETHUSDT", 1, D("0.10"), None, IMMEDIATE, False))
    books = [reconciler.reconcile() for _ in range(3)][-1]
    assert set(books.foreign) == {"BTCUSDT", "ETHUSDT"}
    assert books.own.get("ETHUSDT", D(0)) == 0
    assert len(journal.events("reconcile")) == 2  # each once
    assert len(venue.open_orders()) == 1
    assert venue.positions()[0].signed_size == D("0.10")


def test_only_our_part_of_a_mixed_position_counts(reconciler, manager, venue):
    manager.submit(ENTRY)
    venue.place(NewOrder("someone-else", "BTCUSDT", 1, D("0.005"), None, IMMEDIATE, False))
    books = reconciler.reconcile()
    assert books.net["BTCUSDT"] == D("0.010")
    assert "BTCUSDT" in books.foreign


def test_a_close_by_hand_is_booked_to_our_trade(reconciler, manager, venue, journal):
    manager.submit(ENTRY)
    reconciler.reconcile()
    venue.place(NewOrder("", "BTCUSDT", -1, D("0.010"), None, IMMEDIATE, True))
    books = reconciler.reconcile()
    assert books.own["BTCUSDT"] == 0
    assert [row.leg for row in journal.orders_of("BTCUSDT")] == ["entry", "stop"]


class LaggingPositions:
    """The real venue, whose positions are shown late or not at all."""

    def __init__(self, venue):
        self._venue = venue
        self.hidden = True

    def __getattr__(self, name):
        return getattr(self._venue, name)

    def positions(self) -> list[Position]:
        return [] if self.hidden else self._venue.positions()


def test_a_position_shown_late_is_neither_closed_nor_doubled(journal, venue, seconds):
    lagging = LaggingPositions(venue)
    manager = OrderManager(journal, lagging, gate=every_order)
    reconciler = Reconciler(journal, lagging, manager, grace_s=20.0, monotonic=seconds)
    manager.submit(ENTRY)
    books = reconciler.reconcile()
    assert (books.net["BTCUSDT"], books.own["BTCUSDT"]) == (D(0), D("0.010"))
    lagging.hidden = False
    books = reconciler.reconcile()
    assert books.net == books.own == {"BTCUSDT": D("0.010")}
    assert journal.events("reconcile") == []


def test_a_position_gone_for_long_is_written_off(journal, venue, seconds):
    lagging = LaggingPositions(venue)
    manager = OrderManager(journal, lagging, gate=every_order)
    reconciler = Reconciler(journal, lagging, manager, grace_s=20.0, monotonic=seconds)
    manager.submit(ENTRY)
    reconciler.reconcile()
    seconds.now = 19.0
    assert reconciler.reconcile().own["BTCUSDT"] == D("0.010")
    seconds.now = 21.0
    reconciler.reconcile()
    assert reconciler.reconcile().own["BTCUSDT"] == 0
    assert "written off" in journal.orders_of("BTCUSDT")[-1].reason


@pytest.mark.parametrize(
    "path", ["/v5/order/realtime", "/v5/execution/list", "/v5/position/list", "/v5/account/wallet"]
)
def test_a_failing_question_gives_no_books(testnet, reconciler, manager, path):
    manager.submit(ENTRY)
    testnet.fault("http_status", path_prefix=path, status=500)
    with pytest.raises(VenueUnreachable):
        reconciler.reconcile()
    assert reconciler.reconcile().own["BTCUSDT"] == D("0.010")


def test_http_403_asks_for_ten_minutes(testnet, reconciler):
    testnet.fault("http_status", path_prefix="/v5/", status=403)
    with pytest.raises(RateLimited) as caught:
        reconciler.reconcile()
    assert caught.value.wait_s == 600.0
