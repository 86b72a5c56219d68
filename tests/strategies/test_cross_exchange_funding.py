"""S17: every rule at its edge, and a trade that receives a settlement."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.strategies import cross_exchange_funding as s17
from models.strategies import two_legs as legs
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from tests.strategies.hand_ticks import DAY, NOW, Desk, H, S, at, market, outlook

PARAMS = s17.Params()
COSTS = 4 * 0.00055 + 0.0001 + 0.0001


def venues(
    own=0.0008,
    other=0.0,
    at_ns=NOW,
    mid=100.0,
    interval_h=8.0,
    other_interval_h=8.0,
    own_in=4 * H,
    other_in=4 * H,
):
    return outlook(
        own_rate_per_h=own,
        other_rate_per_h=other,
        settlement_ns=NOW + own_in,
        interval_h=interval_h,
        other_settlement_ns=NOW + other_in,
        other_interval_h=other_interval_h,
        other_bid=mid * (1.0 - 0.5e-4),
        other_ask=mid * (1.0 + 0.5e-4),
        other_at_ns=at_ns,
    )


def look(seen, params=PARAMS, state=None, **others):
    return s17.step(market(**others), seen, params, s17.new_state() if state is None else state)


def holding(side=-1):
    state = s17.new_state()
    assert look(venues(own=-side * 0.0008), state=state).side == side
    state.position = float(side)
    return state


@pytest.mark.parametrize(
    ("own", "other", "side"), [(0.0008, 0.0, -1), (-0.0008, 0.0, 1), (0.0, 0.0008, 1), (-0.0002, -0.001, -1)]
)
def test_it_is_short_where_funding_is_high(own, other, side):
    intent = look(venues(own, other))
    assert (intent.action, intent.kind, intent.side, intent.share) == (PLACE, MARKET_ORDER, side, 0.02)


@pytest.mark.parametrize(
    ("own", "reason"), [(0.0003, s17.NO_SIGNAL), (0.00030001, legs.ENTRY), (np.nan, s17.NO_SIGNAL)]
)
def test_the_spread_per_hour_must_exceed_its_least(own, reason):
    # A settlement 30 h long, so that costs are no matter.
    seen = venues(own, 0.0, interval_h=30.0, other_interval_h=30.0)
    assert look(seen).reason == reason


def test_rates_are_compared_per_hour():
    # 0.001 in 1 h against 0.0016 in 8 h: the own one is the high one.
    assert look(venues(0.001, 0.0002, interval_h=1.0)).side == -1


@pytest.mark.parametrize(("extra", "reason"), [(-1e-6, s17.BELOW_COSTS), (1e-6, legs.ENTRY)])
def test_what_is_received_at_both_venues_must_beat_four_fills(extra, reason):
    params = PARAMS._replace(hold_s=8 * 3600.0, half_life_h=1e4)
    # In 8 h the own venue settles once, after 4 h; the other one after 1, 5 h: two of its four-hour rates.
    received = COSTS + 0.0002 + extra
    seen = venues(received / 16.0, -received / 16.0, other_interval_h=4.0, other_in=H)
    params = params._replace(least_spread_per_h=1e-5, exit_spread_per_h=0.0)
    fading = 0.5 ** (4.0 / 1e4)
    seen.other_rate_per_h = -received / 8.0 / (1.0 + fading)
    assert look(seen, params).reason == reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"settlement_ns": 0},
        {"settlement_ns": NOW},
        {"other_settlement_ns": 0},
        {"interval_h": np.nan},
        {"other_interval_h": np.nan},
    ],
)
def test_both_schedules_must_be_known(wrong):
    seen = venues()
    for name, value in wrong.items():
        seen[name] = value
    assert look(seen).reason == s17.BELOW_COSTS


def test_a_settlement_after_the_hold_pays_nothing():
    assert look(venues(own_in=DAY)).reason == legs.ENTRY
    assert look(venues(own_in=DAY + 1)).reason == s17.BELOW_COSTS


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (venues(at_ns=NOW - 75 * S), legs.ENTRY),
        (venues(at_ns=NOW - 75 * S - 1), s17.LEG_UNKNOWN),
        (venues(mid=np.nan), s17.LEG_UNKNOWN),
        (venues(mid=97.9), s17.PRICES_APART),
        (venues(mid=98.1), legs.ENTRY),
        (venues(mid=0.1), s17.PRICES_APART),
    ],
)
def test_the_other_venue_must_be_known_fresh_and_the_same_thing(seen, reason):
    assert look(seen).reason == reason


def test_an_invalid_book_does_not_trade():
    assert look(venues(), valid=0).reason == s17.BOOK_INVALID
    assert look(venues(), spread_bps=np.nan).action == HOLD


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("spread", "reason"),
    [(0.000051, s17.NO_SIGNAL), (0.00005, s17.CONVERGED), (-0.001, s17.CONVERGED), (np.nan, s17.NO_SIGNAL)],
)
def test_it_leaves_when_the_spread_is_gone_or_turned(spread, reason, side):
    intent = s17.step(market(NOW + S), venues(-side * spread, 0.0, NOW + S), PARAMS, holding(side))
    assert (intent.reason, intent.action) == (reason, HOLD if reason == s17.NO_SIGNAL else EXIT)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("against", "reason"), [(0.00499, s17.NO_SIGNAL), (0.00501, s17.STOP), (-0.01, s17.NO_SIGNAL)]
)
def test_it_stops_when_prices_move_apart(against, reason, side):
    row = market(NOW + S, 100.0 * np.exp(-side * against))
    assert s17.step(row, venues(-side * 0.0008, 0.0, NOW + S), PARAMS, holding(side)).reason == reason


@pytest.mark.parametrize(("after_ns", "reason"), [(DAY - 1, s17.NO_SIGNAL), (DAY, s17.TIME_OUT)])
def test_it_is_out_after_the_hold(after_ns, reason):
    now = NOW + after_ns
    assert s17.step(market(now), venues(at_ns=now), PARAMS, holding()).reason == reason


@pytest.mark.parametrize(("age_s", "reason"), [(120, s17.NO_SIGNAL), (121, s17.LEG_RISK)])
def test_a_stale_other_venue_ends_the_trade(age_s, reason):
    state = holding()
    now = NOW + 1000 * S
    intent = s17.step(market(now), venues(at_ns=now - age_s * S), PARAMS, state)
    assert intent.reason == reason
    assert state.leg_wanted == (0.0 if reason == s17.LEG_RISK else 1.0)


@pytest.mark.parametrize(("after_s", "reason"), [(3599, s17.COOLING_DOWN), (3600, legs.ENTRY)])
def test_it_rests_after_a_trade(after_s, reason):
    state = s17.new_state()
    state.left_ns = NOW - after_s * S
    assert look(venues(), state=state).reason == reason


def test_a_trade_holds_both_legs_over_a_settlement_and_ends_flat():
    state = s17.new_state()
    desk = Desk(
        s17.step,
        PARAMS,
        state,
        fee=0.00055,
        leg_fee=0.00055,
        quote=lambda o: (o.other_bid, o.other_ask, o.other_at_ns),
    )
    row, seen, funding = market(), venues(), 0.0
    for k in range(2900):
        now = NOW + k * 5 * S
        seen.other_at_ns = now
        if now == NOW + 4 * H:
            # Both venues settle: the own rate is paid to the short, the other one is nothing.
            funding = -state.position * 100.0 * 0.0008 * 8.0
            seen.own_rate_per_h = 0.00001
            seen.settlement_ns = seen.other_settlement_ns = NOW + 12 * H
        desk.tick(at(row, now, 100.0), seen)
    assert (state.position, state.leg_position) == (0.0, 0.0)
    assert desk.reasons.count(legs.ENTRY) == desk.reasons.count(s17.CONVERGED) == 1
    assert funding + desk.cash == pytest.approx(200.0 * (0.0064 - COSTS), rel=0.01)


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"hold_s": np.nan}, {"exit_spread_per_h": 0.001}]
)
def test_parameters_out_of_range_are_refused(wrong):
    assert s17.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s17.check_params(PARAMS._replace(**wrong))
