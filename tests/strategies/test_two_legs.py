"""Two legs: phases by what is known, the second leg mirrors the first, and a leg that cannot be had is given up."""

from __future__ import annotations

import numpy as np
import pytest

from models.market.features.records import record_dtype
from models.strategies import two_legs as legs
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from tests.strategies.hand_ticks import NOW, S, market

STATE = record_dtype([*legs.TWO_LEGS])


def entered(side=1, ratio=0.5):
    state = legs.new_two_legs(STATE)
    intent = legs.enter(state, NOW, side, ratio, 0.01)
    assert (intent.action, intent.kind, intent.side, intent.share) == (PLACE, MARKET_ORDER, side, 0.01)
    return state


def test_the_second_leg_follows_what_is_known_of_the_first():
    state = entered(side=1, ratio=0.5)
    state.open_orders = 1
    legs.synchronise(state, NOW)
    assert (state.phase, state.leg_wanted) == (legs.ENTERING, 0.0)
    state.position = 4.0
    legs.synchronise(state, NOW)
    assert (state.phase, state.leg_wanted) == (legs.HOLDING, -2.0)
    state.position = 6.0
    legs.synchronise(state, NOW)
    assert state.leg_wanted == -3.0


def test_an_entry_that_did_not_fill_opens_no_second_leg():
    state = entered()
    legs.synchronise(state, NOW + S)
    assert (state.phase, state.leg_wanted, state.left_ns) == (legs.FLAT, 0.0, NOW + S)


def test_the_second_leg_follows_out_and_flat_is_flat_in_both():
    state = entered(ratio=1.0)
    state.position = 1.0
    legs.synchronise(state, NOW)
    state.leg_position = -1.0
    assert legs.leave(state, legs.CONVERGED).action == EXIT
    assert state.leg_wanted == -1.0
    state.position = 0.0
    legs.synchronise(state, NOW + S)
    assert (state.phase, state.leg_wanted, state.left_ns) == (legs.EXITING, 0.0, 0)
    state.leg_position = 0.0
    legs.synchronise(state, NOW + 2 * S)
    assert (state.phase, state.left_ns) == (legs.FLAT, NOW + 2 * S)


def test_leg_risk_wants_nothing_of_the_second_leg_at_once():
    state = entered(ratio=1.0)
    state.position = 1.0
    legs.synchronise(state, NOW)
    intent = legs.leave(state, legs.LEG_RISK)
    assert (intent.action, intent.reason, state.leg_wanted) == (EXIT, legs.LEG_RISK, 0.0)
    legs.synchronise(state, NOW)
    assert state.leg_wanted == 0.0


def test_a_first_leg_closed_by_someone_else_takes_the_second_with_it():
    state = entered(ratio=1.0)
    state.position = 1.0
    legs.synchronise(state, NOW)
    state.leg_position, state.position = -1.0, 0.0
    legs.synchronise(state, NOW)
    assert (state.phase, state.leg_wanted) == (legs.EXITING, 0.0)


@pytest.mark.parametrize(
    ("orders", "position", "valid", "action"),
    [(0, 1.0, 1, EXIT), (1, 1.0, 1, HOLD), (0, 0.0, 1, HOLD), (0, 1.0, 0, HOLD)],
)
def test_an_unfilled_exit_is_tried_again_on_a_valid_book(orders, position, valid, action):
    state = entered()
    state.phase, state.open_orders, state.position = legs.EXITING, orders, position
    assert legs.wait(market(valid=valid), state).action == action


@pytest.mark.parametrize(
    ("pending_s", "age_s", "risk"),
    [(10.0, 120.0, False), (np.nextafter(10.0, 11.0), 0.0, True), (0.0, 120.001, True)],
)
def test_leg_risk_is_a_leg_pending_or_prices_stale_beyond_their_limits(pending_s, age_s, risk):
    state = entered()
    state.leg_pending_s = pending_s
    seen_ns = NOW - round(age_s * 1e9)
    assert legs.leg_at_risk(state, seen_ns, NOW, 10.0, 120.0) == risk


@pytest.mark.parametrize(
    ("bid", "ask", "age_ns", "fresh"),
    [
        (99.0, 100.0, 10 * S, True),
        (99.0, 100.0, 10 * S + 1, False),
        (np.nan, 100.0, 0, False),
        (99.0, np.nan, 0, False),
        (0.0, 100.0, 0, False),
        (100.0, 99.0, 0, False),
        (99.0, 100.0, NOW, False),
    ],
)
def test_a_touch_is_fresh_when_known_recent_and_not_crossed(bid, ask, age_ns, fresh):
    assert legs.is_fresh(bid, ask, NOW - age_ns, NOW, 10.0) == fresh
