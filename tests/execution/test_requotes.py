"""From quotes to requests: nothing when nothing changed, never more than wanted, never beyond the rate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from models.execution.quotes import LAYERED, QuoteParams, plan_quotes
from models.execution.rate_budget import RateBudget, Room
from models.execution.requotes import OpenQuote, Requests, reconcile_quotes
from tests.execution.situations import NOW, NS, layerings, situation, situations

PARAMS = QuoteParams(LAYERED, requote_ticks=2, max_age_s=30.0)
AMPLE = Room(100, 100)


def resting(*prices, qty="0.30", age_s=0):
    return [OpenQuote(f"o{i}", D(price), D(qty), NOW - age_s * NS) for i, price in enumerate(prices)]


def requests(subject, open_quotes, room=AMPLE, params=PARAMS):
    return reconcile_quotes(plan_quotes(subject, params), open_quotes, room, params, subject)


def test_an_empty_book_gets_every_layer():
    assert [q.price for q in requests(situation(), []).places] == [D("99.9"), D("99.8"), D("99.6")]


def test_a_move_below_the_distance_is_left_alone_until_it_is_old():
    subject = situation(bid="100.0", ask="100.2")  # all layers are off by one tick, two are allowed
    layers = resting("99.9", "99.8", "99.6")
    assert requests(subject, layers) == Requests((), ())
    old = resting("99.9", "99.8", "99.6", age_s=31)
    # The one at 99.9 stands exactly where the second layer is wanted now.
    assert requests(subject, old).cancels == ("o1", "o2")


def test_an_old_quote_at_its_price_keeps_its_place_in_the_queue():
    assert requests(situation(), resting("99.9", "99.8", "99.6", age_s=3600)) == Requests((), ())


def test_a_requote_waits_until_the_old_one_is_gone():
    subject = situation("0.50", bid="100.5", ask="100.7")
    params = QuoteParams()
    old = resting("99.9", qty="0.50")
    assert requests(subject, old, params=params) == Requests((), ("o0",))
    assert [q.price for q in requests(subject, [], params=params).places] == [D("100.5")]


def test_pulled_quotes_are_all_cancelled_nearest_first():
    subject = situation(book_at_ns=NOW - 60 * NS)
    assert requests(subject, resting("99.6", "99.9", "99.8")).cancels == ("o1", "o2", "o0")


def test_too_much_open_is_cut_from_behind():
    layers = resting("99.9", "99.8", "99.6", qty="0.30")
    assert requests(situation("0.60"), layers) == Requests((), ("o2",))


def test_the_rate_limits_both_kinds():
    found = requests(situation("3.00"), resting("98.0", "97.9", "97.8"), Room(1, 2))
    assert (len(found.places), len(found.cancels)) == (1, 2)
    assert requests(situation("3.00"), resting("98.0"), Room(0, 0)) == Requests((), ())


@st.composite
def cases(draw):
    subject, params = draw(situations()), draw(layerings())
    tick, step = subject.instrument.tick_size, subject.instrument.qty_step
    touch = subject.bid if subject.side > 0 else subject.ask
    open_quotes = [
        OpenQuote(
            f"o{i}",
            max(tick, touch - subject.side * draw(st.integers(-5, 8)) * tick),
            draw(st.integers(1, 2000)) * step,
            NOW - draw(st.integers(0, 60)) * NS,
        )
        for i in range(draw(st.integers(0, 5)))
    ]
    room = Room(draw(st.integers(0, 6)), draw(st.integers(0, 6)))
    return subject, params, open_quotes, room


@given(cases())
def test_never_more_than_wanted_nor_than_the_rate_and_never_crossing(case):
    subject, params, open_quotes, room = case
    found = requests(subject, open_quotes, room, params)
    assert len(found.places) <= room.places
    assert len(found.cancels) <= room.cancels
    assert set(found.cancels) <= {order.key for order in open_quotes}
    open_qty = sum(order.remaining for order in open_quotes)
    assert open_qty + sum(q.qty for q in found.places) <= max(subject.qty, open_qty)
    for quote in found.places:
        assert quote.price <= subject.bid if subject.side > 0 else quote.price >= subject.ask
        assert quote.qty * quote.price >= subject.instrument.min_notional_usd
        assert quote.qty >= subject.instrument.min_order_qty


@given(cases())
def test_it_comes_to_rest_and_stays_there(case):
    """Confirmed again and again, with an ample rate, the requests run dry; what rests is at most what is wanted."""
    subject, params, open_quotes, _ = case
    for number in range(4):
        found = requests(subject, open_quotes, AMPLE, params)
        open_quotes = [order for order in open_quotes if order.key not in found.cancels]
        open_quotes += [OpenQuote(f"n{number}{i}", q.price, q.qty, NOW) for i, q in enumerate(found.places)]
    assert requests(subject, open_quotes, AMPLE, params) == Requests((), ())
    assert sum(order.remaining for order in open_quotes) <= subject.qty
    assert len({order.price for order in open_quotes}) <= len(params.layers)


@given(situations(), layerings())
def test_what_was_just_placed_is_left_alone(subject, params):
    placed = requests(subject, [], AMPLE, params).places
    rest = [OpenQuote(str(i), q.price, q.qty, NOW) for i, q in enumerate(placed)]
    later = replace(subject, now_ns=NOW + 5 * NS)
    assert requests(later, rest, AMPLE, params) == Requests((), ())


@given(st.lists(st.tuples(st.integers(0, 3 * NS), st.integers(0, 20)), max_size=40), st.integers(1, 20))
def test_no_rolling_second_holds_more_than_the_rate(steps, per_s):
    budget, now_ns, sent = RateBudget(per_s), NOW, []
    for wait_ns, wanted in steps:
        now_ns += wait_ns
        count = min(wanted, budget.available(now_ns))
        budget = budget.spent(now_ns, count)
        sent += [now_ns] * count
    for at_ns in sent:
        assert sum(at_ns <= other < at_ns + NS for other in sent) <= per_s
