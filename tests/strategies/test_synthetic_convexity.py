"""S19: every rule at its edge, and what the hedge earns and loses against its own identity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import ConfigError
from models.strategies import synthetic_convexity as s19
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from models.strategies.option_greeks import YEAR_S, straddle
from tests.strategies.hand_ticks import DAY, NOW, Desk, H, S, at, market, outlook

PARAMS = s19.Params()
VOLATILITY = 0.6
SEEN = outlook(implied_volatility=VOLATILITY)


def trending(at_ns=NOW, mid=100.0, hurst=0.6, **others):
    return market(at_ns, mid, hurst_finer=hurst, **others)


def running():
    state = s19.new_state()
    assert s19.step(trending(), SEEN, PARAMS, state).reason == s19.START
    return state


def delta_at(mid, after_ns):
    return straddle(mid, 100.0, VOLATILITY, (PARAMS.tenor_s - 1e-9 * after_ns) / YEAR_S).delta


@pytest.mark.parametrize(
    ("hurst", "reason"), [(0.5499, s19.NO_TREND), (0.55, s19.START), (np.nan, s19.NO_TREND)]
)
def test_it_starts_only_in_a_trend(hurst, reason):
    assert s19.step(trending(hurst=hurst), SEEN, PARAMS, s19.new_state()).reason == reason


@pytest.mark.parametrize(
    ("volatility", "reason"),
    [(np.nan, s19.NO_VOLATILITY), (0.0499, s19.NO_VOLATILITY), (5.0, s19.START), (5.01, s19.NO_VOLATILITY)],
)
def test_it_needs_a_plausible_volatility(volatility, reason):
    seen = outlook(implied_volatility=volatility)
    assert s19.step(trending(), seen, PARAMS, s19.new_state()).reason == reason


@pytest.mark.parametrize(("factor", "reason"), [(0.999, s19.BELOW_COSTS), (1.001, s19.START)])
def test_hedging_must_cost_little_beside_the_straddle(factor, reason):
    costs = (PARAMS.taker_fee + 0.5e-4) * (1.0 / PARAMS.band + 1.0)
    # Bachelier's price of a straddle at the money, turned around.
    volatility = factor * costs / PARAMS.most_cost_share / math.sqrt(2.0 / 365.0 / math.pi)
    seen = outlook(implied_volatility=volatility)
    assert s19.step(trending(), seen, PARAMS, s19.new_state()).reason == reason


def test_an_invalid_book_and_an_unknown_spread_start_nothing():
    assert s19.step(trending(valid=0), SEEN, PARAMS, s19.new_state()).reason == s19.BOOK_INVALID
    assert s19.step(trending(spread_bps=np.nan), SEEN, PARAMS, s19.new_state()).reason == s19.BELOW_COSTS
    assert s19.step(trending(valid=0), SEEN, PARAMS, running()).reason == s19.BOOK_INVALID


@pytest.mark.parametrize("side", [1, -1])
def test_it_trades_once_delta_is_a_band_away(side):
    sd = VOLATILITY / math.sqrt(365.0)
    held, traded = (100.0 * math.exp(side * k * sd) for k in (0.15, 0.25))
    state = running()
    assert abs(delta_at(held, 0)) < PARAMS.band < abs(delta_at(traded, 0))
    assert s19.step(trending(NOW, held), SEEN, PARAMS, state).reason == s19.WITHIN_BAND
    intent = s19.step(trending(NOW, traded), SEEN, PARAMS, state)
    assert (intent.action, intent.kind, intent.side) == (PLACE, MARKET_ORDER, side)
    delta = delta_at(traded, 0)
    assert intent.share == pytest.approx(PARAMS.capital_share * abs(delta) * traded / 100.0)
    assert (state.delta, state.gamma > 0.0, state.theta < 0.0, state.vega > 0.0) == (delta, True, True, True)


def test_no_order_is_larger_than_the_limit_and_none_is_sent_while_one_is_under_way():
    state = running()
    intent = s19.step(trending(NOW + S, 120.0), SEEN, PARAMS, state)
    assert (intent.share, state.ordered) == (PARAMS.capital_share, pytest.approx(100.0 / 120.0))
    state.open_orders = 1
    assert s19.step(trending(NOW + 60 * S, 120.0), SEEN, PARAMS, state).reason == s19.WAITING


@pytest.mark.parametrize(("gap_ns", "reason"), [(5 * S - 1, s19.WAITING), (5 * S, s19.REBALANCE)])
def test_orders_keep_their_distance(gap_ns, reason):
    state = running()
    assert s19.step(trending(NOW + S, 103.0), SEEN, PARAMS, state).reason == s19.REBALANCE
    # Nothing came of it: tried again after the gap.
    assert s19.step(trending(NOW + S + gap_ns, 103.0), SEEN, PARAMS, state).reason == reason


def test_fills_show_what_a_delta_of_one_is():
    state = running()
    s19.step(trending(NOW + S, 103.0), SEEN, PARAMS, state)
    ordered = state.ordered
    state.position = 2.0 * ordered
    s19.step(trending(NOW + 2 * S, 103.0), SEEN, PARAMS, state)
    assert state.base_per_delta == pytest.approx(2.0)
    assert s19.held_delta(state) == pytest.approx(ordered)


@pytest.mark.parametrize(("left_s", "reason"), [(901, s19.WITHIN_BAND), (900, s19.EXPIRED)])
def test_it_closes_before_expiry(left_s, reason):
    state = running()
    now = NOW + DAY - left_s * S
    state.position, state.base_per_delta = 1.0, 1.0
    intent = s19.step(trending(now, 110.0), SEEN, PARAMS, state)
    assert (intent.reason, intent.action) == (reason, EXIT if reason == s19.EXPIRED else HOLD)


@pytest.mark.parametrize(("factor", "stops"), [(0.99, False), (1.01, True)])
def test_it_stops_after_one_and_a_half_premiums(factor, stops):
    state = running()
    state.position, state.base_per_delta = 1.0, 1.0
    mid = 100.0 * (1.0 - factor * PARAMS.stop_premiums * state.premium)
    assert (s19.step(trending(NOW + S, mid), SEEN, PARAMS, state).reason == s19.STOP) == stops


def test_an_exit_is_tried_again_and_then_it_rests():
    state = running()
    state.phase, state.position = s19.EXITING, 1.0
    assert s19.step(trending(valid=0), SEEN, PARAMS, state).action == HOLD
    assert s19.step(trending(), SEEN, PARAMS, state).reason == s19.LEFT_OVER
    state.open_orders = 1
    assert s19.step(trending(), SEEN, PARAMS, state).reason == s19.WAITING
    state.open_orders, state.position = 0, 0.0
    assert s19.step(trending(NOW + S), SEEN, PARAMS, state).reason == s19.RESTING
    assert s19.step(trending(NOW + H + S - 1), SEEN, PARAMS, state).reason == s19.RESTING
    assert s19.step(trending(NOW + H + S), SEEN, PARAMS, state).reason == s19.START


def hedge(returns, params, step_s=60):
    """Run it over log returns; what it made and turned over per notional, and the identity's three terms per strike."""
    state = s19.new_state()
    desk = Desk(s19.step, params, state, capital=1_000_000.0)
    row, mids = trending(spread_bps=0.0), 100.0 * np.exp(np.r_[0.0, np.cumsum(returns)])
    variance = 0.0
    for k, mid in enumerate(mids):
        desk.tick(at(row, NOW + k * step_s * S, mid, 0.0), SEEN)
        if state.phase == s19.EXITING:
            break
        if k + 1 < len(mids):
            moved = mids[k + 1] - mid
            greeks = straddle(mid, 100.0, VOLATILITY, (params.tenor_s - k * step_s) / YEAR_S)
            variance += 0.5 * greeks.gamma * (moved**2 - (mid * VOLATILITY) ** 2 * step_s / YEAR_S)
    end = mids[k]
    desk.tick(at(row, NOW + (k + 1) * step_s * S, end, 0.0), SEEN)
    assert state.position == 0.0
    notional = params.capital_share * 1_000_000.0
    left = straddle(end, 100.0, VOLATILITY, params.close_before_s / YEAR_S).price
    return desk.cash / notional, desk.turnover / notional, (left / 100.0, state.premium, variance / 100.0)


