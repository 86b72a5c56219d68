"""S11: every rule at its edge."""

from __future__ import annotations

import math

import pytest

from models.errors import ConfigError
from models.market.outlook import new_outlook
from models.regimes.kernel import MARKUP, RANGE
from models.strategies import enhanced_grid as s11
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY
from tests.strategies.hand_made import market

PARAMS = s11.Params(bar_ns=1_000_000_000, least_bars=10, quantile=0.0)
OUTLOOK = new_outlook()


def step(state, at_s, mid=99.9, position=0.0, entry=math.nan, orders=0, regime=float(RANGE), **fields):
    state.position, state.entry_price, state.open_orders = position, entry, orders
    return s11.step(market(at_s, mid, regime=regime, **fields), OUTLOOK, PARAMS, state)


def ranged(low=99.6, high=100.4):
    """A state that has seen twenty bars between `low` and `high`, the last tick at 21 s; its middle is 100."""
    state = s11.new_state()
    for second in range(22):
        step(state, second, mid=low if second % 2 else high, regime=float(MARKUP))
    return state


def laid(state):
    """Three bids at 99.85, 99.7 and 99.55."""
    return [step(state, 22 + k, orders=k) for k in range(3)]


def test_a_grid_is_laid_on_the_side_the_mid_is_on():
    levels = laid(ranged())
    assert {(i.action, i.kind, i.side, i.reason) for i in levels} == {(PLACE, POST_ONLY, 1, s11.LEVEL)}
    assert [i.price for i in levels] == pytest.approx([99.85, 99.7, 99.55])
    assert step(ranged(), 22, mid=100.2).side == -1


def test_no_level_is_above_the_touch():
    intent = step(ranged(), 22, mid=99.7)
    assert intent.price == pytest.approx(99.7 * (1 - 0.5e-4))


@pytest.mark.parametrize(
    ("mid", "regime", "reason"),
    [
        (99.9, float(MARKUP), s11.NO_RANGE),
        (99.9, math.nan, s11.NO_RANGE),
        (99.59, float(RANGE), s11.OUTSIDE),
        (99.97, float(RANGE), s11.NEAR_MIDDLE),
        (99.96, float(RANGE), s11.LEVEL),
    ],
)
def test_when_a_grid_is_laid(mid, regime, reason):
    assert step(ranged(), 22, mid=mid, regime=regime).reason == reason


@pytest.mark.parametrize(("half", "reason"), [(0.149, s11.RANGE_TOO_NARROW), (0.151, s11.LEVEL)])
def test_a_range_must_hold_a_step(half, reason):
    assert step(ranged(100 - half, 100 + half), 22).reason == reason


def test_there_is_no_range_before_enough_bars():
    state = s11.new_state()
    for second in range(10):
        assert step(state, second, mid=99.6 if second % 2 else 100.4).reason == s11.NO_RANGE


def test_what_fills_is_asked_out_one_step_better_and_anew_when_more_fills():
    state = ranged()
    laid(state)
    out = step(state, 30, mid=99.8, position=1.0, entry=99.85, orders=2)
    assert (out.side, out.reduce_only, out.reason) == (-1, 1, s11.TARGET_ORDER)
    assert out.price == pytest.approx(99.85 * 1.0015)
    assert step(state, 31, mid=99.8, position=1.0, entry=99.85, orders=3).action == HOLD
    assert step(state, 32, mid=99.7, position=2.0, entry=99.775, orders=2).action == CANCEL
    assert step(state, 33, mid=99.7, position=2.0, entry=99.775, orders=1).reason == s11.WAITING
    again = step(state, 34, mid=99.7, position=2.0, entry=99.775)
    assert again.price == pytest.approx(99.775 * 1.0015)


def test_when_the_target_filled_the_rest_is_taken_back_and_the_grid_rests():
    state = ranged()
    laid(state)
    step(state, 30, mid=99.8, position=1.0, entry=99.85, orders=2)
    assert step(state, 40, mid=100.0, orders=2).action == CANCEL
    assert step(state, 41, mid=99.9).reason == s11.COOLDOWN
    assert step(state, 940, mid=99.9).reason == s11.COOLDOWN
    assert step(state, 941, mid=99.9).action == PLACE


@pytest.mark.parametrize(
    ("at_s", "mid", "regime", "reason"),
    [
        (30, 99.41, float(RANGE), s11.NO_SIGNAL),
        (30, 99.39, float(RANGE), s11.STOP),
        (30, 99.9, float(MARKUP), s11.REGIME_LEFT),
        (30, 99.9, math.nan, s11.REGIME_LEFT),
        (22 + 4 * 3600 - 0.5, 99.9, float(RANGE), s11.NO_SIGNAL),
        (22 + 4 * 3600, 99.9, float(RANGE), s11.TIME_OUT),
    ],
)
def test_when_everything_is_closed(at_s, mid, regime, reason):
    state = ranged()
    laid(state)
    intent = step(state, at_s, mid=mid, regime=regime, orders=3)
    assert (intent.action, intent.reason) == (HOLD if reason == s11.NO_SIGNAL else EXIT, reason)


def test_an_exit_that_came_back_is_tried_again():
    state = ranged()
    laid(state)
    step(state, 30, mid=99.0, position=3.0, entry=99.7, orders=0)
    assert step(state, 31, mid=99.0, position=3.0, entry=99.7, orders=1).reason == s11.WAITING
    assert step(state, 32, mid=99.0, position=3.0, entry=99.7).reason == s11.LEFT_OVER


def test_nothing_is_done_on_an_invalid_book():
    assert step(ranged(), 22, mid=math.nan, valid=0).reason == s11.BOOK_INVALID


@pytest.mark.parametrize("change", [{"levels": 0}, {"capital_share": 0.007}, {"least_bars": 97}])
def test_parameters_out_of_range_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        s11.check_params(PARAMS._replace(**change))
