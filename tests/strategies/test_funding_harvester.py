"""S2: every rule at its edge, and a whole harvest."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.strategies import funding_harvester as s2
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY
from tests.strategies.hand_ticks import DAY, NOW, Desk, H, S, at, market, outlook

PARAMS = s2.Params()
MINUTE = 60 * S
SETTLEMENT = NOW + 20 * MINUTE
COSTS = 0.0002 + 0.00055 + 0.5e-4


def funding(rate=0.003, settlement_ns=SETTLEMENT, interval_h=8.0, positive=None, forecast_ns=None):
    return outlook(
        settlement_ns=settlement_ns,
        interval_h=interval_h,
        predicted_rate=rate,
        probability_positive=(0.9 if rate > 0.0 else 0.1) if positive is None else positive,
        forecast_settlement_ns=settlement_ns if forecast_ns is None else forecast_ns,
    )


def look(seen, params=PARAMS, state=None, **others):
    return s2.step(market(**others), seen, params, s2.new_state() if state is None else state)


def holding(side=-1):
    state = s2.new_state()
    assert look(funding(-side * 0.003), state=state).side == side
    state.position, state.entry_price, state.open_orders = float(side), 100.0, 0
    return state


def held(state, at_ns, seen=None, **others):
    return s2.step(
        market(at_ns, **others), funding(-state.side * 0.003) if seen is None else seen, PARAMS, state
    )


@pytest.mark.parametrize(("rate", "side", "price"), [(0.003, -1, 100.005), (-0.003, 1, 99.995)])
def test_it_quotes_the_side_that_is_paid(rate, side, price):
    intent = look(funding(rate))
    assert (intent.action, intent.kind, intent.side, intent.share) == (PLACE, POST_ONLY, side, 0.02)
    assert intent.price == pytest.approx(price)


@pytest.mark.parametrize(("extra", "reason"), [(-1e-8, s2.BELOW_COSTS), (1e-8, s2.ENTRY)])
def test_what_is_received_must_beat_costs_and_the_least_edge(extra, reason):
    assert look(funding(COSTS + 0.0002 + extra)).reason == reason


@pytest.mark.parametrize(("extra", "reason"), [(-1e-6, s2.BELOW_COSTS), (1e-6, s2.ENTRY)])
def test_every_settlement_of_the_hold_counts_less_than_the_one_before(extra, reason):
    # Hourly: eight settlements within 8 h, at 1, 2^(-1/8), ...
    fading = 0.5**0.125
    settlements = sum(fading**k for k in range(8))
    rate = (COSTS + 0.0002 + extra) / settlements
    assert look(funding(rate, interval_h=1.0)).reason == reason


@pytest.mark.parametrize(
    ("before_ns", "reason"),
    [
        (1800 * S + 1, s2.OUTSIDE_WINDOW),
        (1800 * S, s2.ENTRY),
        (61 * S, s2.ENTRY),
        (60 * S, s2.OUTSIDE_WINDOW),
        (-S, s2.OUTSIDE_WINDOW),
    ],
)
def test_it_enters_only_shortly_before_a_settlement(before_ns, reason):
    assert look(funding(), at_ns=SETTLEMENT - before_ns).reason == reason


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (funding(forecast_ns=SETTLEMENT - 8 * H), s2.NO_FORECAST),
        (funding(forecast_ns=0), s2.NO_FORECAST),
        (funding(np.nan, positive=0.9), s2.NO_FORECAST),
        (funding(positive=0.6), s2.LOW_CONFIDENCE),
        (funding(positive=0.6001), s2.ENTRY),
        (funding(-0.003, positive=0.4), s2.LOW_CONFIDENCE),
        (funding(-0.003, positive=0.3999), s2.ENTRY),
        (funding(positive=np.nan), s2.LOW_CONFIDENCE),
        (funding(interval_h=np.nan), s2.BELOW_COSTS),
        (outlook(), s2.OUTSIDE_WINDOW),
    ],
)
def test_it_needs_a_forecast_of_this_settlement_and_its_sign(seen, reason):
    assert look(seen).reason == reason


def test_an_invalid_book_or_an_unknown_spread_do_not_trade():
    assert look(funding(), valid=0).reason == s2.BOOK_INVALID
    assert look(funding(), spread_bps=np.nan).action == HOLD


@pytest.mark.parametrize(("after_ns", "reason"), [(4 * H - 1, s2.COOLING_DOWN), (4 * H, s2.ENTRY)])
def test_four_hours_between_signals(after_ns, reason):
    state = s2.new_state()
    look(funding(), state=state)
    state.phase = s2.FLAT
    now = NOW + after_ns
    assert look(funding(settlement_ns=now + 20 * MINUTE), state=state, at_ns=now).reason == reason


def test_six_signals_a_day():
    params, state = PARAMS._replace(cooldown_s=0.0), s2.new_state()
    midnight = NOW // DAY * DAY
    reasons = []
    for k in range(8):
        now = midnight + k * 2 * H if k < 7 else midnight + DAY
        reasons.append(look(funding(settlement_ns=now + 20 * MINUTE), params, state, at_ns=now).reason)
        state.phase = s2.FLAT
    assert reasons == [s2.ENTRY] * 6 + [s2.COOLING_DOWN, s2.ENTRY]


def test_an_unfilled_entry_is_given_up_before_the_settlement():
    state = s2.new_state()
    look(funding(), state=state)
    state.open_orders = 1
    end = SETTLEMENT - 60 * S
    assert held(state, end - 1).action == HOLD
    assert (held(state, end).action, state.phase) == (CANCEL, s2.ENTERING)
    state.open_orders = 0
    assert held(state, end + S).reason == s2.GAVE_UP
    assert state.phase == s2.FLAT


def test_an_entry_is_taken_back_when_the_forecast_turns():
    state = s2.new_state()
    look(funding(), state=state)
    state.open_orders = 1
    intent = held(state, NOW + S, funding(-0.001))
    assert (intent.action, intent.reason) == (CANCEL, s2.RATE_TURNED)


def test_the_rest_of_a_part_filled_entry_is_taken_back_in_time():
    state = holding()
    state.open_orders = 1
    assert held(state, SETTLEMENT - 60 * S - 1).action == HOLD
    assert held(state, SETTLEMENT - 60 * S).action == CANCEL


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("moved", "reason"), [(-0.00999, s2.NO_SIGNAL), (-0.01001, s2.STOP), (0.5, s2.NO_SIGNAL)]
)
def test_the_stop_is_one_per_cent(moved, reason, side):
    intent = held(holding(side), NOW + S, mid=100.0 * (1.0 + side * moved))
    assert (intent.reason, intent.action) == (reason, EXIT if reason == s2.STOP else HOLD)


@pytest.mark.parametrize(
    ("rate", "reason"), [(-1e-9, s2.RATE_TURNED), (0.0, s2.NO_SIGNAL), (np.nan, s2.NO_SIGNAL)]
)
def test_it_leaves_when_the_forecast_turns_against_it(rate, reason):
    assert held(holding(), NOW + S, funding(rate, positive=0.5)).reason == reason


@pytest.mark.parametrize(("after_ns", "reason"), [(300 * S - 1, s2.NO_SIGNAL), (300 * S, s2.FUNDING_TAKEN)])
def test_it_leaves_five_minutes_after_the_settlement(after_ns, reason):
    seen = funding(settlement_ns=SETTLEMENT + 8 * H, forecast_ns=0)
    assert held(holding(), SETTLEMENT + after_ns, seen).reason == reason


@pytest.mark.parametrize(
    ("rate", "interval", "forecast", "reason"),
    [
        (0.0001, H, None, s2.STAYING),
        (0.0000999, H, None, s2.FUNDING_TAKEN),
        (np.nan, H, None, s2.FUNDING_TAKEN),
        (0.003, H, SETTLEMENT, s2.FUNDING_TAKEN),
        (0.003, 8 * H - 20 * MINUTE, None, s2.STAYING),
        (0.003, 8 * H - 20 * MINUTE + 1, None, s2.FUNDING_TAKEN),
    ],
)
def test_it_stays_only_for_a_next_settlement_that_pays_within_the_hold(rate, interval, forecast, reason):
    state = holding()
    seen = funding(rate, SETTLEMENT + interval, 1.0, 0.9, forecast)
    assert held(state, SETTLEMENT + 300 * S, seen).reason == reason
    assert state.settlement_ns == (SETTLEMENT + interval if reason == s2.STAYING else SETTLEMENT)


@pytest.mark.parametrize(("after_ns", "reason"), [(8 * H - 1, s2.NO_SIGNAL), (8 * H, s2.TIME_OUT)])
def test_it_is_out_after_the_hold(after_ns, reason):
    state = holding()
    state.settlement_ns = NOW + 8 * H
    assert held(state, NOW + after_ns, funding(settlement_ns=NOW + 8 * H)).reason == reason


def test_an_exit_is_tried_again():
    state = holding()
    assert held(state, NOW + S, mid=102.0).action == EXIT
    state.open_orders = 1
    assert held(state, NOW + 2 * S).reason == s2.WAITING
    state.open_orders = 0
    assert held(state, NOW + 3 * S, valid=0).action == HOLD
    assert held(state, NOW + 4 * S).reason == s2.LEFT_OVER
    state.position = 0.0
    held(state, NOW + 5 * S)
    assert state.phase == s2.FLAT


def test_a_harvest_is_what_two_hourly_settlements_pay_less_the_costs():
    state = s2.new_state()
    desk = Desk(s2.step, PARAMS, state)
    row, received = market(), 0.0
    seen = funding(0.003, interval_h=1.0)
    for k in range(0, 3 * 720):
        now = NOW + k * 5 * S
        if now >= seen.settlement_ns:
            received -= state.position * 100.0 * seen.predicted_rate
            seen.settlement_ns = seen.forecast_settlement_ns = int(seen.settlement_ns) + H
            seen.predicted_rate = 0.003 if now < SETTLEMENT + H else 0.00005
        desk.tick(at(row, now, 100.0 + 0.02 * (k % 7)), seen)
    assert (state.position, state.phase) == (0.0, s2.FLAT)
    # 200 USD sold at the ask, twice 30 bps received.
    assert received == pytest.approx(2 * 0.003 * 200.0, rel=0.01)
    assert desk.reasons.count(s2.STAYING) == 1
    assert desk.reasons.count(s2.FUNDING_TAKEN) == 1


@pytest.mark.parametrize("wrong", [{"capital_share": 0.021}, {"stop": np.nan}, {"entry_close_s": 1801.0}])
def test_parameters_out_of_range_are_refused(wrong):
    assert s2.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s2.check_params(PARAMS._replace(**wrong))
