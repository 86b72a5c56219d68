"""S14: every rule at its edge, and a trade from the gap to flat."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.strategies import basis_arbitrage as s14
from models.strategies import two_legs as legs
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from tests.strategies.hand_ticks import DAY, NOW, Desk, H, S, at, market, outlook

PARAMS = s14.Params()
# Fees of four fills, 31 bps, and 1 bp of spread in each market.
COSTS = 2 * (0.00055 + 0.001) + 0.0001 + 0.0001


def spot(at_ns=NOW, mid=100.0, spread_bps=1.0, **others):
    half = 0.5e-4 * spread_bps
    return outlook(spot_bid=mid * (1.0 - half), spot_ask=mid * (1.0 + half), spot_at_ns=at_ns, **others)


def look(premium, seen=None, params=PARAMS, state=None, **others):
    state = s14.new_state() if state is None else state
    return s14.step(
        market(mid=100.0 * (1.0 + premium), **others), spot() if seen is None else seen, params, state
    )


def holding(premium=0.005, side=-1):
    state = s14.new_state()
    params = PARAMS._replace(short_spot=1)
    assert look(-side * premium, params=params, state=state).action == PLACE
    state.position = float(side)
    return state


@pytest.mark.parametrize(
    ("premium", "reason"),
    [
        (0.000499, s14.NO_SIGNAL),
        (0.000501, s14.BELOW_COSTS),
        (0.0005 + COSTS - 1e-7, s14.BELOW_COSTS),
        (0.0005 + COSTS + 1e-7, legs.ENTRY),
        (0.0501, s14.PRICES_APART),
    ],
)
def test_the_premium_must_beat_its_least_and_all_costs(premium, reason):
    intent = look(premium)
    assert intent.reason == reason
    if reason == legs.ENTRY:
        assert (intent.action, intent.kind, intent.side, intent.share) == (PLACE, MARKET_ORDER, -1, 0.02)


@pytest.mark.parametrize(("short_spot", "reason"), [(0, s14.NO_SIGNAL), (1, legs.ENTRY)])
def test_spot_is_sold_short_only_where_it_may_be(short_spot, reason):
    assert look(-0.005, params=PARAMS._replace(short_spot=short_spot)).reason == reason


@pytest.mark.parametrize(("extra", "reason"), [(-1e-7, s14.BELOW_COSTS), (1e-7, legs.ENTRY)])
def test_a_loan_of_spot_costs_its_interest_over_the_hold(extra, reason):
    premium = -(0.0005 + COSTS + 0.0003 + extra)
    assert look(premium, params=PARAMS._replace(short_spot=1)).reason == reason


@pytest.mark.parametrize(
    ("settles_in_ns", "rate", "reason"),
    [
        (H, -0.01, s14.BELOW_COSTS),
        (DAY, -0.01, s14.BELOW_COSTS),
        (DAY + 1, -0.01, legs.ENTRY),
        (0, -0.01, legs.ENTRY),
        (H, 0.01, legs.ENTRY),
        (H, np.nan, legs.ENTRY),
    ],
)
def test_funding_to_be_paid_within_the_hold_is_a_cost_and_to_be_received_is_nothing(
    settles_in_ns, rate, reason
):
    seen = spot(settlement_ns=NOW + settles_in_ns, indicative_rate=rate)
    assert look(0.005, seen).reason == reason
    if reason == legs.ENTRY:
        assert look(0.0005 + COSTS - 1e-7, seen).reason == s14.BELOW_COSTS


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (spot(NOW - 75 * S), legs.ENTRY),
        (spot(NOW - 75 * S - 1), s14.LEG_UNKNOWN),
        (outlook(), s14.LEG_UNKNOWN),
        (spot(mid=np.nan), s14.LEG_UNKNOWN),
    ],
)
def test_spot_must_be_known_and_fresh(seen, reason):
    assert look(0.005, seen).reason == reason


def test_an_invalid_book_and_an_unknown_mid_do_not_trade():
    assert look(0.005, valid=0).reason == s14.BOOK_INVALID
    assert s14.step(market(mid=np.nan), spot(), PARAMS, s14.new_state()).action == HOLD
    assert s14.step(market(mid=101.0, spread_bps=np.nan), spot(), PARAMS, s14.new_state()).action == HOLD


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("premium", "reason"),
    [
        (0.0000999, s14.CONVERGED),
        (0.000101, s14.NO_SIGNAL),
        (-0.001, s14.CONVERGED),
        (0.00999, s14.NO_SIGNAL),
        (0.010001, s14.STOP),
    ],
)
def test_it_leaves_when_the_gap_is_closed_or_wider_by_the_stop(premium, reason, side):
    state = holding(0.005, side)
    intent = s14.step(market(NOW + S, 100.0 * (1.0 - side * premium)), spot(NOW + S), PARAMS, state)
    assert (intent.reason, intent.action) == (reason, HOLD if reason == s14.NO_SIGNAL else EXIT)


@pytest.mark.parametrize(("after_ns", "reason"), [(DAY - 1, s14.NO_SIGNAL), (DAY, s14.TIME_OUT)])
def test_it_is_out_after_a_day(after_ns, reason):
    row = market(NOW + after_ns, 100.4)
    assert s14.step(row, spot(NOW + after_ns), PARAMS, holding()).reason == reason


@pytest.mark.parametrize(
    ("age_s", "pending_s", "reason"),
    [(120, 0.0, s14.NO_SIGNAL), (121, 0.0, s14.LEG_RISK), (0, 10.0, s14.NO_SIGNAL), (0, 10.5, s14.LEG_RISK)],
)
def test_a_stale_or_missing_spot_leg_ends_the_trade(age_s, pending_s, reason):
    state = holding()
    state.leg_pending_s = pending_s
    now = NOW + 1000 * S
    intent = s14.step(market(now, 100.4), spot(now - age_s * S), PARAMS, state)
    assert intent.reason == reason
    assert state.leg_wanted == (0.0 if reason == s14.LEG_RISK else 1.0)


def test_on_an_invalid_book_both_legs_are_kept():
    state = holding()
    state.leg_pending_s = 99.0
    assert s14.step(market(NOW + S, valid=0), spot(), PARAMS, state).reason == s14.BOOK_INVALID
    assert state.leg_wanted == 1.0


@pytest.mark.parametrize(("after_s", "reason"), [(299, s14.COOLING_DOWN), (300, legs.ENTRY)])
def test_it_rests_after_a_trade(after_s, reason):
    state = s14.new_state()
    state.left_ns = NOW - after_s * S
    assert look(0.005, state=state).reason == reason


def test_a_gap_that_closes_is_earned_on_both_legs_less_all_costs():
    state = s14.new_state()
    desk = Desk(
        s14.step,
        PARAMS,
        state,
        fee=0.00055,
        leg_fee=0.001,
        quote=lambda o: (o.spot_bid, o.spot_ask, o.spot_at_ns),
    )
    row, seen = market(), spot()
    for k in range(60):
        now = NOW + k * S
        premium = 0.006 if k < 20 else 0.0
        price = 100.0 + 0.05 * k  # both markets drift: the hedge makes that irrelevant
        seen.spot_bid, seen.spot_ask, seen.spot_at_ns = price * 0.99995, price * 1.00005, now
        desk.tick(at(row, now, price * (1.0 + premium)), seen)
        if 3 <= k < 20:
            assert state.leg_position == -state.position > 0.0
    assert (state.position, state.leg_position, state.phase) == (0.0, 0.0, legs.FLAT)
    assert desk.reasons.count(legs.ENTRY) == desk.reasons.count(s14.CONVERGED) == 1
    # 60 bps of 200 USD less 33 bps of costs, and the drift of 5 bps in each of two ticks between the legs' fills.
    assert desk.cash == pytest.approx(200.0 * (0.006 - COSTS), abs=0.25)
    assert desk.cash > 0.0


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"least_premium": np.nan}, {"exit_premium": 0.01}, {"short_spot": 2}]
)
def test_parameters_out_of_range_are_refused(wrong):
    assert s14.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s14.check_params(PARAMS._replace(**wrong))
