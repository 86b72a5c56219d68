"""S1's rules, each at its edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.strategies import funding_pressure as s1

SETTLEMENT = 1_700_006_400 * s1.NANOSECONDS
PARAMS = s1.Params()
START = SETTLEMENT - PARAMS.entry_before_s * s1.NANOSECONDS
WINDOW_END = START + PARAMS.entry_window_s * s1.NANOSECONDS
EXIT = SETTLEMENT + PARAMS.exit_after_s * s1.NANOSECONDS
THRESHOLD = PARAMS.threshold


def market(
    now=START,
    predicted=0.0003,
    current=0.0001,
    above=0.9,
    below=0.1,
    forecast_for=SETTLEMENT,
    next_at=SETTLEMENT,
):
    record = s1.new_market()
    record.now_ns = now
    record.settlement_ns = next_at
    record.forecast_settlement_ns = forecast_for
    record.predicted = predicted
    record.current = current
    record.probability_above = above
    record.probability_below = below
    return record


def decide(record, state=None):
    return s1.step(record, PARAMS, s1.new_state() if state is None else state)


def test_a_rising_rate_is_sold_ninety_minutes_before():
    state = s1.new_state()
    intent = decide(market(), state)
    assert (intent.action, intent.side, intent.reason) == (s1.ENTER, s1.SHORT, s1.SIGNAL)
    assert intent.settlement_ns == SETTLEMENT
    assert intent.edge == pytest.approx(0.0002)
    assert intent.confidence == 0.9
    assert (state.side, state.settlement_ns) == (s1.SHORT, SETTLEMENT)


def test_a_falling_rate_is_bought():
    intent = decide(market(predicted=-0.0001, above=0.1, below=0.9))
    assert (intent.action, intent.side, intent.confidence) == (s1.ENTER, s1.LONG, 0.9)


@pytest.mark.parametrize(
    ("current", "predicted", "action"),
    [
        (0.0, THRESHOLD, s1.HOLD),  # exactly the threshold is not more than it
        (0.0, np.nextafter(THRESHOLD, 1.0), s1.ENTER),
        (0.0, -THRESHOLD, s1.HOLD),
        (0.0, np.nextafter(-THRESHOLD, -1.0), s1.ENTER),
        (0.0001, 0.0001 + THRESHOLD, s1.HOLD),
    ],
)
def test_threshold_is_strict(current, predicted, action):
    state = s1.new_state()
    intent = decide(market(predicted=predicted, current=current, above=0.9, below=0.9), state)
    assert intent.action == action
    if action == s1.HOLD:
        assert intent.reason == s1.BELOW_THRESHOLD
        assert state.decided_settlement_ns == SETTLEMENT


@pytest.mark.parametrize(
    ("confidence", "action"), [(0.6, s1.HOLD), (np.nextafter(0.6, 1.0), s1.ENTER), (np.nan, s1.HOLD)]
)
def test_confidence_must_exceed_its_minimum(confidence, action):
    intent = decide(market(above=confidence))
    assert intent.action == action
    assert intent.reason == (s1.SIGNAL if action == s1.ENTER else s1.LOW_CONFIDENCE)


@pytest.mark.parametrize(
    ("now", "action", "reason"),
    [
        (START - 1, s1.HOLD, s1.BEFORE_WINDOW),
        (START, s1.ENTER, s1.SIGNAL),
        (WINDOW_END, s1.ENTER, s1.SIGNAL),
        (WINDOW_END + 1, s1.HOLD, s1.AFTER_WINDOW),
    ],
)
def test_entry_window(now, action, reason):
    intent = decide(market(now=now))
    assert (intent.action, intent.reason) == (action, reason)


def test_a_late_forecast_inside_the_window_still_enters():
    state = s1.new_state()
    assert decide(market(forecast_for=0), state).reason == s1.NO_FORECAST
    assert decide(market(now=START + 300 * s1.NANOSECONDS), state).action == s1.ENTER


def test_a_forecast_of_another_settlement_does_not_count():
    assert decide(market(forecast_for=SETTLEMENT - 1)).reason == s1.NO_FORECAST


def test_an_unknown_current_rate_holds_without_deciding():
    state = s1.new_state()
    assert decide(market(current=np.nan), state).reason == s1.NO_SETTLED_RATE
    assert state.decided_settlement_ns == 0


@pytest.mark.parametrize(("now", "action"), [(EXIT - 1, s1.HOLD), (EXIT, s1.EXIT), (EXIT + 10**15, s1.EXIT)])
def test_exit_five_minutes_after_the_settlement(now, action):
    state = s1.new_state()
    decide(market(), state)
    intent = decide(market(now=now, next_at=SETTLEMENT + 8 * 3600 * s1.NANOSECONDS, forecast_for=0), state)
    assert intent.action == action
    if action == s1.EXIT:
        assert (intent.side, intent.settlement_ns, state.side) == (s1.SHORT, SETTLEMENT, 0)


def test_one_decision_per_settlement():
    state = s1.new_state()
    decide(market(), state)
    decide(market(now=EXIT), state)
    assert decide(market(now=START + 1), state).reason == s1.ALREADY_DECIDED


def test_a_refused_settlement_is_not_decided_again():
    state = s1.new_state()
    decide(market(above=0.5), state)
    assert decide(market(above=0.99), state).reason == s1.ALREADY_DECIDED


def test_the_next_settlement_is_decided_anew():
    state = s1.new_state()
    decide(market(), state)
    decide(market(now=EXIT), state)
    later = SETTLEMENT + 8 * 3600 * s1.NANOSECONDS
    record = market(now=later - 5400 * s1.NANOSECONDS, next_at=later, forecast_for=later)
    assert decide(record, state).action == s1.ENTER


def test_an_hourly_symbol_never_enters():
    # Its window lies before the settlement that precedes it: at no instant is it the next settlement in its window.
    hour = 3600 * s1.NANOSECONDS
    for minute in range(61):
        record = market(now=SETTLEMENT - hour + minute * 60 * s1.NANOSECONDS)
        assert decide(record).action == s1.HOLD


@given(
    st.lists(
        st.tuples(
            st.integers(START - 10**12, EXIT + 10**12),
            st.floats(-0.01, 0.01),
            st.floats(0, 1),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_entries_and_exits_alternate_and_never_enter_outside_the_window(polls):
    state = s1.new_state()
    inside = False
    entered = 0
    for now, predicted, above, known in sorted(polls, key=lambda poll: poll[0]):
        record = market(
            now=now,
            predicted=predicted,
            above=above,
            below=1 - above,
            forecast_for=SETTLEMENT if known else 0,
        )
        intent = decide(record, state)
        if intent.action == s1.ENTER:
            assert not inside
            assert START <= now <= WINDOW_END
            inside, entered = True, entered + 1
        elif intent.action == s1.EXIT:
            assert inside
            assert now >= EXIT
            inside = False
    assert entered <= 1


def test_state_and_market_are_plain_records():
    state = s1.new_state()
    decide(market(), state)
    copy = np.frombuffer(state.tobytes(), dtype=s1.STATE)[0]
    assert copy.side == state.side
    assert copy.settlement_ns == SETTLEMENT
    assert set(s1.REASON_NAMES) == set(range(11))
