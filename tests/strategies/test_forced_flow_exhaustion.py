"""S6: every rule at its edge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.features.forced_flow import FORCED, INFORMED, UNKNOWN
from models.market.features.records import record_dtype
from models.strategies import forced_flow_exhaustion as s6
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY

NAMES = ("mid", "best_bid", "best_ask", "lpi", "z_price_impact", "flow_state", "exhausted", "pressure_side")
MARKET = record_dtype([*((n, np.float64) for n in NAMES), ("tick_at_ns", np.int64), ("valid", np.int64)])
START = 1_000_000_000_000
PARAMS = s6.Params()
SIGMA = 1e-3


def market(after_s=0.0, **changed):
    row = np.zeros(1, MARKET)[0]
    row.tick_at_ns = START + int(1e9 * after_s)
    row.mid, row.best_bid, row.best_ask, row.valid = 100.0, 99.5, 100.5, 1
    row.lpi, row.z_price_impact, row.flow_state = 5.0, 0.0, FORCED
    row.exhausted, row.pressure_side = 1.0, -1.0
    for name, value in changed.items():
        setattr(row, name, value)
    return row


def ready():
    """A flat state that knows its sigma; the next tick is at START."""
    state = s6.new_state()
    state.last_ns = START
    state.variance_weight_s = 1000.0
    state.variance_per_s = SIGMA**2 / PARAMS.sigma_horizon_s
    return state


def working(position=0.0, open_orders=3):
    state = ready()
    assert s6.step(market(), PARAMS, state).action == PLACE
    state.position, state.open_orders = position, open_orders
    state.entry_price = 100.0 if position else np.nan
    return state


@pytest.mark.parametrize(("pressure", "side", "price"), [(-1.0, 1, 99.5), (1.0, -1, 100.5)])
def test_it_fades_exhausted_forced_flow_in_three_maker_layers(pressure, side, price):
    intent = s6.step(market(pressure_side=pressure), PARAMS, ready())
    assert (intent.action, intent.kind, intent.side, intent.price) == (PLACE, POST_ONLY, side, price)
    assert (intent.layers, intent.deepest_ticks) == (3, 3)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"flow_state": UNKNOWN}, s6.NO_SIGNAL),
        ({"flow_state": INFORMED}, s6.INFORMED_FLOW),
        ({"exhausted": 0.0}, s6.NO_SIGNAL),
        ({"z_price_impact": 2.0}, s6.IMPACT_TOO_HIGH),
        ({"z_price_impact": np.nan}, s6.IMPACT_TOO_HIGH),
        ({"lpi": 3.0}, s6.NO_SIZE),
        ({"lpi": np.nan}, s6.NO_SIZE),
        ({"pressure_side": np.nan}, s6.NO_SIZE),
        ({"valid": 0}, s6.BOOK_INVALID),
    ],
)
def test_what_is_not_faded(changed, reason):
    intent = s6.step(market(**changed), PARAMS, ready())
    assert (intent.action, intent.reason) == (HOLD, reason)


def test_just_inside_the_limits_it_trades():
    assert s6.step(market(z_price_impact=1.999, lpi=3.001), PARAMS, ready()).action == PLACE


def test_size_is_w_max_over_sigma_times_tanh_and_capped():
    intent = s6.step(market(lpi=5.0), PARAMS, ready())
    assert intent.share == pytest.approx(1e-5 / SIGMA * math.tanh(1.0))
    assert s6.size_of(5.0, 1e-6, PARAMS) == 0.02


def test_without_a_sigma_it_does_not_trade():
    assert s6.step(market(), PARAMS, s6.new_state()).reason == s6.SIGMA_UNKNOWN


def test_sigma_is_that_of_the_mid():
    state, rng, mid = s6.new_state(), np.random.default_rng(5), 100.0
    for k in range(4000):
        mid *= math.exp(1e-4 * rng.standard_normal())
        s6.step(market(0.25 * k, mid=mid, exhausted=0.0), PARAMS, state)
    assert s6.sigma_of(PARAMS, state) == pytest.approx(1e-4 * math.sqrt(4 * 120.0), rel=0.05)


@pytest.mark.parametrize(
    ("after_s", "changed", "reason"),
    [
        (119.9, {}, s6.NO_SIGNAL),
        (120.0, {}, s6.TIME_OUT),
        (10.0, {"lpi": 1.2}, s6.NO_SIGNAL),
        (10.0, {"lpi": 1.19}, s6.CALM),
        (10.0, {"mid": 100.0 * math.exp(-2.49 * SIGMA)}, s6.NO_SIGNAL),
        (10.0, {"mid": 100.0 * math.exp(-2.51 * SIGMA)}, s6.STOP),
        (10.0, {"mid": 100.0 * math.exp(2.6 * SIGMA)}, s6.NO_SIGNAL),
        (130.0, {"valid": 0, "mid": np.nan}, s6.BOOK_INVALID),
    ],
)
def test_exits(after_s, changed, reason):
    intent = s6.step(market(after_s, **changed), PARAMS, working(position=1.0, open_orders=0))
    assert intent.reason == reason
    assert (intent.action == EXIT) == (reason in (s6.TIME_OUT, s6.CALM, s6.STOP))


@pytest.mark.parametrize("changed", [{"flow_state": INFORMED}, {"z_price_impact": 2.0}])
def test_resting_entries_are_taken_back_when_nothing_may_be_faded(changed):
    assert s6.step(market(1.0, **changed), PARAMS, working()).action == CANCEL
    assert s6.step(market(1.0, **changed), PARAMS, working(1.0, 0)).action == HOLD


def test_an_exit_is_tried_again_until_flat():
    state = working(1.0, 0)
    assert s6.step(market(121.0), PARAMS, state).action == EXIT
    assert s6.step(market(122.0), PARAMS, state).reason == s6.LEFT_OVER
    state.open_orders = 1
    assert s6.step(market(123.0), PARAMS, state).reason == s6.WAITING
    state.position, state.open_orders = 0.0, 0
    s6.step(market(124.0, exhausted=0.0), PARAMS, state)
    assert state.phase == s6.FLAT


@pytest.mark.parametrize(
    "wrong", [{"time_stop_s": 29.9}, {"time_stop_s": 180.1}, {"deepest_ticks": 4}, {"most_share": 0.03}]
)
def test_parameters_out_of_range_are_refused(wrong):
    assert s6.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s6.check_params(PARAMS._replace(**wrong))
