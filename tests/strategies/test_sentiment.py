"""S16: every rule at its edge, and a trade from fear to the target."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.strategies import sentiment as s16
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from tests.strategies.hand_ticks import DAY, NOW, Desk, H, S, at, market, outlook

PARAMS = s16.Params()
BAR = PARAMS.bar_ns


def mood(index=10.0, at_ns=NOW, text=np.nan, text_ns=0):
    return outlook(fear_greed=index, fear_greed_at_ns=at_ns, text_score=text, text_score_at_ns=text_ns)


def watched(before=100.0, bars=PARAMS.lookback_bars + 1):
    """A state that has seen `bars` whole bars at `before`; a tick at NOW completes the newest."""
    state = s16.new_state()
    for k in range(bars + 1, 0, -1):
        s16.step(market(NOW - k * BAR, before), outlook(), PARAMS, state)
    return state


def look(index, moved, seen=None, state=None, **others):
    state = watched() if state is None else state
    seen = mood(index) if seen is None else seen
    return s16.step(market(mid=100.0 * (1.0 + moved), **others), seen, PARAMS, state)


def holding(side=1):
    state = watched()
    assert look(10.0 if side > 0 else 90.0, side * 0.02, state=state).side == side
    state.position, state.entry_price = float(side), 100.0
    return state


@pytest.mark.parametrize(
    ("index", "moved", "side"),
    [
        (20.0, 0.0101, 1),
        (20.1, 0.0101, 0),
        (20.0, 0.0099, 0),
        (80.0, -0.0101, -1),
        (79.9, -0.0101, 0),
        (80.0, -0.0099, 0),
        (10.0, -0.0101, 0),
        (90.0, 0.0101, 0),
        (np.nan, 0.0101, 0),
    ],
)
def test_it_enters_against_an_extreme_once_the_price_has_turned(index, moved, side):
    intent = look(index, moved)
    assert (intent.action, intent.side) == (PLACE if side else HOLD, side)
    if side:
        assert (intent.kind, intent.share) == (MARKET_ORDER, 0.005)


@pytest.mark.parametrize(
    ("age_s", "reason"), [(129_600, s16.ENTRY), (129_601, s16.NO_MOOD), (1.7e9 + 6400, s16.NO_MOOD)]
)
def test_the_index_must_be_recent(age_s, reason):
    assert look(10.0, 0.02, mood(at_ns=NOW - int(age_s) * S)).reason == reason


@pytest.mark.parametrize(
    ("bars", "reason"), [(PARAMS.lookback_bars, s16.NO_TURN), (PARAMS.lookback_bars + 1, s16.ENTRY)]
)
def test_there_must_be_bars_to_look_back_on(bars, reason):
    assert look(10.0, 0.02, state=watched(bars=bars)).reason == reason


@pytest.mark.parametrize(
    ("text", "age_s", "reason"),
    [
        (-0.51, 0, s16.TEXT_AGAINST),
        (-0.5, 0, s16.ENTRY),
        (0.9, 0, s16.ENTRY),
        (-0.9, 21_600, s16.TEXT_AGAINST),
        (-0.9, 21_601, s16.ENTRY),
        (np.nan, 0, s16.ENTRY),
    ],
)
def test_a_crowd_that_still_shouts_forbids_it(text, age_s, reason):
    seen = mood(10.0, text=text, text_ns=NOW - age_s * S)
    assert look(10.0, 0.02, seen).reason == reason


def test_a_greedy_crowd_shouts_the_other_way():
    assert look(90.0, -0.02, mood(90.0, text=0.51, text_ns=NOW)).reason == s16.TEXT_AGAINST


@pytest.mark.parametrize(
    ("spread_bps", "reason"), [(48.9, s16.ENTRY), (49.1, s16.BELOW_COSTS), (np.nan, s16.BELOW_COSTS)]
)
def test_the_target_must_be_worth_five_round_trips(spread_bps, reason):
    # 300 bps / 5 = 60 = 11 of fees and 49 of spread.
    assert look(10.0, 0.02, spread_bps=spread_bps).reason == reason


@pytest.mark.parametrize(("after_ns", "reason"), [(DAY - 1, s16.COOLING_DOWN), (DAY, s16.ENTRY)])
def test_one_signal_a_day(after_ns, reason):
    state = watched()
    state.cadence.last_ns = NOW - after_ns
    assert look(10.0, 0.02, state=state).reason == reason


def test_an_invalid_book_does_not_trade():
    assert look(10.0, 0.02, valid=0).reason == s16.BOOK_INVALID
    assert look(10.0, 0.02, state=holding(), valid=0).reason == s16.BOOK_INVALID


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("moved", "reason"),
    [(0.0299, s16.NO_SIGNAL), (0.0301, s16.TARGET), (-0.0199, s16.NO_SIGNAL), (-0.0201, s16.STOP)],
)
def test_target_and_stop(moved, reason, side):
    intent = look(10.0 if side > 0 else 90.0, side * moved, state=holding(side))
    assert (intent.reason, intent.action) == (reason, HOLD if reason == s16.NO_SIGNAL else EXIT)


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (44.9, s16.NO_SIGNAL),
        (45.0, s16.MOOD_GONE),
        (55.0, s16.MOOD_GONE),
        (55.1, s16.NO_SIGNAL),
        (np.nan, s16.NO_SIGNAL),
    ],
)
def test_it_leaves_when_the_mood_is_gone(index, reason):
    assert look(index, 0.0, state=holding()).reason == reason


@pytest.mark.parametrize(("after_ns", "reason"), [(48 * H - 1, s16.NO_SIGNAL), (48 * H, s16.TIME_OUT)])
def test_it_is_out_after_two_days(after_ns, reason):
    assert look(10.0, 0.0, state=holding(), at_ns=NOW + after_ns).reason == reason


def test_an_entry_that_did_not_fill_leaves_it_flat_and_an_exit_is_tried_again():
    state = watched()
    look(10.0, 0.02, state=state)
    assert look(10.0, 0.02, state=state, at_ns=NOW + S).reason == s16.COOLING_DOWN
    state = holding()
    look(10.0, 0.04, state=state)
    state.open_orders = 1
    assert look(10.0, 0.0, state=state).reason == s16.WAITING
    state.open_orders = 0
    assert look(10.0, 0.0, state=state, valid=0).action == HOLD
    assert look(10.0, 0.0, state=state).reason == s16.LEFT_OVER
    state.position = 0.0
    look(10.0, 0.0, state=state)
    assert state.phase == s16.FLAT


def test_a_trade_from_fear_to_the_target():
    state = s16.new_state()
    desk = Desk(s16.step, PARAMS, state)
    row = market()
    for k in range(600):
        price = 100.0 - 0.02 * min(k, 250) + 0.05 * max(0, k - 250)
        desk.tick(at(row, NOW + k * 60 * S, price), mood(at_ns=NOW))
    assert desk.reasons.count(s16.ENTRY) == desk.reasons.count(s16.TARGET) == 1
    assert state.position == 0.0
    assert desk.cash == pytest.approx(50.0 * 0.03, rel=0.05)


@pytest.mark.parametrize("wrong", [{"capital_share": 0.021}, {"stop": np.nan}, {"lookback_bars": s16.BARS}])
def test_parameters_out_of_range_are_refused(wrong):
    assert s16.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s16.check_params(PARAMS._replace(**wrong))
