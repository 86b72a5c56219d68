"""Money: fees, profit, funding, margin, reduce-only, liquidation; and that a session can be saved and replayed."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.tape import END_OF_MESSAGE, EVENT, FUNDING, MARK
from models.simulation.fills import parameters as fp
from models.simulation.fills.latency import entry_latency_ns, response_latency_ns
from models.simulation.fills.records import (
    ANY_TICK,
    CANCELLED,
    FILLED,
    FORCED_OUT,
    FUNDING_PAID,
    GTC,
    IOC,
    LIQUIDATED,
    NO_MARGIN,
    NOT_REDUCING,
    REJECTED,
    copy_simulator,
    new_simulator,
)
from tests.simulation.fills.venue import ASK, BID, CONSTANT, MS, START, HandVenue

LEVERAGED = CONSTANT._replace(leverage=10.0, maintenance_margin=0.005)


def long_two(parameters=CONSTANT, wallet=1000.0):
    venue = HandVenue(parameters, wallet)
    venue.order(0, 1, 1, ANY_TICK, 2.0, IOC)
    venue.depth(300, 1, BID - 2, 4.0)
    assert venue.account["position"] == pytest.approx(2.0)
    return venue


def test_a_round_trip_pays_the_spread_and_two_taker_fees():
    venue = long_two()
    venue.order(300, 2, -1, -ANY_TICK, 2.0, IOC)
    venue.finish()
    fees = 2.0 * (100.5 + 99.5) * 0.00055
    assert venue.account["realised"] == pytest.approx(-2.0)
    assert venue.account["wallet"] == pytest.approx(1000.0 - 2.0 - fees)
    assert (venue.account["position"], venue.account["entry_value"]) == (0.0, 0.0)


def test_a_fill_through_zero_opens_the_other_side_at_its_price():
    venue = long_two()
    venue.order(300, 2, -1, -ANY_TICK, 3.0, IOC)
    venue.finish()
    assert venue.account["position"] == pytest.approx(-1.0)
    assert venue.account["entry_value"] == pytest.approx(99.5)


def test_longs_pay_a_positive_rate_on_the_mark_value():
    venue = long_two()
    venue.play(400, MARK, 0, 101.0, 0.0)
    before = venue.account["wallet"]
    venue.play(401, FUNDING, 0, 0.0001, 0.0)
    venue.finish()
    assert before - venue.account["wallet"] == pytest.approx(2.0 * 101.0 * 0.0001)
    assert venue.account["funding"] == pytest.approx(0.0202)
    assert (venue.reports[-1]["kind"], venue.reports[-1]["fee"]) == (FUNDING_PAID, pytest.approx(0.0202))


def test_a_position_is_liquidated_at_the_bankruptcy_price_and_orders_go():
    venue = long_two(LEVERAGED)
    venue.order(300, 2, 1, BID - 2, 0.1)
    price = 100.5 * (1 - 0.1 + 0.005)
    venue.play(500, MARK, 0, price + 0.01, 0.0)
    assert venue.account["position"] == pytest.approx(2.0)
    venue.play(501, MARK, 0, price, 0.0)
    venue.finish()
    assert (venue.account["position"], venue.account["liquidations"], venue.account["n_orders"]) == (
        0.0,
        1,
        0,
    )
    assert venue.account["realised"] == pytest.approx(-2.0 * 10.05)
    assert venue.kinds()[-2:] == [LIQUIDATED, CANCELLED]
    assert venue.reports[-1]["reason"] == FORCED_OUT
    assert venue.account["known_position"] == 0.0


def test_the_mid_stands_in_for_a_missing_mark():
    venue = long_two(LEVERAGED)
    assert venue.account["mark"] == 100.0
    venue.play(400, MARK, 0, 98.0, 0.0)
    venue.play(401, END_OF_MESSAGE, 0, 0.0, 0.0)
    assert venue.account["mark"] == 98.0


def test_an_order_beyond_the_margin_is_rejected():
    venue = HandVenue(LEVERAGED, wallet=100.0)
    venue.order(0, 1, 1, BID, 9.0)
    venue.order(0, 2, 1, BID - 1, 2.0)
    venue.finish()
    assert [(r["id"], r["reason"]) for r in venue.reports if r["kind"] == REJECTED] == [(2, NO_MARGIN)]


def test_reduce_only_never_opens():
    venue = HandVenue()
    venue.order(0, 1, -1, ASK, 1.0, GTC, 1)
    venue.finish()
    assert [r["reason"] for r in venue.reports] == [NOT_REDUCING]
    venue = long_two()
    venue.order(300, 2, -1, ASK, 5.0, GTC, 1)
    venue.order(310, 3, -1, -ANY_TICK, 1.5, IOC)
    venue.depth(500, 1, BID - 2, 4.0)
    venue.trade(510, 1, ASK + 1, 1.0)
    venue.finish()
    assert venue.account["position"] == 0.0
    assert sum(r["quantity"] for r in venue.reports if r["kind"] == FILLED and r["id"] == 2) == pytest.approx(
        0.5
    )
    assert (venue.reports[-2]["kind"], venue.reports[-2]["reason"]) == (CANCELLED, NOT_REDUCING)


@pytest.mark.parametrize("model", [fp.UNIFORM, fp.LOGNORMAL])
def test_latencies_stay_in_range_and_depend_on_seed_and_number_only(model):
    p = fp.FillParameters(tick_size=0.5, lot_size=0.1, latency_model=model, seed=4)
    way_in = np.array([entry_latency_ns(p, k) for k in range(2000)]) / MS
    way_out = np.array([response_latency_ns(p, k) for k in range(2000)]) / MS
    assert way_in.min() >= 50.0
    assert way_in.max() <= 150.0
    middle = 100.0 if model == fp.UNIFORM else 80.0
    assert np.median(way_in) == pytest.approx(middle, rel=0.05)
    assert abs(np.corrcoef(way_in, way_out)[0, 1]) < 0.1
    assert entry_latency_ns(p, 7) == int(way_in[7] * MS)
    assert entry_latency_ns(p._replace(seed=5), 7) != int(way_in[7] * MS)


def test_reports_keep_their_order_and_are_not_known_early():
    venue = HandVenue(CONSTANT._replace(latency_model=fp.UNIFORM), feed_ms=5.0)
    for k in range(1, 40):
        venue.order(10 * k, k, 1, BID - 2, 0.1)
    for k in range(1, 100):
        venue.depth(10 * k, 1, BID - 1, float(k))
    venue.finish()
    assert [r["id"] for r in venue.reports] == list(range(1, 40))
    assert all(r["local_ms"] >= r["exch_ms"] + 50.0 for r in venue.reports)


def test_a_venue_clock_that_is_ahead_makes_nothing_faster():
    venue = HandVenue(feed_ms=-1400.0)
    venue.order(-1400, 1, 1, BID, 1.0)
    venue.depth(99, 1, BID - 2, 4.0)
    assert venue.account["n_orders"] == 0
    venue.depth(101, 1, BID - 2, 5.0)
    assert venue.account["n_orders"] == 1
    venue.finish()
    assert venue.reports[0]["local_ns"] == START + (101 - 1400 + 50) * MS


def test_a_saved_session_goes_on_identically():
    first = long_two(LEVERAGED)
    saved = copy_simulator(first.sim)
    book = first.book.copy()
    first.trade(500, -1, BID, 3.0)
    second = HandVenue(LEVERAGED)
    second.sim, second.book = saved, book
    second.trade(500, -1, BID, 3.0)
    for mine, other in zip(first.sim, second.sim, strict=True):
        assert mine.tobytes() == other.tobytes()


def test_impossible_venues_are_refused():
    with pytest.raises(ConfigError, match="expected entry_min_ms from 0 to 80, was 90"):
        new_simulator(CONSTANT._replace(entry_min_ms=90.0, entry_median_ms=80.0), 1.0)
    with pytest.raises(ConfigError, match="power of two"):
        new_simulator(CONSTANT, 1.0, reports=1000)
    assert EVENT.itemsize == 40
