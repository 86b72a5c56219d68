"""S8: every rule at its edge."""

from __future__ import annotations

import math

import pytest

from models.errors import ConfigError
from models.market.outlook import new_outlook
from models.regimes.kernel import MARKUP, RANGE
from models.strategies import hf_scalping as s8
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY
from tests.strategies.hand_made import market

PARAMS = s8.Params(bar_ns=1_000_000_000, least_bars=10, quantile=0.0)
OUTLOOK = new_outlook()
GOOD = {"regime": float(RANGE), "vpin_rank": 0.1, "queue_imbalance": 0.5}


def step(state, at_s, mid, position=0.0, entry=math.nan, orders=0, **fields):
    state.position, state.entry_price, state.open_orders = position, entry, orders
    return s8.step(market(at_s, mid, **(GOOD | fields)), OUTLOOK, PARAMS, state)


def low_end(at=99.7):
    """Twenty bars about 100, then five ticks at `at`, the last at 23 s."""
    state = s8.new_state()
    for second in range(22):
        step(state, second, 99.6 if second % 2 else 100.4, regime=float(MARKUP))
    for k in range(5):
        step(state, 22 + 0.25 * k, at, regime=float(MARKUP))
    return state


def entered():
    state = low_end()
    assert step(state, 23.25, 99.71).action == PLACE
    return state


def test_it_joins_the_way_back_at_the_touch():
    intent = step(low_end(), 23.25, 99.71)
    assert (intent.action, intent.kind, intent.side, intent.reason) == (PLACE, POST_ONLY, 1, s8.ENTRY)
    assert intent.price == pytest.approx(99.71 * (1 - 0.5e-4))
    short = step(low_end(100.3), 23.25, 100.29, queue_imbalance=-0.5)
    assert short.side == -1


@pytest.mark.parametrize(
    ("mid", "fields", "reason"),
    [
        (99.71, {"regime": float(MARKUP)}, s8.NO_RANGE),
        (99.71, {"regime": math.nan}, s8.NO_RANGE),
        (99.71, {"vpin_rank": 0.4}, s8.TOXIC),
        (99.71, {"vpin_rank": math.nan}, s8.TOXIC),
        (99.76, {}, s8.TOO_NEAR),
        (99.704, {}, s8.NOT_TURNED),
        (99.69, {}, s8.NOT_TURNED),
        (99.71, {"queue_imbalance": 0.0}, s8.QUEUE_AGAINST),
        (99.71, {"queue_imbalance": math.nan}, s8.QUEUE_AGAINST),
        (99.706, {}, s8.ENTRY),
    ],
)
def test_what_an_entry_needs(mid, fields, reason):
    assert step(low_end(), 23.25, mid, **fields).reason == reason


def test_five_ticks_in_a_row_are_needed():
    state = low_end()
    step(state, 23.1, math.nan, valid=0)
    assert step(state, 23.25, 99.71).reason == s8.NOT_TURNED
    assert math.isnan(s8.turned_bps(state))


def test_an_entry_that_does_not_fill_is_taken_back_and_the_next_waits():
    state = entered()
    assert step(state, 33, 99.72, orders=1).reason == s8.WAITING
    assert (step(state, 33.25, 99.72, orders=1).action, state.phase) == (CANCEL, s8.ENTERING)
    for k in range(6):
        assert step(state, 51 + 0.25 * k, 99.7).reason == s8.COOLDOWN
    assert step(state, 53.25, 99.71).reason == s8.ENTRY


@pytest.mark.parametrize(
    ("at_s", "mid", "reason"),
    [
        (40, 99.5007, s8.WAITING),
        (40, 99.5005, s8.STOP),
        (1824.9, 99.7, s8.WAITING),
        (1825, 99.7, s8.TIME_OUT),
    ],
)
def test_target_stop_and_time_out(at_s, mid, reason):
    state = entered()
    target = step(state, 25, 99.7, position=1.0, entry=99.7)
    assert (target.side, target.reduce_only, target.reason) == (-1, 1, s8.TARGET_ORDER)
    assert target.price == pytest.approx(99.7 * 1.0025)
    intent = step(state, at_s, mid, position=1.0, entry=99.7, orders=1)
    assert (intent.action, intent.reason) == (HOLD if reason == s8.WAITING else EXIT, reason)


def test_an_exit_that_came_back_is_tried_again():
    state = entered()
    step(state, 25, 99.7, position=1.0, entry=99.7)
    assert step(state, 40, 99.0, position=1.0, entry=99.7, orders=1).action == EXIT
    assert step(state, 40.25, 99.0, position=1.0, entry=99.7, orders=1).reason == s8.WAITING
    assert step(state, 40.5, 99.0, position=1.0, entry=99.7).reason == s8.LEFT_OVER
    step(state, 41, 99.0)
    assert state.phase == s8.FLAT


def test_nothing_is_done_on_an_invalid_book():
    assert step(low_end(), 23.25, math.nan, valid=0).reason == s8.BOOK_INVALID


@pytest.mark.parametrize("change", [{"target_bps": 1.0}, {"capital_share": 0.03}, {"least_bars": 61}])
def test_parameters_out_of_range_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        s8.check_params(PARAMS._replace(**change))
