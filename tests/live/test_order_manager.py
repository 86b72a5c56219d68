"""Orders against the local testnet, with every way a request can go wrong."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.execution.journal import Journal
from hean_live.execution.order_manager import OrderDecision, OrderManager
from hean_live.execution.records import CANCELLED, FILLED, LOST, OPEN, REJECTED, UNRESOLVED
from hean_live.venues.bybit import BybitVenue
from hean_live.venues.errors import KeyRefused
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from tests.live.conftest import SETTLEMENT_MS
from tests.live.support import every_order

CREATE = "/v5/order/create"
SETTLEMENT_NS = SETTLEMENT_MS * 1_000_000


class Clock:
    """Monotonic seconds moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def manager(journal, venue, clock):
    return OrderManager(journal, venue, gate=every_order, grace_s=7.0, monotonic=clock)


@pytest.fixture
def resting():
    """A maker bid far below the market."""
    return OrderDecision("S1", "BTCUSDT", SETTLEMENT_NS, "e0", 1, D("0.010"), D("50000.0"), POST_ONLY, False)


@pytest.fixture
def taking(resting):
    return replace(resting, price=None, time_in_force=IMMEDIATE, stop_price=D("50000.0"))


def orders_at_venue(testnet):
    venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
    return venue.open_orders(), venue.positions()


def settle(manager, clock):
    """Ask twice, far enough apart."""
    manager.refresh()
    clock.now += 8.0
    manager.refresh()


def test_an_order_is_confirmed_and_filled_once(testnet, manager, journal, taking):
    row = manager.submit(taking)
    assert (row.state, bool(row.venue_id)) == (OPEN, True)
    manager.refresh()
    manager.refresh()
    row = journal.order(taking.client_id)
    assert (row.state, row.filled_qty) == (FILLED, D("0.010"))
    fills = [fill for fill in journal.fills_of("BTCUSDT") if fill.kind == "trade"]
    assert sum(fill.qty for fill in fills) == D("0.010")
    assert row.avg_price == sum(f.qty * f.price for f in fills) / D("0.010")
    assert manager.net("BTCUSDT") == D("0.010")
    position = orders_at_venue(testnet)[1][0]
    assert (position.signed_size, position.stop_loss) == (D("0.010"), D("50000.0"))


def test_the_row_is_durable_before_the_wire(tmp_path, venue, journal, resting):
    seen = []

    def probe(point):
        other = Journal(journal.path)
        seen.append((point, [row.state for row in other.orders_of("BTCUSDT")]))
        other.close()

    OrderManager(journal, venue, gate=every_order, probe=probe).submit(resting)
    assert seen == [("before_journal", []), ("after_journal", ["submitting"]), ("after_wire", ["submitting"])]


def test_the_same_decision_is_never_sent_twice(testnet, manager, resting):
    first = manager.submit(resting)
    assert manager.submit(resting) == first
    assert len(orders_at_venue(testnet)[0]) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop", "when": "after"},
        {"kind": "truncate"},
        {"kind": "http_status", "status": 502, "when": "after"},
        {"kind": "ret_code", "ret_code": 10016, "when": "after"},
    ],
)
def test_a_lost_reply_is_resolved_by_asking_not_by_resending(
    testnet, manager, journal, clock, resting, fault
):
    testnet.fault(path_prefix=CREATE, **fault)
    assert manager.submit(resting).state == UNRESOLVED
    assert manager.submit(resting).state == UNRESOLVED  # deciding again sends nothing
    settle(manager, clock)
    assert journal.order(resting.client_id).state == OPEN
    assert len(orders_at_venue(testnet)[0]) == 1


@pytest.mark.parametrize(
    "fault",
    [{"kind": "drop"}, {"kind": "http_status", "status": 500}, {"kind": "ret_code", "ret_code": 10000}],
)
def test_an_order_that_never_arrived_is_lost_only_after_two_looks_and_patience(
    testnet, manager, journal, clock, resting, fault
):
    testnet.fault(path_prefix=CREATE, when="before", **fault)
    assert manager.submit(resting).state == UNRESOLVED
    manager.refresh()
    clock.now += 6.9
    manager.refresh()
    assert journal.order(resting.client_id).state == UNRESOLVED
    clock.now += 0.2
    manager.refresh()
    assert journal.order(resting.client_id).state == LOST
    assert manager.submit(resting).state == OPEN  # the same id, decided again
    assert len(orders_at_venue(testnet)[0]) == 1


