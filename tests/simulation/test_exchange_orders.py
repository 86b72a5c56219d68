from __future__ import annotations

from decimal import Decimal

import pytest

from models.simulation.exchange.engine import MAKER_FEE, TAKER_FEE, Exchange
from models.simulation.exchange.orders import Order, OrderRequest, OrderStatus, Rejection
from tests.simulation.scripted import ScriptedMarket

D = Decimal
NS = 1_000_000


def exchange(prices: dict[int, str] | None = None, **market: object) -> Exchange:
    return Exchange(ScriptedMarket(prices or {0: "100.00"}, **market), D("100000"), 0)  # type: ignore[arg-type]


def market_order(side: int, qty: str, **more: object) -> OrderRequest:
    return OrderRequest("BTCUSDT", side, "Market", D(qty), time_in_force="IOC", **more)  # type: ignore[arg-type]


def limit_order(side: int, qty: str, price: str, **more: object) -> OrderRequest:
    return OrderRequest("BTCUSDT", side, "Limit", D(qty), D(price), **more)  # type: ignore[arg-type]


def refused(venue: Exchange, request: OrderRequest) -> int:
    with pytest.raises(Rejection) as caught:
        venue.create(request)
    assert caught.value.message
    return caught.value.code


def test_market_order_walks_the_book() -> None:
    venue = exchange(depth="2")
    order = venue.create(market_order(1, "5"))
    assert order.status is OrderStatus.FILLED
    assert [(fill.price, fill.qty) for fill in venue.executions] == [
        (D("100.10"), D(2)), (D("100.20"), D(2)), (D("100.30"), D(1)),
    ]  # fmt: skip
    assert order.average_price == (D("100.10") * 2 + D("100.20") * 2 + D("100.30")) / 5
    assert all(fill.fee_usd == fill.value_usd * TAKER_FEE for fill in venue.executions)
    assert [fill.leaves_qty for fill in venue.executions] == [3, 1, 0]


def test_market_order_beyond_the_book_is_cancelled_with_what_it_got() -> None:
    venue = exchange(depth="1")
    order = venue.create(market_order(-1, "7"))
    assert (order.status, order.filled_qty, order.reject_reason) == (
        OrderStatus.CANCELLED,
        5,
        "EC_NoImmediateQtyToFill",
    )
    assert order.remaining == 0
    assert venue.position("BTCUSDT").qty == -5


def test_market_order_stays_within_the_slippage_bound() -> None:
    venue = exchange(mark_shift="-5")  # mark 95: nothing above 99.75 is bought
    order = venue.create(market_order(1, "1"))
    assert (order.status, order.filled_qty) == (OrderStatus.CANCELLED, 0)


def test_crossing_limit_takes_up_to_its_price_and_rests() -> None:
    venue = exchange(depth="2")
    order = venue.create(limit_order(1, "5", "100.20"))
    assert (order.status, order.filled_qty, order.remaining) == (OrderStatus.PARTIALLY_FILLED, 4, 1)
    assert venue.open_orders() == [order]


@pytest.mark.parametrize(("terms", "filled"), [("IOC", 4), ("FOK", 0)])
def test_ioc_and_fok(terms: str, filled: int) -> None:
    venue = exchange(depth="2")
    order = venue.create(limit_order(1, "5", "100.20", time_in_force=terms))
    assert (order.status, order.filled_qty) == (OrderStatus.CANCELLED, filled)


def test_post_only_that_would_take_is_cancelled_and_not_refused() -> None:
    venue = exchange()
    crossing = venue.create(limit_order(1, "1", "100.10", time_in_force="PostOnly"))
    assert (crossing.status, crossing.reject_reason) == (
        OrderStatus.CANCELLED,
        "EC_PostOnlyWillTakeLiquidity",
    )
    resting = venue.create(limit_order(1, "1", "100.00", time_in_force="PostOnly"))
    assert (resting.status, venue.executions) == (OrderStatus.NEW, [])


@pytest.mark.parametrize(("side", "price", "reached"), [(1, "99.90", "99.80"), (-1, "100.30", "100.40")])
def test_resting_order_fills_once_a_trade_goes_beyond_its_price(side: int, price: str, reached: str) -> None:
    venue = exchange({0: "100.00", 10: price, 20: reached, 30: "100.00"})
    order = venue.create(limit_order(side, "2", price))
    venue.advance(15 * NS)  # traded at the price: the queue went first
    assert order.status is OrderStatus.NEW
    venue.advance(30 * NS)
    fill = venue.executions[0]
    assert (fill.price, fill.qty, fill.is_maker, fill.at_ns) == (D(price), 2, True, 20 * NS)
    assert fill.fee_usd == fill.value_usd * MAKER_FEE
    assert venue.now_ns == 30 * NS


def test_cancel_by_either_id_and_only_once() -> None:
    venue = exchange()
    first = venue.create(limit_order(1, "1", "90.00", link_id="a"))
    second = venue.create(limit_order(1, "1", "90.00", link_id="b"))
    assert venue.cancel("BTCUSDT", order_id=first.order_id, link_id="b") is first  # orderId wins
    assert venue.cancel("BTCUSDT", link_id="b") is second
    assert {order.status for order in (first, second)} == {OrderStatus.CANCELLED}
    for ids in ({"order_id": first.order_id}, {"link_id": "nobody"}):
        with pytest.raises(Rejection) as caught:
            venue.cancel("BTCUSDT", **ids)
        assert caught.value.code == 110001


