from __future__ import annotations

from models.simulation.exchange.orders import OrderStatus
from tests.simulation.exchange.support import NS, D, at_limit, at_market, code_of, exchange, stops_of


def hedged(**market: object) -> object:
    venue = exchange(**market)  # type: ignore[arg-type]
    venue.switch_mode(["BTCUSDT"], hedged=True)
    return venue


def test_both_sides_are_held_at_once_and_closed_apart() -> None:
    venue = hedged()
    venue.create(at_market(1, "3", position_idx=1))
    venue.create(at_market(-1, "2", position_idx=2))
    assert [p.qty for p in venue.positions_of("BTCUSDT")] == [3, -2]
    assert venue.position("BTCUSDT").qty == 0
    venue.create(at_market(-1, "1", position_idx=1))
    venue.create(at_market(1, "50", position_idx=2))  # cut to what is there
    assert [p.qty for p in venue.positions_of("BTCUSDT")] == [2, 0]
    assert [fill.held_qty for fill in venue.executions] == [3, -2, 2, 0]


def test_the_index_must_fit_the_mode() -> None:
    venue = hedged()
    assert code_of(lambda: venue.create(at_market(1, "1"))) == 10001
    assert code_of(lambda: venue.create(at_market(-1, "1", position_idx=1))) == 110017  # nothing to close
    one_way = exchange()
    assert code_of(lambda: one_way.create(at_market(1, "1", position_idx=1))) == 10001


def test_the_mode_is_switched_when_flat_and_without_orders() -> None:
    venue = exchange()
    assert code_of(lambda: venue.switch_mode(["BTCUSDT"], hedged=False)) == 110025
    order = venue.create(at_limit(1, "1", "90.00"))
    assert code_of(lambda: venue.switch_mode(["BTCUSDT"], hedged=True)) == 110028
    venue.cancel("BTCUSDT", order.order_id)
    venue.create(at_market(1, "1"))
    assert code_of(lambda: venue.switch_mode(["BTCUSDT"], hedged=True)) == 110024
    venue.create(at_market(-1, "1"))
    venue.switch_mode(["BTCUSDT"], hedged=True)
    assert code_of(lambda: venue.switch_mode(["BTCUSDT"], hedged=True)) == 110025


def test_each_side_has_its_own_stops() -> None:
    venue = hedged(prices={0: "100.00", 10: "97.00", 20: "103.50"})
    venue.create(at_market(1, "3", position_idx=1, stop_loss=D("98.00")))
    venue.create(at_market(-1, "2", position_idx=2, stop_loss=D("103.00")))
    assert sorted(o.request.position_idx for o in stops_of(venue)) == [1, 2]
    venue.advance(10 * NS)
    assert [p.qty for p in venue.positions_of("BTCUSDT")] == [0, -2]
    venue.advance(20 * NS)
    assert [p.qty for p in venue.positions_of("BTCUSDT")] == [0, 0]
    assert venue.open_orders() == []


def test_resting_closes_end_with_their_side() -> None:
    venue = hedged()
    venue.create(at_market(1, "3", position_idx=1))
    resting = venue.create(at_limit(-1, "3", "110.00", position_idx=1))
    other = venue.create(at_limit(-1, "3", "110.00", position_idx=2))
    assert resting.request.reduce_only
    venue.create(at_market(-1, "3", position_idx=1))
    assert (resting.status, resting.cancel_type) == (OrderStatus.CANCELLED, "CancelByReduceOnly")
    assert other.status is OrderStatus.NEW


def test_funding_is_paid_on_each_side() -> None:
    venue = hedged(prices={0: "100.00"}, settlements={50: "0.001"})
    venue.create(at_market(1, "3", position_idx=1))
    venue.create(at_market(-1, "2", position_idx=2))
    venue.advance(60 * NS)
    paid = [(f.position_idx, f.side, f.fee_usd) for f in venue.executions if f.kind == "Funding"]
    assert paid == [(1, 1, D("0.3")), (2, -1, D("-0.2"))]
    assert venue.account.funding_usd == D("-0.1")


def test_leverage_is_that_of_both_sides() -> None:
    venue = hedged()
    venue.set_leverage("BTCUSDT", D(4))
    assert [p.leverage for p in venue.positions_of("BTCUSDT")] == [4, 4]
    venue.create(at_market(1, "4", position_idx=1))
    venue.create(at_market(-1, "4", position_idx=2))
    assert venue.position_margin_usd() == 200
