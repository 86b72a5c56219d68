"""S1 at ticks: the same verdicts as the rules in plain Python, and their execution at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from models.errors import ConfigError
from models.strategies import funding_pressure as rules
from models.strategies import funding_pressure_ticks as s1
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY
from tests.strategies.hand_ticks import Desk, H, S, at, market, outlook

PARAMS = s1.Params()
SETTLEMENT = 1_700_006_400 * S
START = SETTLEMENT - PARAMS.entry_before_s * S
WINDOW_END = START + PARAMS.entry_window_s * S
EXIT_AT = SETTLEMENT + PARAMS.exit_after_s * S


def forecast(predicted=0.0003, current=0.0001, settlement_ns=SETTLEMENT, above=0.9, below=0.1, of=None):
    return outlook(
        settlement_ns=settlement_ns,
        forecast_settlement_ns=settlement_ns if of is None else of,
        predicted_rate=predicted,
        current_rate=current,
        probability_above=above,
        probability_below=below,
    )


def look(at_ns, seen=None, state=None, **others):
    state = s1.new_state() if state is None else state
    return s1.step(market(at_ns, **others), forecast() if seen is None else seen, PARAMS, state)


def holding():
    state = s1.new_state()
    assert look(START, state=state).side == -1
    state.position, state.entry_price = -1.0, 100.0
    return state


@njit
def compiled(market, params, state):
    return rules.step(market, params, state)


def test_the_rules_compiled_are_the_rules_in_python():
    rng = np.random.default_rng(1)
    own, copied = rules.new_state(), rules.new_state()
    record, params, reasons = rules.new_market(), rules.Params(), set()
    now = START - 1200 * S
    for _ in range(20_000):
        now += int(rng.integers(1, 240)) * S
        settlement = -(-now // (8 * H)) * 8 * H
        record.now_ns, record.settlement_ns = now, settlement
        record.forecast_settlement_ns = rng.choice([settlement, settlement - 8 * H, 0], p=[0.4, 0.3, 0.3])
        record.predicted = rng.choice([rng.normal(0.0001, 0.0003), np.nan], p=[0.95, 0.05])
        record.current = rng.choice([0.0001, np.nan], p=[0.9, 0.1])
        record.probability_above = rng.choice([rng.random(), np.nan], p=[0.9, 0.1])
        record.probability_below = 1.0 - record.probability_above
        plain, fast = rules.step(record, params, own), compiled(record, params, copied)
        np.testing.assert_equal(tuple(plain), tuple(fast))
        assert own.tobytes() == copied.tobytes()
        reasons.add(int(plain.reason))
    assert reasons == set(rules.REASON_NAMES) - {rules.NO_CHANGE}


@pytest.mark.parametrize(("predicted", "side"), [(0.0003, -1), (-0.0001, 1)])
def test_a_signal_is_quoted_post_only(predicted, side):
    intent = look(START, forecast(predicted, above=0.9, below=0.9))
    assert (intent.action, intent.kind, intent.side, intent.share) == (PLACE, POST_ONLY, side, 0.03)


@pytest.mark.parametrize(
    ("at_ns", "seen", "reason"),
    [
        (START - 1, forecast(), rules.BEFORE_WINDOW),
        (WINDOW_END + 1, forecast(), rules.AFTER_WINDOW),
        (START, forecast(of=0), rules.NO_FORECAST),
        (START, forecast(0.0002), rules.BELOW_THRESHOLD),
        (START, forecast(above=0.6), rules.LOW_CONFIDENCE),
        (START, forecast(above=np.nan), rules.LOW_CONFIDENCE),
        (START, forecast(current=np.nan), rules.NO_SETTLED_RATE),
        (START, forecast(np.nan), rules.BELOW_THRESHOLD),
        (START, outlook(), rules.ALREADY_DECIDED),
    ],
)
def test_without_a_signal_the_reason_is_that_of_the_rules(at_ns, seen, reason):
    intent = look(at_ns, seen)
    assert (intent.action, intent.reason) == (HOLD, reason)


def test_a_signal_on_an_invalid_book_is_quoted_when_it_is_valid_again():
    state = s1.new_state()
    assert look(START, state=state, valid=0).reason == s1.BOOK_INVALID
    assert look(START + S, state=state).reason == s1.ENTRY


def test_an_unfilled_entry_is_given_up_after_the_window():
    state = s1.new_state()
    look(START, state=state)
    state.open_orders = 1
    assert look(WINDOW_END, state=state).reason == s1.WAITING
    assert look(WINDOW_END + 1, state=state).action == CANCEL
    state.open_orders = 0
    assert look(WINDOW_END + S, state=state).reason == s1.GAVE_UP
    assert state.phase == s1.FLAT
    assert look(WINDOW_END + 2 * S, state=state).reason == rules.IN_POSITION
    assert look(EXIT_AT, state=state).action == HOLD


def test_the_rest_of_a_part_filled_entry_is_taken_back_after_the_window():
    state = holding()
    state.open_orders = 1
    assert look(WINDOW_END, state=state).action == HOLD
    assert look(WINDOW_END + 1, state=state).action == CANCEL


@pytest.mark.parametrize(("at_ns", "action"), [(EXIT_AT - 1, HOLD), (EXIT_AT, EXIT)])
def test_it_leaves_when_the_rules_say_so(at_ns, action):
    seen = forecast(settlement_ns=SETTLEMENT + 8 * H, of=0)
    intent = look(at_ns, seen, holding())
    assert (intent.action, intent.reason) == (
        action,
        rules.EXIT_TIME if action == EXIT else rules.IN_POSITION,
    )


@pytest.mark.parametrize(("mid", "reason"), [(101.999, rules.IN_POSITION), (102.001, s1.STOP)])
def test_the_stop_is_two_per_cent_and_nothing_is_entered_anew(mid, reason):
    state = holding()
    assert look(START + 60 * S, state=state, mid=mid).reason == reason
    if reason == s1.STOP:
        state.position = 0.0
        assert look(START + 61 * S, state=state).reason == rules.IN_POSITION
        assert state.phase == s1.FLAT


def test_an_exit_is_tried_again_until_flat():
    state = holding()
    assert look(EXIT_AT, state=state).action == EXIT
    state.open_orders = 1
    assert look(EXIT_AT + S, state=state).reason == s1.WAITING
    state.open_orders = 0
    assert look(EXIT_AT + 2 * S, state=state, valid=0).action == HOLD
    assert look(EXIT_AT + 3 * S, state=state).reason == s1.LEFT_OVER
    state.position = 0.0
    look(EXIT_AT + 4 * S, state=state)
    assert state.phase == s1.FLAT


def test_a_position_that_could_not_be_closed_is_not_entered_upon():
    state = holding()
    look(EXIT_AT, state=state)
    later = SETTLEMENT + 8 * H
    intent = look(later - PARAMS.entry_before_s * S, forecast(-0.001, settlement_ns=later, below=0.9), state)
    assert (intent.action, intent.reason) == (EXIT, s1.LEFT_OVER)


def test_a_whole_trade_over_the_settlement():
    state = s1.new_state()
    desk = Desk(s1.step, PARAMS, state)
    row, seen, received = market(), forecast(), 0.0
    for k in range(1200):
        now = START - 60 * S + k * 5 * S
        if seen.settlement_ns <= now:
            received = -state.position * 100.0 * 0.0003
            seen.settlement_ns = SETTLEMENT + 8 * H
        desk.tick(at(row, now, 100.0 + 0.02 * (k % 5)), seen)
    assert (state.position, state.phase) == (0.0, s1.FLAT)
    assert received == pytest.approx(0.0003 * 300.0, rel=0.01)
    assert desk.reasons.count(rules.EXIT_TIME) == 1


@pytest.mark.parametrize("wrong", [{"capital_share": 0.031}, {"stop": np.nan}, {"entry_window_s": 5401}])
def test_parameters_out_of_range_are_refused(wrong):
    assert s1.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s1.check_params(PARAMS._replace(**wrong))
