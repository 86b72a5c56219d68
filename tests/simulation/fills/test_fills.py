"""What happens to orders: queue, partial fills, trade-through, post-only, races, amends, taking."""

from __future__ import annotations

import pytest

from models.market.tape import END_OF_MESSAGE, GAP, SNAPSHOT, SNAPSHOT_START
from models.simulation.fills.records import (
    ACCEPTED,
    AMEND_REJECTED,
    AMENDED,
    ANY_TICK,
    BOOK_INVALID,
    CANCEL_REJECTED,
    CANCELLED,
    DUPLICATE,
    FILLED,
    FOK,
    GTC,
    IOC,
    NOT_FILLED,
    NOT_THERE,
    REJECTED,
    WOULD_TAKE,
)
from tests.simulation.fills.venue import ASK, BID, CONSTANT, HandVenue


def resting(quantity=1.0):
    venue = HandVenue()
    venue.order(0, 1, 1, BID, quantity)
    venue.depth(200, -1, ASK, 5.0)
    assert venue.kinds() == [ACCEPTED]
    return venue


def test_a_print_fills_only_beyond_the_queue_ahead():
    venue = resting()
    venue.trade(300, -1, BID, 5.0)
    assert venue.account["fills"] == 0
    venue.trade(301, -1, BID, 0.4)
    venue.trade(302, -1, BID, 7.0)
    venue.finish()
    fills = venue.reports[1:]
    assert [(r["kind"], r["quantity"], r["leaves"], r["maker"]) for r in fills] == [
        (FILLED, pytest.approx(0.4), pytest.approx(0.6), 1),
        (FILLED, pytest.approx(0.6), 0.0, 1),
    ]
    assert venue.account["position"] == pytest.approx(1.0)


def test_without_partial_fills_a_print_beyond_the_queue_fills_whole():
    venue = HandVenue(CONSTANT._replace(partial_fills=0))
    venue.order(0, 1, 1, BID, 1.0)
    venue.trade(300, -1, BID, 5.1)
    venue.finish()
    assert venue.reports[-1]["quantity"] == pytest.approx(1.0)


def test_a_trade_through_the_price_fills_whole_at_the_price():
    venue = resting(3.0)
    venue.trade(300, -1, BID - 1, 0.1)
    venue.finish()
    assert (venue.reports[-1]["quantity"], venue.reports[-1]["price"]) == (3.0, BID / 2)


def test_an_opposite_quote_at_the_price_fills_whole():
    venue = resting(2.0)
    venue.depth(300, 1, BID, 0.0)
    venue.depth(301, -1, BID, 1.0)
    venue.finish()
    assert venue.reports[-1]["quantity"] == 2.0


def test_prints_of_the_own_side_fill_nothing():
    venue = resting()
    venue.trade(300, 1, BID, 100.0)
    assert venue.account["fills"] == 0


def test_a_shrinking_level_bounds_the_queue():
    venue = resting()
    venue.depth(300, 1, BID, 0.5)
    venue.depth(301, 1, BID, 9.0)
    venue.trade(302, -1, BID, 0.7)
    venue.finish()
    assert venue.reports[-1]["quantity"] == pytest.approx(0.2)


def test_a_snapshot_does_not_move_an_order_to_the_front():
    venue = resting()
    venue.play(300, SNAPSHOT_START, 0, 0.0, 0.0)
    venue.play(300, SNAPSHOT, 1, BID / 2, 8.0)
    venue.play(300, SNAPSHOT, -1, ASK / 2, 8.0)
    venue.play(300, END_OF_MESSAGE, 0, 0.0, 0.0)
    venue.trade(301, -1, BID, 5.0)
    assert venue.account["fills"] == 0


def test_two_own_orders_at_one_price_share_a_print():
    venue = resting()
    venue.order(200, 2, 1, BID, 1.0)
    venue.trade(400, -1, BID, 6.4)
    venue.finish()
    filled = {r["id"]: r["quantity"] for r in venue.reports if r["kind"] == FILLED}
    assert filled == {1: pytest.approx(1.0), 2: pytest.approx(0.4)}


def test_post_only_that_would_take_is_rejected_after_the_latency():
    venue = HandVenue()
    venue.order(0, 1, 1, ASK, 1.0)
    venue.depth(99, 1, BID - 2, 4.0)
    venue.depth(149, 1, BID - 2, 5.0)
    assert venue.reports == []
    venue.depth(150, 1, BID - 2, 4.0)
    [report] = venue.reports
    assert (report["kind"], report["reason"], report["exch_ms"], report["local_ms"]) == (
        REJECTED,
        WOULD_TAKE,
        100,
        150,
    )