def test_cancelled_order_never_fills() -> None:
    venue = exchange({0: "100.00", 20: "80.00"})
    order = venue.create(limit_order(1, "1", "90.00"))
    venue.cancel("BTCUSDT", order.order_id)
    venue.advance(100 * NS)
    assert venue.executions == []


def test_checks_of_steps_minima_and_words() -> None:
    venue = exchange()
    assert refused(venue, market_order(1, "0.0005")) == 10001  # below the minimum
    assert refused(venue, market_order(1, "0.1005")) == 10001  # off the step
    assert refused(venue, market_order(1, "501")) == 10001  # above the market maximum
    assert refused(venue, limit_order(1, "1", "99.95")) == 10001  # off the tick
    assert refused(venue, limit_order(1, "1", "9999999.90")) == 110003
    assert refused(venue, limit_order(1, "0.05", "99.90")) == 110094  # worth 4.995
    assert refused(venue, limit_order(1, "1", "90.00", link_id="x" * 37)) == 10001
    assert refused(venue, limit_order(1, "1", "90.00", link_id="a b")) == 10001
    assert refused(venue, limit_order(1, "1", "90.00", time_in_force="GTX")) == 10001
    assert refused(venue, limit_order(1, "1", "90.00", trigger_price=D("95"), trigger_direction=0)) == 10001
    assert refused(venue, limit_order(1, "1", "90.00", trigger_by="IndexPrice")) == 10001
    assert refused(venue, OrderRequest("BTCUSDT", 1, "Limit", D(1))) == 10001
    assert refused(venue, OrderRequest("NOPEUSDT", 1, "Market", D(1))) == 10001
    assert venue.orders == {}


def test_a_client_id_is_used_once_for_ever() -> None:
    venue = exchange()
    venue.create(limit_order(1, "1", "90.00", link_id="once"))
    venue.cancel("BTCUSDT", link_id="once")
    assert refused(venue, limit_order(1, "1", "90.00", link_id="once")) == 110072


def test_margin_counts_positions_and_resting_orders() -> None:
    venue = exchange()
    venue.create(limit_order(1, "900", "90.00"))
    assert venue.order_margin_usd() == D("8100.00")
    broke = Exchange(ScriptedMarket({0: "100.00"}), D("100"), 0)
    assert refused(broke, market_order(1, "10.5")) == 110007
    assert broke.create(market_order(1, "9")).status is OrderStatus.FILLED
    assert refused(broke, limit_order(1, "2", "100.00")) == 110007
    # Closing needs no margin.
    assert broke.create(market_order(-1, "9")).status is OrderStatus.FILLED


def test_leverage() -> None:
    venue = exchange()
    for leverage, code in (("10", 110043), ("101", 110013), ("0.5", 110013)):
        with pytest.raises(Rejection) as caught:
            venue.set_leverage("BTCUSDT", D(leverage))
        assert caught.value.code == code
    venue.set_leverage("BTCUSDT", D(5))
    venue.create(market_order(1, "10"))
    assert venue.position_margin_usd() == D(200)


def test_reduce_only() -> None:
    venue = exchange()
    assert refused(venue, market_order(-1, "1", reduce_only=True)) == 110017
    venue.create(market_order(1, "3"))
    assert refused(venue, market_order(1, "1", reduce_only=True)) == 110017
    resting = venue.create(limit_order(-1, "2", "110.00", reduce_only=True))
    closing = venue.create(market_order(-1, "50", reduce_only=True))
    assert (closing.qty, closing.status) == (3, OrderStatus.FILLED)
    assert venue.position("BTCUSDT").qty == 0
    assert (resting.status, resting.cancel_type) == (OrderStatus.CANCELLED, "CancelByReduceOnly")


def test_reduce_only_is_exempt_from_the_minimum_notional() -> None:
    venue = exchange()
    venue.create(market_order(1, "0.06"))
    venue.create(market_order(-1, "0.02", reduce_only=True))
    assert venue.position("BTCUSDT").qty == D("0.04")


def test_close_everything_with_quantity_zero() -> None:
    venue = exchange()
    venue.create(market_order(-1, "3"))
    order = venue.create(market_order(1, "0", reduce_only=True, close_on_trigger=True))
    assert (order.qty, venue.position("BTCUSDT").qty) == (3, 0)


def test_conditional_order_waits_triggers_and_trades() -> None:
    venue = exchange({0: "100.00", 10: "103.00", 20: "105.00"})
    request = market_order(1, "1", trigger_price=D("104.00"), trigger_direction=1)
    order = venue.create(request)
    assert (order.status, order.stop_order_type, venue.order_margin_usd()) == (
        OrderStatus.UNTRIGGERED,
        "Stop",
        0,
    )
    venue.advance(15 * NS)
    assert order.status is OrderStatus.UNTRIGGERED
    venue.advance(20 * NS)
    assert (order.status, order.average_price) == (OrderStatus.FILLED, D("105.10"))


