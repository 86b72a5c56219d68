"""S12: every rule at its edge."""

from __future__ import annotations

import math

import pytest

from models.errors import ConfigError
from models.market.outlook import new_outlook
from models.strategies import inventory_neutral_mm as s12
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY
from tests.strategies.hand_made import market

PARAMS = s12.Params()
OUTLOOK = new_outlook()
CALM = {"flow_imbalance": 0.0, "vpin_rank": 0.5, "cascade_side": 0.0}


def step(state, at_s, mid=100.0, position=0.0, entry=math.nan, orders=0, params=PARAMS, **fields):
    state.position, state.entry_price, state.open_orders = position, entry, orders
    return s12.step(market(at_s, mid, **(CALM | fields)), OUTLOOK, params, state)


def warm():
    """A state that has seen a minute of a mid that stands still."""
    state = s12.new_state()
    step(state, 0, flow_imbalance=1.0)
    step(state, 61, flow_imbalance=1.0)
    return state


def quoting():
    state = warm()
    step(state, 62)
    step(state, 62.25, orders=1)
    assert state.phase == s12.QUOTING
    return state


def test_a_bid_and_then_an_ask_stand_at_the_least_half_spread_about_one_mid():
    state = warm()
    bid = step(state, 62)
    assert (bid.action, bid.kind, bid.side, bid.reason) == (PLACE, POST_ONLY, 1, s12.BID)
    ask = step(state, 62.25, mid=100.001, orders=1)
    assert (ask.side, ask.reason) == (-1, s12.ASK)
    assert (bid.price, ask.price) == (pytest.approx(99.97), pytest.approx(100.03))


def test_nothing_is_quoted_before_volatility_is_known():
    state = s12.new_state()
    assert step(state, 0).reason == s12.SIGMA_UNKNOWN
    assert step(state, 59.9).reason == s12.SIGMA_UNKNOWN
    # What was seen fades as well: a little more than a minute is a minute.
    assert step(state, 60).reason == s12.SIGMA_UNKNOWN
    assert step(state, 60.2).action == PLACE


@pytest.mark.parametrize(
    ("variance", "expected"),
    [(0.0, 3.0), (1e-8 / 30, 3.0), (6.4e-7 / 30 * 1.0, 4.0), (1.0, 25.0)],
)
def test_the_half_spread_is_half_the_move_until_the_refresh_within_bounds(variance, expected):
    assert s12.half_spread_bps(PARAMS, variance) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, s12.NO_SIGNAL),
        ({"flow_imbalance": 0.3}, s12.NO_SIGNAL),
        ({"flow_imbalance": -0.31}, s12.FLOW_UNBALANCED),
        ({"flow_imbalance": math.nan}, s12.FLOW_UNBALANCED),
        ({"vpin_rank": 0.7}, s12.NO_SIGNAL),
        ({"vpin_rank": 0.71}, s12.FLOW_UNBALANCED),
        ({"vpin_rank": math.nan}, s12.FLOW_UNBALANCED),
        ({"cascade_side": -1.0}, s12.FLOW_UNBALANCED),
        ({"spread_bps": 20.0}, s12.NO_SIGNAL),
        ({"spread_bps": 20.1}, s12.SPREAD_TOO_WIDE),
        ({"spread_bps": math.nan}, s12.SPREAD_TOO_WIDE),
    ],
)
def test_only_balanced_flow_is_quoted(fields, reason):
    assert s12.refusal(market(0, **(CALM | fields)), PARAMS) == reason
    state = warm()
    assert step(state, 62, **fields).action == (PLACE if reason == s12.NO_SIGNAL else HOLD)


@pytest.mark.parametrize(
    ("at_s", "mid", "fields", "orders", "reason"),
    [
        (91.9, 100.0, {}, 2, s12.NO_SIGNAL),
        (92.0, 100.0, {}, 2, s12.REFRESH),
        (70.0, 100.019, {}, 2, s12.NO_SIGNAL),
        (70.0, 100.021, {}, 2, s12.MID_MOVED),
        (70.0, 100.0, {"flow_imbalance": 0.5}, 2, s12.FLOW_UNBALANCED),
        (70.0, 100.0, {}, 1, s12.FILLED),
    ],
)
def test_when_quotes_are_taken_back(at_s, mid, fields, orders, reason):
    intent = step(quoting(), at_s, mid=mid, orders=orders, **fields)
    assert (intent.action, intent.reason) == (HOLD if reason == s12.NO_SIGNAL else CANCEL, reason)


def test_quotes_are_renewed_only_when_the_old_ones_are_gone():
    state = quoting()
    assert step(state, 92, orders=2).action == CANCEL
    assert step(state, 92.25, orders=1).reason == s12.WAITING
    assert step(state, 92.5, orders=0).reason == s12.BID


def test_inventory_alone_is_quoted_out_nearer_to_the_mid_with_age():
    state = quoting()
    assert step(state, 70, position=1.0, entry=99.97, orders=1).reason == s12.FILLED
    out = step(state, 70.25, position=1.0, entry=99.97)
    assert (out.side, out.reduce_only, out.reason) == (-1, 1, s12.QUOTE_OUT)
    assert out.price == pytest.approx(100.03, abs=1e-4)
    # Half of the time stop later the whole half spread is given up.
    step(state, 370, position=1.0, entry=99.97, orders=1)
    late = step(state, 370.25, position=1.0, entry=99.97)
    assert late.price == pytest.approx(100.0, abs=1e-6)


@pytest.mark.parametrize(
    ("at_s", "mid", "reason"),
    [(80, 99.67, s12.STOP), (80, 99.6701, None), (670.1, 99.97, s12.TIME_OUT), (669.9, 99.97, None)],
)
def test_stop_and_time_out_close_at_the_market(at_s, mid, reason):
    state = quoting()
    step(state, 70, position=1.0, entry=99.97, orders=1)
    intent = step(state, at_s, mid=mid - (1e-9 if reason else 0.0), position=1.0, entry=99.97)
    assert (intent.action == EXIT) == (reason is not None)
    if reason is not None:
        assert intent.reason == reason
        assert step(state, at_s + 1, mid=mid, position=1.0, entry=99.97).reason == s12.LEFT_OVER
        assert step(state, at_s + 2, mid=mid).action == HOLD
        assert state.phase == s12.IDLE


def test_quotes_are_pulled_from_an_invalid_book_once():
    state = quoting()
    assert step(state, 70, mid=math.nan, valid=0, orders=2).reason == s12.BOOK_INVALID
    assert step(state, 70.25, mid=math.nan, valid=0, orders=2).action == HOLD


@pytest.mark.parametrize("change", [{"capital_share": 0.03}, {"stop_bps": 1.0}, {"refresh_s": 0.0}])
def test_parameters_out_of_range_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        s12.check_params(PARAMS._replace(**change))
