"""S5: every rule at its edge."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies import impact_reversion as s5
from models.strategies.intent import CANCEL, EXIT, HOLD, MARKET_ORDER, PLACE, POST_ONLY

MARKET = record_dtype(
    [
        *((n, np.float64) for n in ("mid", "spread_bps", "impact_bps", "impact_side", "impact_age_s")),
        ("tick_at_ns", np.int64),
        ("valid", np.int64),
    ]
)
MS = 1_000_000
WHALE = 1_000_000_000_000
PARAMS = s5.Params()


def market(after_ms, mid=100.0, impact=3.0, side=1.0, spread=1.0, valid=1):
    row = np.zeros(1, MARKET)[0]
    row.tick_at_ns = WHALE + after_ms * MS
    row.impact_age_s = 1e-9 * after_ms * MS
    row.impact_bps, row.impact_side, row.spread_bps = impact, side, spread
    row.mid, row.valid = mid, valid
    return row


def holding(side=1.0, impact=3.0):
    """A state that has entered at 100 against a whale of `side`."""
    state = s5.new_state()
    s5.step(market(250, side=side, impact=impact), PARAMS, state)
    s5.step(market(500, side=side, impact=impact), PARAMS, state)
    state.position = -side
    state.entry_price = 100.0
    return state


@pytest.mark.parametrize(
    ("impact", "spread", "armed"),
    [(1.5, 1.0, False), (1.51, 1.0, True), (3.0, 2.0, False), (3.0, 1.99, True), (np.nan, 1.0, False)],
)
def test_a_signal_needs_impact_above_and_spread_below_its_limit(impact, spread, armed):
    state = s5.new_state()
    s5.step(market(250, impact=impact, spread=spread), PARAMS, state)
    assert (state.phase == s5.ARMED) == armed


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_it_enters_against_the_whale_500_ms_after_its_print(side):
    state = s5.new_state()
    early = s5.step(market(499, side=side), PARAMS, state)
    assert (early.action, early.reason) == (HOLD, s5.WAITING)
    intent = s5.step(market(500, side=side), PARAMS, state)
    assert (intent.action, intent.kind, intent.side) == (PLACE, MARKET_ORDER, -side)
    assert intent.share == 0.02


@pytest.mark.parametrize(("after_ms", "action"), [(1000, PLACE), (1001, HOLD)])
def test_a_stale_signal_is_dropped(after_ms, action):
    state = s5.new_state()
    s5.step(market(250), PARAMS, state)
    assert s5.step(market(after_ms), PARAMS, state).action == action


def test_nothing_is_sent_on_an_invalid_book():
    state = s5.new_state()
    s5.step(market(250), PARAMS, state)
    assert s5.step(market(500, valid=0), PARAMS, state).reason == s5.BOOK_INVALID
    state = holding()
    assert s5.step(market(9000, valid=0, mid=np.nan), PARAMS, state).reason == s5.BOOK_INVALID


def test_a_whale_is_answered_once_and_another_is_passed_over_meanwhile():
    state = holding()
    newer = market(800)
    newer.impact_age_s = 0.1
    assert s5.step(newer, PARAMS, state).kind != MARKET_ORDER
    state.position = 0.0
    s5.step(market(900), PARAMS, state)
    s5.step(market(950), PARAMS, state)
    assert s5.step(market(1000), PARAMS, state).action == HOLD
    assert state.phase == s5.FLAT


def test_an_entry_that_did_not_fill_leaves_it_flat():
    state = holding()
    state.position = 0.0
    s5.step(market(750), PARAMS, state)
    assert state.phase == s5.FLAT


@pytest.mark.parametrize(
    ("moved_bps", "reason"),
    [(1.51, s5.TARGET), (1.49, s5.TARGET_ORDER), (-0.99, s5.TARGET_ORDER), (-1.01, s5.STOP)],
)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_target_is_half_the_impact_and_stop_a_third(moved_bps, reason, side):
    mid = 100.0 * (1.0 - 1e-4 * side * moved_bps)
    intent = s5.step(market(750, mid=mid, side=side), PARAMS, holding(side))
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == s5.TARGET_ORDER else EXIT)


def test_the_target_rests_post_only_and_reduces_only():
    state = holding()
    intent = s5.step(market(750), PARAMS, state)
    assert (intent.kind, intent.side, intent.reduce_only) == (POST_ONLY, 1, 1)
    assert intent.price == pytest.approx(100.0 * (1.0 - 1.5e-4))
    state.open_orders = 1
    assert s5.step(market(1000), PARAMS, state).action == HOLD


@pytest.mark.parametrize(("after_ms", "action"), [(5499, HOLD), (5500, EXIT)])
def test_it_is_out_after_five_seconds(after_ms, action):
    state = holding()
    state.open_orders, state.target_sent = 1, 1
    assert s5.step(market(after_ms), PARAMS, state).action == action


def test_an_exit_that_did_not_fill_is_tried_again_and_ends_flat():
    state = holding()
    assert s5.step(market(6000), PARAMS, state).action == EXIT
    state.open_orders = 1
    assert s5.step(market(6250), PARAMS, state).reason == s5.WAITING
    state.open_orders = 0
    assert s5.step(market(6500), PARAMS, state).action == EXIT
    state.position = 0.0
    s5.step(market(6750), PARAMS, state)
    assert state.phase == s5.FLAT


def test_what_is_left_open_after_the_target_is_cancelled():
    state = holding()
    s5.step(market(750), PARAMS, state)
    state.position, state.open_orders = 0.0, 1
    assert s5.step(market(1000), PARAMS, state).action == CANCEL


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"least_impact_bps": 0.0}, {"stop_share": np.nan}]
)
def test_parameters_out_of_range_are_refused(wrong):
    assert s5.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s5.check_params(PARAMS._replace(**wrong))
