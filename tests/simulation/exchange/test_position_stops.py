"""Partial stops and trailing stops; those of a whole position are in test_exchange_orders."""

from __future__ import annotations

import numpy as np
import pytest

from models.simulation.exchange.engine import Exchange
from models.simulation.exchange.matching import trail
from models.simulation.exchange.orders import Order, OrderRequest, OrderStatus
from models.simulation.quotes import Path
from tests.simulation.exchange.support import NS, D, at_limit, at_market, code_of, exchange, stops_of


def partial(
    stop: str | None = None, target: str | None = None, size: str = "1", **more: object
) -> OrderRequest:
    return at_market(
        0,
        size,
        tpsl_mode="Partial",
        stop_loss=None if stop is None else D(stop),
        take_profit=None if target is None else D(target),
        **more,
    )


def test_partial_stops_close_their_size_and_end_their_partner() -> None:
    venue = exchange({0: "100.00", 10: "106.00", 20: "94.00"})
    venue.create(at_market(1, "5"))
    venue.set_stops("BTCUSDT", partial("95.00", "105.00", "2"))
    venue.set_stops("BTCUSDT", partial("96.00", None, "1"))
    target = next(o for o in stops_of(venue) if o.stop_order_type == "PartialTakeProfit")
    partner = venue.orders[target.partner_id]
    venue.advance(10 * NS)
    assert (target.status, target.filled_qty, venue.position("BTCUSDT").qty) == (OrderStatus.FILLED, 2, 3)
    assert (partner.status, partner.cancel_type) == (OrderStatus.DEACTIVATED, "CancelByTpSlTsClear")
    venue.advance(20 * NS)
    assert venue.position("BTCUSDT").qty == 2
    assert stops_of(venue) == []


def test_a_partial_take_profit_may_rest_as_a_limit_order() -> None:
    venue = exchange({0: "100.00", 10: "105.00", 20: "107.20"})
    venue.create(at_market(1, "5"))
    venue.set_stops(
        "BTCUSDT",
        partial(None, "105.00", "2", take_profit_type="Limit", take_profit_limit=D("107.00")),
    )
    order = stops_of(venue)[0]
    venue.advance(10 * NS)
    assert (order.status, order.request.order_type, order.remaining) == (OrderStatus.NEW, "Limit", 2)
    venue.advance(20 * NS)
    assert (order.status, order.average_price) == (OrderStatus.FILLED, D("107.00"))
    assert venue.executions[-1].is_maker


def test_partial_stops_of_an_order_grow_with_its_fills() -> None:
    venue = exchange({0: "100.00", 10: "99.00"}, depth="2")
    order = venue.create(
        at_limit(1, "5", "100.10", tpsl_mode="Partial", stop_loss=D("90.00"), take_profit=D("120.00"))
    )
    assert sorted((o.stop_order_type, o.qty) for o in stops_of(venue)) == [
        ("PartialStopLoss", 2),
        ("PartialTakeProfit", 2),
    ]
    venue.advance(10 * NS)
    assert order.status is OrderStatus.FILLED
    assert [o.qty for o in stops_of(venue)] == [5, 5]
    venue.create(at_market(-1, "7"))
    assert stops_of(venue) == []


def test_at_most_twenty_partial_stops() -> None:
    venue = exchange()
    venue.create(at_market(1, "100"))
    for _ in range(9):
        venue.set_stops("BTCUSDT", partial("95.00", "105.00"))
    promised = at_limit(1, "1", "90.00", tpsl_mode="Partial", stop_loss=D("80.00"), take_profit=D("120.00"))
    venue.create(promised)
    assert code_of(lambda: venue.set_stops("BTCUSDT", partial("95.00"))) == 110061
    assert code_of(lambda: venue.create(promised)) == 110061


@pytest.mark.parametrize(
    "wanted",
    [
        partial("105.00"),  # a stop loss above a long's price
        partial("95.00", size="6"),
        partial("95.00", size="0.0005"),
        partial("95.00", stop_loss_type="Limit"),
        at_market(0, "0", stop_loss=D("95.00"), stop_loss_type="Limit", stop_loss_limit=D("94.00")),
        at_market(0, "0", trailing=D("0.05")),
        at_market(0, "0", stop_loss=D("95.00"), tpsl_mode="Half"),
        at_market(0, "0", stop_loss=D("95.00"), position_idx=1),
    ],
)
def test_wrong_terms_are_refused(wanted: OrderRequest) -> None:
    venue = exchange()
    venue.create(at_market(1, "5"))
    assert code_of(lambda: venue.set_stops("BTCUSDT", wanted)) == 10001
    assert stops_of(venue) == []


def trailing(venue: Exchange, distance: str, active: str | None = None) -> Order | None:
    venue.set_stops(
        "BTCUSDT", at_market(0, "0", trailing=D(distance), active_price=None if active is None else D(active))
    )
    return next((o for o in stops_of(venue) if o.stop_order_type == "TrailingStop"), None)


def test_a_trailing_stop_follows_and_closes() -> None:
    venue = exchange({0: "100.00", 10: "104.00", 20: "103.00", 30: "101.90", 40: "110.00"})
    venue.create(at_market(1, "5"))
    order = trailing(venue, "2.00")
    assert order is not None
    assert order.request.trigger_price == D("98.00")
    venue.advance(25 * NS)
    assert (order.request.trigger_price, order.status) == (D("102.00"), OrderStatus.UNTRIGGERED)
    assert venue.position_view("BTCUSDT").trailing == 2
    venue.advance(40 * NS)
    assert (order.status, order.average_price) == (OrderStatus.FILLED, D("101.90"))
    assert venue.position("BTCUSDT").qty == 0


def test_a_trailing_stop_waits_for_its_active_price() -> None:
    venue = exchange({0: "100.00", 10: "94.00", 20: "90.00", 30: "93.00", 40: "94.50"})
    venue.create(at_market(-1, "5"))
    order = trailing(venue, "4.00", active="91.00")
    assert order is not None
    venue.advance(10 * NS)
    assert order.peak is None
    venue.advance(30 * NS)
    assert (order.peak, order.request.trigger_price) == (D("90.00"), D("94.00"))
    venue.advance(40 * NS)
    assert order.status is OrderStatus.FILLED


def test_a_trailing_stop_is_replaced_and_removed() -> None:
    venue = exchange()
    venue.create(at_market(1, "5"))
    first = trailing(venue, "2.00")
    assert first is not None
    assert code_of(lambda: trailing(venue, "2.00")) == 34040
    second = trailing(venue, "3.00")
    assert first.status is OrderStatus.DEACTIVATED
    assert second is not None
    assert trailing(venue, "0") is None
    assert code_of(lambda: trailing(venue, "0")) == 34040


def test_trail_is_the_running_best_price_less_the_distance() -> None:
    generator = np.random.default_rng(5)
    for held in (1, -1):
        prices = 100 + np.cumsum(generator.normal(0, 0.5, 200)).round(1)
        path = Path(np.arange(1, 201), prices - 0.1, prices + 0.1, prices)
        request = at_market(-held, "1", trailing=D(2), trigger_price=D(1))
        order = Order("", request, D(1), 0, 0, D(100), peak=D(100))
        at, peaks = trail(path, order, D("0.10"))
        best = 100.0
        for k in range(200):
            worst = path.low[k] if held > 0 else path.high[k]
            if (best - worst) * held >= 2 - 1e-9:
                break
            best = max(best, path.high[k]) if held > 0 else min(best, path.low[k])
            assert peaks[k + 1] == best
        else:
            k = None
        assert at == k