PATIENT = PARAMS._replace(stop_premiums=100.0, rebalance_gap_s=0.0)


@pytest.mark.parametrize("realised", [0.3, 0.6, 0.9])
def test_what_it_makes_is_the_identity(realised):
    """Integral of delta dS = straddle at the end - premium - 1/2 integral of gamma S^2 (r^2 - s^2) dt."""
    rng = np.random.default_rng(19)
    fine = PATIENT._replace(band=0.02, taker_fee=0.0)
    for _ in range(3):
        made, _, (left, premium, variance) = hedge(
            realised * math.sqrt(60.0 / YEAR_S) * rng.standard_normal(1440), fine
        )
        assert made == pytest.approx(left - premium - variance, abs=0.1 * premium)


def test_it_earns_on_a_straight_way_and_loses_on_one_that_goes_nowhere():
    straight = hedge(np.full(1440, 0.08 / 1440), PATIENT)
    # Up and down by 0.6 % every hour: as volatile as assumed, and back where it began.
    hourly = np.where(np.arange(1440) % 120 == 0, 0.006, -0.006)
    nowhere = hedge(np.where(np.arange(1440) % 60 == 0, hourly, 0.0), PATIENT)
    assert straight[0] > 0.5 * 0.08
    assert -1.5 * nowhere[2][1] < nowhere[0] < -0.3 * nowhere[2][1]


def test_turnover_is_about_one_over_the_band_and_the_closing_trade():
    rng = np.random.default_rng(190)
    scale = VOLATILITY * math.sqrt(60.0 / YEAR_S)
    turnovers = [hedge(scale * rng.standard_normal(1440), PATIENT)[1] for _ in range(24)]
    expected = 1.0 / PARAMS.band + 1.0
    assert 0.5 * expected < np.mean(turnovers) < 1.2 * expected


@pytest.mark.parametrize("wrong", [{"capital_share": 0.021}, {"band": np.nan}, {"close_before_s": 50_000.0}])
def test_parameters_out_of_range_are_refused(wrong):
    assert s19.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s19.check_params(PARAMS._replace(**wrong))