def test_triggers_on_the_wrong_side_are_refused() -> None:
    venue = exchange()
    assert refused(venue, market_order(1, "1", trigger_price=D("99.00"), trigger_direction=1)) == 110093
    assert refused(venue, market_order(1, "1", trigger_price=D("101.00"), trigger_direction=2)) == 110092


def test_trigger_by_mark_price_looks_at_the_mark() -> None:
    venue = exchange({0: "100.00", 10: "101.00"}, mark_shift="3")
    order = venue.create(
        market_order(-1, "1", trigger_price=D("103.50"), trigger_direction=1, trigger_by="MarkPrice")
    )
    venue.advance(10 * NS)
    assert order.status is OrderStatus.FILLED


def test_triggered_without_margin_is_cancelled() -> None:
    venue = Exchange(ScriptedMarket({0: "100.00", 10: "110.00"}), D("20"), 0)
    order = venue.create(market_order(1, "5", trigger_price=D("105.00"), trigger_direction=1))
    venue.advance(10 * NS)
    assert (order.status, order.reject_reason) == (OrderStatus.CANCELLED, "EC_NoEnoughBalance")


def test_at_most_ten_conditional_orders_of_a_symbol() -> None:
    venue = exchange()
    for _ in range(10):
        venue.create(market_order(1, "1", trigger_price=D("104.00"), trigger_direction=1))
    assert refused(venue, market_order(1, "1", trigger_price=D("104.00"), trigger_direction=1)) == 110009


def stop(venue: Exchange, kind: str) -> Order | None:
    return next((order for order in venue.open_orders() if order.stop_order_type == kind), None)


def test_stop_loss_closes_the_position() -> None:
    venue = exchange({0: "100.00", 10: "98.00", 20: "96.90", 30: "120.00"})
    venue.create(market_order(1, "2", stop_loss=D("97.00"), take_profit=D("110.00")))
    loss, profit = stop(venue, "StopLoss"), stop(venue, "TakeProfit")
    assert loss is not None
    assert profit is not None
    assert (loss.request.trigger_direction, profit.request.trigger_direction) == (2, 1)
    venue.advance(40 * NS)
    assert (loss.status, loss.average_price) == (OrderStatus.FILLED, D("96.90"))
    assert (profit.status, profit.cancel_type) == (OrderStatus.DEACTIVATED, "CancelByTpSlTsClear")
    assert venue.position("BTCUSDT").qty == 0
    assert len(venue.executions) == 2


def test_take_profit_of_a_short() -> None:
    venue = exchange({0: "100.00", 10: "94.90"})
    venue.create(market_order(-1, "2", stop_loss=D("103.00"), take_profit=D("95.00")))
    venue.advance(10 * NS)
    assert venue.position("BTCUSDT").qty == 0
    assert venue.open_orders() == []


def test_stops_follow_the_position_and_go_with_it() -> None:
    venue = exchange()
    venue.create(market_order(1, "2", stop_loss=D("97.00")))
    venue.create(market_order(1, "3"))
    loss = stop(venue, "StopLoss")
    assert loss is not None
    assert loss.qty == 5
    venue.create(market_order(1, "1", stop_loss=D("98.00")))
    newer = stop(venue, "StopLoss")
    assert newer is not None
    assert (newer.request.trigger_price, newer.qty, loss.status) == (D("98.00"), 6, OrderStatus.DEACTIVATED)
    venue.create(market_order(-1, "10"))
    assert (newer.status, stop(venue, "StopLoss")) == (OrderStatus.DEACTIVATED, None)
    assert venue.position("BTCUSDT").qty == -4


def test_stops_come_with_the_fill_of_a_resting_order() -> None:
    venue = exchange({0: "100.00", 10: "99.80"})
    venue.create(limit_order(1, "2", "99.90", stop_loss=D("97.00")))
    assert stop(venue, "StopLoss") is None
    venue.advance(10 * NS)
    assert stop(venue, "StopLoss") is not None


def test_stops_on_the_wrong_side_or_with_reduce_only_are_refused() -> None:
    venue = exchange()
    assert refused(venue, market_order(1, "1", stop_loss=D("101.00"))) == 10001
    assert refused(venue, market_order(1, "1", take_profit=D("99.00"))) == 10001
    assert refused(venue, market_order(-1, "1", stop_loss=D("99.00"))) == 10001
    venue.create(market_order(1, "2"))
    assert refused(venue, market_order(-1, "1", reduce_only=True, stop_loss=D("101.00"))) == 10001


def test_set_and_remove_stops_of_a_position() -> None:
    venue = exchange()
    request = market_order(1, "0", stop_loss=D("95.00"))
    with pytest.raises(Rejection):
        venue.set_stops("BTCUSDT", request)
    venue.create(market_order(1, "2"))
    venue.set_stops("BTCUSDT", request)
    assert stop(venue, "StopLoss") is not None
    venue.set_stops("BTCUSDT", market_order(1, "0", stop_loss=D("0")))
    assert stop(venue, "StopLoss") is None
