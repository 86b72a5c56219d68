from __future__ import annotations

import pytest

from models.simulation.exchange.orders import Amendment, OrderStatus
from tests.simulation.exchange.support import NS, D, at_limit, at_market, code_of, exchange


def test_price_and_quantity_of_a_resting_order() -> None:
    venue = exchange({0: "100.00", 10: "98.80"})
    order = venue.create(at_limit(1, "2", "95.00", link_id="mine"))
    venue.amend("BTCUSDT", Amendment(price=D("99.00"), qty=D(3)), link_id="mine")
    assert (order.request.price, order.qty, venue.order_margin_usd()) == (D("99.00"), 3, D("29.7"))
    venue.advance(10 * NS)
    assert (order.status, order.average_price) == (OrderStatus.FILLED, D("99.00"))


def test_amended_into_the_book_it_takes_or_as_post_only_is_cancelled() -> None:
    venue = exchange()
    taker = venue.create(at_limit(1, "2", "95.00"))
    venue.amend("BTCUSDT", Amendment(price=D("100.10")), taker.order_id)
    assert (taker.status, venue.executions[0].is_maker) == (OrderStatus.FILLED, False)
    maker = venue.create(at_limit(1, "2", "95.00", time_in_force="PostOnly"))
    venue.amend("BTCUSDT", Amendment(price=D("100.10")), maker.order_id)
    assert (maker.status, maker.reject_reason) == (OrderStatus.CANCELLED, "EC_PostOnlyWillTakeLiquidity")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (Amendment(), 10001),
        (Amendment(price=D("95.00")), 10001),
        (Amendment(price=D("95.05")), 10001),
        (Amendment(qty=D("0.0005")), 10001),
        (Amendment(qty=D("0.05")), 110094),
        (Amendment(qty=D("100000")), 10001),
        (Amendment(price=D("99999999")), 110003),
        (Amendment(trigger_price=D("110.00")), 10001),
        (Amendment(stop_loss=D("120.00")), 10001),
        (Amendment(qty=D(500), price=D("99.90")), 110007),
    ],
)
def test_refused_amendments_change_nothing(changes: Amendment, code: int) -> None:
    venue = exchange(equity="900")
    order = venue.create(at_limit(1, "2", "95.00"))
    before = (order.request, order.qty, order.status)
    assert code_of(lambda: venue.amend("BTCUSDT", changes, order.order_id)) == code
    assert (order.request, order.qty, order.status) == before


def test_what_is_filled_cannot_be_amended_away() -> None:
    venue = exchange(depth="1")
    order = venue.create(at_limit(1, "3", "100.10"))  # takes one, rests with two
    assert code_of(lambda: venue.amend("BTCUSDT", Amendment(qty=D(1)), order.order_id)) == 110064
    venue.amend("BTCUSDT", Amendment(qty=D(2)), order.order_id)
    assert (order.status, order.remaining) == (OrderStatus.PARTIALLY_FILLED, 1)


def test_a_closed_or_unknown_order_cannot_be_amended() -> None:
    venue = exchange()
    order = venue.create(at_market(1, "2"))
    for ids in ({"order_id": order.order_id}, {"link_id": "nobody"}):
        assert code_of(lambda ids=ids: venue.amend("BTCUSDT", Amendment(qty=D(3)), **ids)) == 110001


def test_trigger_of_a_conditional_order() -> None:
    venue = exchange({0: "100.00", 10: "102.00"})
    order = venue.create(at_market(1, "1", trigger_price=D("105.00"), trigger_direction=1))
    assert (
        code_of(lambda: venue.amend("BTCUSDT", Amendment(trigger_price=D("99.00")), order.order_id)) == 110093
    )
    assert code_of(lambda: venue.amend("BTCUSDT", Amendment(price=D("99.00")), order.order_id)) == 10001
    venue.amend("BTCUSDT", Amendment(trigger_price=D("101.00")), order.order_id)
    venue.advance(10 * NS)
    assert order.status is OrderStatus.FILLED


def test_stops_of_an_order_are_set_moved_and_removed() -> None:
    venue = exchange({0: "100.00", 10: "94.00"})
    order = venue.create(at_limit(1, "2", "95.00"))
    venue.amend("BTCUSDT", Amendment(stop_loss=D("90.00"), take_profit=D("120.00")), order.order_id)
    venue.amend("BTCUSDT", Amendment(stop_loss=D("91.00"), take_profit=D(0)), order.order_id)
    assert (order.request.stop_loss, order.request.take_profit) == (D("91.00"), None)
    venue.advance(10 * NS)
    assert [(o.stop_order_type, o.request.trigger_price) for o in venue.open_orders()] == [
        ("StopLoss", D("91.00"))
    ]