def test_post_only_is_judged_by_the_book_at_arrival_not_at_sending():
    venue = HandVenue()
    venue.order(0, 1, 1, ASK, 1.0)
    venue.depth(50, -1, ASK, 0.0)
    venue.finish()
    assert venue.kinds() == [ACCEPTED]


def test_a_cancel_loses_against_a_fill_before_it_arrives():
    venue = resting()
    venue.cancel(250, 1)
    venue.trade(300, -1, BID - 1, 0.1)
    venue.finish()
    assert venue.kinds() == [ACCEPTED, FILLED, CANCEL_REJECTED]
    assert venue.reports[-1]["reason"] == NOT_THERE


def test_a_cancel_wins_against_a_print_after_it_arrived():
    venue = resting()
    venue.cancel(250, 1)
    venue.trade(351, -1, BID - 1, 0.1)
    venue.finish()
    assert venue.kinds() == [ACCEPTED, CANCELLED]
    assert venue.account["position"] == 0.0


def test_cancel_and_replace_can_both_be_filled():
    venue = resting()
    venue.cancel(250, 1)
    venue.order(250, 2, 1, BID - 1, 1.0)
    venue.trade(300, -1, BID - 1, 0.1)
    venue.trade(400, -1, BID - 2, 0.1)
    venue.finish()
    assert venue.account["position"] == pytest.approx(2.0)


def test_amending_down_keeps_the_place_and_elsewhere_loses_it():
    venue = resting()
    venue.trade(210, -1, BID, 5.0)
    venue.amend(220, 1, BID, 0.5)
    venue.trade(330, -1, BID, 0.2)
    venue.amend(340, 1, BID - 1, 0.5)
    venue.trade(500, -1, BID - 1, 5.0)
    venue.finish()
    assert venue.kinds() == [ACCEPTED, AMENDED, FILLED, AMENDED]
    assert venue.reports[2]["quantity"] == pytest.approx(0.2)


def test_amending_into_the_market_or_after_the_fill_is_rejected():
    venue = resting()
    venue.amend(210, 1, ASK, 1.0)
    venue.trade(330, -1, BID - 1, 1.0)
    venue.amend(340, 1, BID - 1, 1.0)
    venue.finish()
    rejected = [r["reason"] for r in venue.reports if r["kind"] == AMEND_REJECTED]
    assert rejected == [WOULD_TAKE, NOT_THERE]


def test_a_market_order_walks_the_book_as_taker():
    venue = HandVenue()
    venue.order(0, 1, 1, ANY_TICK, 7.0, IOC)
    venue.finish()
    fills = [(r["price"], r["quantity"], r["maker"]) for r in venue.reports if r["kind"] == FILLED]
    assert fills == [(100.5, 5.0, 0), (101.0, 2.0, 0)]
    assert venue.account["fees"] == pytest.approx((502.5 + 202.0) * 0.00055)


def test_what_cannot_be_taken_of_an_ioc_is_cancelled_and_of_a_fok_all():
    venue = HandVenue()
    venue.order(0, 1, 1, ASK, 6.0, IOC)
    venue.order(0, 2, 1, ASK, 6.0, FOK)
    venue.finish()
    assert [(r["id"], r["kind"], r["reason"]) for r in venue.reports if r["kind"] != ACCEPTED] == [
        (1, FILLED, 0),
        (1, CANCELLED, NOT_FILLED),
        (2, CANCELLED, NOT_FILLED),
    ]


def test_the_rest_of_a_taking_limit_order_rests():
    venue = HandVenue()
    venue.order(0, 1, 1, ASK, 6.0, GTC)
    venue.trade(300, -1, ASK - 1, 0.1)
    venue.finish()
    assert [(r["quantity"], r["maker"]) for r in venue.reports if r["kind"] == FILLED] == [(5.0, 0), (1.0, 1)]


def test_nothing_is_accepted_on_a_gapped_book():
    venue = HandVenue()
    venue.play(10, GAP, 0, 0.0, 0.0)
    venue.order(20, 1, 1, BID, 1.0)
    venue.finish()
    assert (venue.kinds(), venue.reports[0]["reason"]) == ([REJECTED], BOOK_INVALID)


def test_an_id_in_use_is_rejected():
    venue = resting()
    venue.order(200, 1, 1, BID - 1, 1.0)
    venue.finish()
    assert venue.reports[-1]["reason"] == DUPLICATE


def test_requests_under_way_beyond_the_ring_are_noticed():
    venue = HandVenue()
    for k in range(300):
        venue.cancel(0, k)
    assert venue.account["overflowed"] == 1
