"""S13: every rule at its edge."""

from __future__ import annotations

import math

import pytest

from models.errors import ConfigError
from models.market.outlook import new_outlook
from models.regimes.kernel import MARKDOWN, MARKUP, RANGE
from models.strategies import rebate_farmer as s13
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY
from tests.strategies.hand_made import market

PARAMS = s13.Params()
OUTLOOK = new_outlook()


def step(state, at_s, mid=100.0, position=0.0, entry=math.nan, orders=0, params=PARAMS, **fields):
    state.position, state.entry_price, state.open_orders = position, entry, orders
    return s13.step(market(at_s, mid, **fields), OUTLOOK, params, state)


def quoting():
    state = s13.new_state()
    step(state, 0)
    step(state, 0.25, orders=1)
    assert state.phase == s13.QUOTING
    return state


def holding(position=1.0, entry=99.5):
    """A bid (or ask) was filled, the other side is gone."""
    state = quoting()
    assert step(state, 10, position=position, entry=entry, orders=1).reason == s13.FILLED
    return state


def test_orders_rest_half_a_percent_away_on_both_sides():
    state = s13.new_state()
    bid = step(state, 0)
    ask = step(state, 0.25, mid=100.05, orders=1)
    assert (bid.action, bid.kind, bid.side, ask.side) == (PLACE, POST_ONLY, 1, -1)
    assert (bid.price, ask.price) == (pytest.approx(99.5), pytest.approx(100.5))


@pytest.mark.parametrize(
    ("regime", "quotes"), [(MARKUP, False), (MARKDOWN, False), (RANGE, True), (math.nan, True)]
)
def test_a_trend_is_not_quoted_into(regime, quotes):
    assert (step(s13.new_state(), 0, regime=regime).action == PLACE) == quotes
    assert (step(quoting(), 1, orders=2, regime=regime).action == HOLD) == quotes


@pytest.mark.parametrize(("mid", "moves"), [(100.099, False), (100.1, True), (99.9, True), (99.901, False)])
def test_orders_follow_the_mid_by_a_tenth_of_a_percent(mid, moves):
    state = quoting()
    intent = step(state, 1, mid=mid + (1e-9 if mid > 100 else -1e-9) * moves, orders=2)
    assert (intent.action == CANCEL) == moves
    if moves:
        assert step(state, 2, mid=mid, orders=1).reason == s13.WAITING
        assert step(state, 3, mid=mid).price == pytest.approx(mid * 0.995)


@pytest.mark.parametrize(("position", "entry", "target"), [(1.0, 99.5, 99.74875), (-1.0, 100.5, 100.24875)])
def test_half_the_way_back_is_asked_for(position, entry, target):
    intent = step(holding(position, entry), 11, mid=entry, position=position, entry=entry)
    assert (intent.action, intent.reduce_only, intent.reason) == (PLACE, 1, s13.TARGET_ORDER)
    assert intent.side == -position
    assert intent.price == pytest.approx(target)


def test_a_part_of_an_order_is_held_as_well():
    state = quoting()
    assert step(state, 10, position=0.1, entry=99.5, orders=2).reason == s13.FILLED


@pytest.mark.parametrize(
    ("at_s", "mid", "reason"),
    [
        (20, 99.0024, s13.STOP),
        (20, 99.0026, s13.WAITING),
        (1809.9, 99.5, s13.WAITING),
        (1810, 99.5, s13.TIME_OUT),
    ],
)
def test_stop_and_time_out(at_s, mid, reason):
    state = holding()
    step(state, 11, mid=99.5, position=1.0, entry=99.5)
    intent = step(state, at_s, mid=mid, position=1.0, entry=99.5, orders=1)
    assert (intent.action, intent.reason) == (HOLD if reason == s13.WAITING else EXIT, reason)


def test_an_exit_that_came_back_is_tried_again_and_rest_follows():
    state = holding()
    step(state, 11, mid=99.5, position=1.0, entry=99.5)
    assert step(state, 20, mid=98.0, position=1.0, entry=99.5, orders=1).action == EXIT
    assert step(state, 20.25, mid=98.0, position=1.0, entry=99.5, orders=1).reason == s13.WAITING
    assert step(state, 20.5, mid=98.0, position=1.0, entry=99.5).reason == s13.LEFT_OVER
    assert step(state, 21, mid=98.0).reason == s13.COOLDOWN
    assert step(state, 80.9, mid=98.0).reason == s13.COOLDOWN
    assert step(state, 81, mid=98.0).action == PLACE


def test_nothing_is_done_on_an_invalid_book():
    assert step(s13.new_state(), 0, mid=math.nan, valid=0).reason == s13.BOOK_INVALID
    assert step(holding(), 4000, mid=math.nan, valid=0, position=1.0, entry=99.5).reason == s13.BOOK_INVALID


@pytest.mark.parametrize("change", [{"distance_bps": 5.0}, {"capital_share": 0.021}, {"requote_bps": 60.0}])
def test_parameters_out_of_range_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        s13.check_params(PARAMS._replace(**change))
