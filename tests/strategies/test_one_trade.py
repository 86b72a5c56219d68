"""One trade at a time: the life of a trade, driven by its functions alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.market.features.records import record_dtype
from models.market.record import new_market
from models.strategies import one_trade as ot
from models.strategies.intent import CANCEL, EXIT, HOLD, MARKET_ORDER, PLACE, POST_ONLY, TOLD

# A field of its own, so that no strategy's state begins with this one: Numba would take it for a subtype, with a warning.
STATE = record_dtype([*TOLD, *ot.TRADE, ("of_this_test", np.int8)])
SECOND = 1_000_000_000


def market(at_s, mid=100.0):
    row = new_market()
    row.tick_at_ns, row.mid, row.valid = at_s * SECOND, mid, 1
    return row


def begun(side=1, target=0.02):
    state = ot.new_trade_state(STATE)
    intent = ot.begin(market(1000), state, side, 0.01, 0.01, target, 60.0, 33)
    return state, intent


def held(side=1, target=0.02):
    state, _ = begun(side, target)
    state.position, state.entry_price = float(side), 100.0
    ot.synchronise(market(1001), state)
    return state


@pytest.mark.parametrize("side", [1, -1])
def test_it_begins_with_a_market_order_and_a_written_down_end(side):
    state, intent = begun(side)
    assert (intent.action, intent.kind, intent.side, intent.share, intent.reason) == (
        PLACE,
        MARKET_ORDER,
        side,
        0.01,
        33,
    )
    assert (state.phase, state.stop_price, state.target_price) == (
        ot.ENTERING,
        100.0 - side,
        100.0 + 2 * side,
    )
    assert state.until_ns == 1060 * SECOND


def test_a_filled_entry_holds_and_an_unfilled_one_ends():
    state, _ = begun()
    state.open_orders = 1
    ot.synchronise(market(1001), state)
    assert state.phase == ot.ENTERING
    assert ot.manage(market(1001), state, 0.01).reason == ot.WAITING
    state.open_orders = 0
    ot.synchronise(market(1002), state)
    assert (state.phase, state.ended_ns) == (ot.FLAT, 1002 * SECOND)
    assert held().phase == ot.HOLDING


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("moved", "reason"),
    [(-1.01, ot.STOP), (-0.99, ot.TARGET_ORDER), (1.99, ot.TARGET_ORDER), (2.01, ot.TARGET)],
)
def test_stop_and_target_are_prices_of_the_mid(side, moved, reason):
    intent = ot.manage(market(1001, 100.0 + side * moved), held(side), 0.01)
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == ot.TARGET_ORDER else EXIT)
    if intent.action == PLACE:
        assert (intent.kind, intent.side, intent.price, intent.reduce_only) == (
            POST_ONLY,
            -side,
            100.0 + 2 * side,
            1,
        )


def test_the_target_is_placed_once_nothing_else_is_open_and_not_without_one():
    state = held()
    state.open_orders = 1
    assert ot.manage(market(1001), state, 0.01).action == HOLD
    # With the order at rest, a mid beyond it is the venue's business.
    assert ot.manage(market(1001, 103.0), state, 0.01).action == HOLD
    assert ot.manage(market(1001, 150.0), held(target=math.nan), 0.01).reason == ot.WAITING


@pytest.mark.parametrize(("at_s", "action"), [(1059, HOLD), (1060, EXIT)])
def test_it_ends_in_time(at_s, action):
    state = held()
    state.open_orders = 1
    assert ot.manage(market(at_s), state, 0.01).action == action


def test_an_exit_is_tried_again_until_flat():
    state = held()
    state.open_orders = 1
    assert ot.leave(state, 44).reason == 44
    assert ot.manage(market(1002), state, 0.01).reason == ot.WAITING
    state.open_orders = 0
    again = ot.manage(market(1003), state, 0.01)
    assert (again.action, again.reason) == (EXIT, ot.LEFT_OVER)
    state.position = 0.0
    ot.synchronise(market(1004), state)
    assert state.phase == ot.FLAT


def test_a_fill_after_the_entry_was_given_up_is_closed():
    state, _ = begun()
    ot.synchronise(market(1001), state)
    assert state.phase == ot.FLAT
    state.position = 1.0
    ot.synchronise(market(1002), state)
    intent = ot.manage(market(1002), state, 0.01)
    assert (intent.action, intent.reason) == (EXIT, ot.LEFT_OVER)
    state.position = 0.0
    ot.synchronise(market(1003), state)
    assert state.phase == ot.FLAT


def test_what_is_left_open_once_the_target_has_filled_is_cancelled():
    state = held()
    state.position, state.open_orders = 0.0, 1
    ot.synchronise(market(1002), state)
    intent = ot.manage(market(1002), state, 0.01)
    assert (intent.action, intent.reason) == (CANCEL, ot.LEFT_OVER)
    state.open_orders = 0
    ot.synchronise(market(1003), state)
    assert state.phase == ot.FLAT


@pytest.mark.parametrize(("after_s", "cooling"), [(119, True), (120, False)])
def test_the_cooldown_counts_from_the_end_of_the_trade(after_s, cooling):
    state = ot.new_trade_state(STATE)
    assert not ot.is_cooling(market(5), state, 120.0)
    state.ended_ns = 1000 * SECOND
    assert ot.is_cooling(market(1000 + after_s), state, 120.0) == cooling


@pytest.mark.parametrize(
    ("move", "spread", "enough"),
    [(0.0017, 1.0, True), (0.001699, 1.0, False), (np.nan, 1.0, False), (0.0017, np.nan, False)],
)
def test_an_edge_is_a_multiple_of_fees_and_spread(move, spread, enough):
    assert ot.beats_costs(move, spread, 7.5, 2.0) == enough