def test_a_timeout_is_unresolved(testnet, journal, clock, resting):
    impatient = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret, timeout_s=0.2)
    manager = OrderManager(journal, impatient, gate=every_order, monotonic=clock)
    testnet.fault("delay", path_prefix=CREATE, when="after", seconds=0.5)
    assert manager.submit(resting).state == UNRESOLVED
    settle(manager, clock)
    assert journal.order(resting.client_id).state == OPEN


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (
            {"kind": "ret_code", "ret_code": 10006, "reset_in_ms": -5000},
            LOST,
        ),  # pybit alone would die of ValueError
        ({"kind": "ret_code", "ret_code": 10006, "reset_in_ms": 5000}, LOST),
        ({"kind": "ret_code", "ret_code": 10002}, LOST),
        ({"kind": "http_status", "status": 403}, LOST),
        ({"kind": "http_status", "status": 429}, LOST),
        ({"kind": "ret_code", "ret_code": 110007}, REJECTED),
        ({"kind": "ret_code", "ret_code": 10001}, REJECTED),
    ],
)
def test_refusals_are_final_without_asking(testnet, manager, journal, resting, fault, state):
    testnet.fault(path_prefix=CREATE, **fault)
    assert manager.submit(resting).state == state
    assert orders_at_venue(testnet)[0] == []
    assert str(fault.get("ret_code", fault.get("status"))) in journal.order(resting.client_id).reason


def test_a_refused_key_stops_trading(testnet, manager, journal, resting):
    testnet.fault("ret_code", path_prefix=CREATE, ret_code=10003)
    with pytest.raises(KeyRefused):
        manager.submit(resting)
    assert journal.order(resting.client_id).state == LOST


def test_a_duplicate_id_is_asked_for(testnet, venue, tmp_path, manager, clock, resting):
    manager.submit(resting)
    forgetful = Journal(tmp_path / "other.sqlite")
    second = OrderManager(forgetful, venue, gate=every_order, monotonic=clock)
    assert second.submit(resting).state == UNRESOLVED
    second.refresh()
    assert forgetful.order(resting.client_id).state == OPEN
    assert len(orders_at_venue(testnet)[0]) == 1
    forgetful.close()


def test_an_order_unknown_here_is_adopted(testnet, venue, tmp_path, manager, resting, taking):
    manager.submit(resting)
    manager.submit(replace(taking, leg="e1"))
    forgetful = Journal(tmp_path / "other.sqlite")
    second = OrderManager(forgetful, venue, gate=every_order)
    second.refresh()
    assert {row.leg for row in forgetful.orders_of("BTCUSDT")} == {"entry"}
    assert second.net("BTCUSDT") == D("0.010")
    assert len(forgetful.events("adopt")) == 2
    forgetful.close()


def test_after_a_lost_journal_the_venue_is_asked_twice_before_it_is_believed(
    venue, tmp_path, manager, clock, resting, taking
):
    manager.submit(taking)
    manager.refresh()
    assert manager.doubt == ""  # what the journal knows is no doubt
    forgetful = Journal(tmp_path / "other.sqlite")
    second = OrderManager(forgetful, venue, gate=every_order, monotonic=clock)
    assert second.doubt == ""
    second.refresh()
    assert "did not know" in second.doubt
    clock.now += 9.9
    second.refresh()
    assert second.doubt
    clock.now += 0.2
    assert second.doubt  # time alone is no second look
    second.refresh()
    assert second.doubt == ""
    forgetful.close()


def test_cancel_and_its_repetition(testnet, manager, journal, resting):
    manager.submit(resting)
    manager.cancel("BTCUSDT", resting.client_id)
    manager.refresh()
    assert journal.order(resting.client_id).state == CANCELLED
    manager.cancel("BTCUSDT", resting.client_id)  # nothing left to cancel is no error
    assert orders_at_venue(testnet)[0] == []


def test_a_maker_order_that_would_take_is_cancelled_by_the_venue(manager, journal, resting):
    manager.submit(replace(resting, price=D("200000.0")))
    manager.refresh()
    row = journal.order(resting.client_id)
    assert (row.state, row.filled_qty) == (CANCELLED, D(0))
    assert "PostOnly" in row.reason


def test_a_stop_hit_at_the_venue_is_booked_as_ours(testnet, venue, manager, journal, taking):
    price = float(venue.positions()[0].mark_price) if venue.positions() else None
    assert price is None
    from hean_live.venues.public import PublicMarket

    mark = PublicMarket(testnet.base_url).tickers().tickers["BTCUSDT"].mark_price
    manager.submit(replace(taking, stop_price=D(str(round(mark * 0.9995, 1)))))
    manager.refresh()
    for _ in range(100):
        testnet.advance(hours=1)
        if not venue.positions():
            break
    manager.refresh()
    assert manager.net("BTCUSDT") == 0
    stops = [row for row in journal.orders_of("BTCUSDT") if row.leg == "stop"]
    assert [(row.side, row.filled_qty) for row in stops] == [(-1, D("0.010"))]
