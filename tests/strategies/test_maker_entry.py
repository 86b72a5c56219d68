"""Quoting an entry: one order at the touch, moved when the market moves away, left alone once anything has filled."""

from __future__ import annotations

import numpy as np
import pytest

from models.market.features.records import record_dtype
from models.strategies.intent import CANCEL, HOLD, PLACE, POST_ONLY, TOLD
from models.strategies.maker_entry import MAKER_ENTRY, keep_quoting
from tests.strategies.hand_ticks import NOW, S, market

STATE = record_dtype([*TOLD, *MAKER_ENTRY, ("side", np.int64)])
PLACED, MOVED, WAITING = 1, 2, 3


def quoting(side):
    state = np.zeros(1, STATE)[0]
    state.side, state.quoted = side, np.nan
    return state


def ask(state, mid=100.0, at_ns=NOW):
    return keep_quoting(market(at_ns, mid, 2.0), state, 0.01, PLACED, MOVED, WAITING)


@pytest.mark.parametrize(("side", "price"), [(1, 99.99), (-1, 100.01)])
def test_it_quotes_the_touch_and_follows_it_away(side, price):
    state = quoting(side)
    intent = ask(state)
    assert (intent.action, intent.kind, intent.side, intent.share) == (PLACE, POST_ONLY, side, 0.01)
    assert intent.price == pytest.approx(price)
    state.open_orders = 1
    assert ask(state).action == HOLD
    assert ask(state, 100.0 - side).action == HOLD  # the market came towards the order
    moved = ask(state, 100.0 + side)
    assert (moved.action, moved.reason) == (CANCEL, MOVED)
    assert ask(state, 100.0 + 2 * side).action == HOLD  # the cancel is under way
    state.open_orders = 0
    again = ask(state, 100.0 + side, NOW + S)
    assert (again.action, again.price) == (PLACE, pytest.approx(price * (100.0 + side) / 100.0))


def test_a_refused_order_is_not_sent_again_at_once():
    state = quoting(1)
    ask(state)
    assert ask(state, at_ns=NOW + S - 1).reason == WAITING
    assert ask(state, at_ns=NOW + S).reason == PLACED


@pytest.mark.parametrize("orders", [0, 1])
def test_once_anything_has_filled_nothing_is_moved_or_added(orders):
    state = quoting(1)
    ask(state)
    state.position, state.open_orders = 0.5, orders
    assert ask(state, 105.0, NOW + 9 * S).reason == WAITING
