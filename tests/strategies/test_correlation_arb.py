"""S15: every rule at its edge, and a trade whose spread comes back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import ConfigError
from models.strategies import correlation_arb as s15
from models.strategies import two_legs as legs
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from tests.strategies.hand_ticks import NOW, Desk, S, at, market, outlook

PARAMS = s15.Params()
ALPHA, BETA, SIGMA = 0.5, 0.8, 0.004
PARTNER = 50.0
HALF_LIFE_S = 3600.0
COSTS = 2 * 0.00055 + 0.0001 + BETA * (2 * 0.00055 + 0.0001)


def pair(at_ns=NOW, mid=PARTNER, **others):
    known = {
        "pair_alpha": ALPHA,
        "pair_beta": BETA,
        "pair_sigma": SIGMA,
        "pair_half_life_s": HALF_LIFE_S,
        "pair_pvalue": 0.01,
        "pair_bid": mid * (1.0 - 0.5e-4),
        "pair_ask": mid * (1.0 + 0.5e-4),
        "pair_at_ns": at_ns,
    }
    return outlook(**{**known, **others})


def mid_at(z, sigma=SIGMA, beta=BETA):
    return math.exp(ALPHA + beta * math.log(PARTNER) + z * sigma)


def look(z, seen=None, params=PARAMS, state=None, at_ns=NOW, **others):
    state = s15.new_state() if state is None else state
    return s15.step(market(at_ns, mid_at(z), **others), pair(at_ns) if seen is None else seen, params, state)


def holding(side=-1):
    state = s15.new_state()
    assert look(-side * 2.5, state=state).side == side
    state.position = float(side)
    return state


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("z", "reason"),
    [(1.999, s15.NO_SIGNAL), (2.001, legs.ENTRY), (3.999, legs.ENTRY), (4.001, s15.NO_SIGNAL)],
)
def test_it_enters_against_a_spread_between_entry_and_stop(z, reason, side):
    intent = look(-side * z)
    assert intent.reason == reason
    if reason == legs.ENTRY:
        assert (intent.action, intent.kind, intent.side, intent.share) == (PLACE, MARKET_ORDER, side, 0.02)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pair_pvalue", 0.05),
        ("pair_pvalue", np.nan),
        ("pair_beta", 0.19),
        ("pair_beta", -0.8),
        ("pair_beta", 5.1),
        ("pair_beta", np.nan),
        ("pair_sigma", 0.0),
        ("pair_sigma", np.nan),
        ("pair_half_life_s", 0.0),
        ("pair_half_life_s", 86_401.0),
        ("pair_half_life_s", np.inf),
        ("pair_half_life_s", np.nan),
        ("pair_alpha", np.nan),
    ],
)
def test_what_is_no_pair_is_not_traded(field, value):
    assert look(2.5, pair(**{field: value})).reason == s15.NO_PAIR


@pytest.mark.parametrize(("extra", "reason"), [(-1e-6, s15.BELOW_COSTS), (1e-6, legs.ENTRY)])
def test_the_way_back_must_be_worth_more_than_its_costs(extra, reason):
    sigma = (COSTS + 0.0005 + extra) / (3.0 - 0.5)
    seen = pair(pair_sigma=sigma)
    assert s15.step(market(mid=mid_at(3.0, sigma)), seen, PARAMS, s15.new_state()).reason == reason


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (pair(NOW - 75 * S), legs.ENTRY),
        (pair(NOW - 75 * S - 1), s15.LEG_UNKNOWN),
        (outlook(), s15.LEG_UNKNOWN),
    ],
)
def test_the_partner_must_be_known_and_fresh(seen, reason):
    assert look(2.5, seen).reason == reason


def test_an_invalid_book_does_not_trade():
    assert look(2.5, valid=0).reason == s15.BOOK_INVALID
    assert look(2.5, spread_bps=np.nan).action == HOLD


def test_the_partner_is_held_at_beta_times_the_notional():
    state = holding(side=-1)
    s15.step(market(NOW + S, mid_at(2.5)), pair(NOW + S), PARAMS, state)
    assert state.leg_wanted * PARTNER == pytest.approx(BETA * mid_at(2.5))


def test_an_entry_keeps_the_way_it_expects_and_the_partners_spread():
    state, seen = s15.new_state(), pair()
    assert s15.step(market(mid=mid_at(2.5)), seen, PARAMS, state).reason == legs.ENTRY
    assert state["way"] == pytest.approx((2.5 - 0.5) * float(seen["pair_sigma"]))
    bid, ask = float(seen["pair_bid"]), float(seen["pair_ask"])
    assert state["partner_spread"] == pytest.approx((ask - bid) / (0.5 * (ask + bid)))


def test_the_larger_leg_has_the_capital_share():
    seen = pair(pair_beta=2.0)
    intent = s15.step(market(mid=mid_at(2.5, beta=2.0)), seen, PARAMS, s15.new_state())
    assert intent.share == 0.01


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("z", "reason"),
    [
        (0.501, s15.NO_SIGNAL),
        (0.499, s15.CONVERGED),
        (-3.0, s15.CONVERGED),
        (3.999, s15.NO_SIGNAL),
        (4.001, s15.STOP),
    ],
)
def test_it_leaves_at_the_mean_and_at_the_stop(z, reason, side):
    intent = look(-side * z, state=holding(side), at_ns=NOW + S)
    assert (intent.reason, intent.action) == (reason, HOLD if reason == s15.NO_SIGNAL else EXIT)


def test_a_refit_moves_no_stop():
    refit = pair(NOW + S, pair_alpha=ALPHA - 0.01, pair_sigma=0.001, pair_half_life_s=1.0)
    assert look(2.5, refit, state=holding(), at_ns=NOW + S).reason == s15.NO_SIGNAL


@pytest.mark.parametrize(
    ("pvalue", "reason"), [(0.2, s15.NO_SIGNAL), (0.201, s15.NO_PAIR), (np.nan, s15.NO_SIGNAL)]
)
def test_it_leaves_when_a_newer_fit_calls_it_no_pair(pvalue, reason):
    assert look(2.5, pair(NOW + S, pair_pvalue=pvalue), state=holding(), at_ns=NOW + S).reason == reason


@pytest.mark.parametrize(
    ("after_ns", "reason"), [(3 * 3600 * S - 1, s15.NO_SIGNAL), (3 * 3600 * S, s15.TIME_OUT)]
)
def test_it_is_out_after_three_half_lives(after_ns, reason):
    assert look(2.5, state=holding(), at_ns=NOW + after_ns).reason == reason


@pytest.mark.parametrize(("age_s", "reason"), [(120, s15.NO_SIGNAL), (121, s15.LEG_RISK)])
def test_a_stale_partner_ends_the_trade(age_s, reason):
    state, now = holding(), NOW + 1000 * S
    assert look(2.5, pair(now - age_s * S), state=state, at_ns=now).reason == reason
    assert (state.leg_wanted == 0.0) == (reason == s15.LEG_RISK)


def test_after_a_trade_the_spread_must_have_been_back():
    state = holding()
    assert look(4.5, state=state, at_ns=NOW + S).reason == s15.STOP
    state.position = 0.0
    assert look(3.0, state=state, at_ns=NOW + 2 * S).reason == s15.NOT_BACK_YET
    assert look(0.51, state=state, at_ns=NOW + 3 * S).reason == s15.NO_SIGNAL
    assert look(3.0, state=state, at_ns=NOW + 4 * S).reason == s15.NOT_BACK_YET
    assert look(0.49, state=state, at_ns=NOW + 5 * S).reason == s15.NO_SIGNAL
    assert look(3.0, state=state, at_ns=NOW + 6 * S).reason == legs.ENTRY


def test_a_spread_that_comes_back_is_earned_less_the_costs_of_four_fills():
    state = s15.new_state()
    quote = lambda o: (o.pair_bid, o.pair_ask, o.pair_at_ns)  # noqa: E731
    desk = Desk(s15.step, PARAMS, state, fee=0.00055, leg_fee=0.00055, quote=quote)
    row, seen = market(), pair()
    for k in range(200):
        now = NOW + k * S
        partner = PARTNER * (1.0 + 1e-4 * k)  # a common trend: beta takes it out
        seen.pair_bid, seen.pair_ask, seen.pair_at_ns = partner * (1 - 0.5e-4), partner * (1 + 0.5e-4), now
        z = 3.0 if k < 20 else 3.0 - 0.05 * (k - 20) if k < 80 else 0.0
        mid = math.exp(ALPHA + BETA * math.log(partner) + z * SIGMA)
        desk.tick(at(row, now, mid), seen)
    assert (state.position, state.leg_position, state.phase) == (0.0, 0.0, legs.FLAT)
    assert desk.reasons.count(legs.ENTRY) == desk.reasons.count(s15.CONVERGED) == 1
    # 2.5 sigma of 200 USD less costs; the legs fill a tick apart on a trend of 1 bp a tick.
    assert desk.cash == pytest.approx(200.0 * (2.5 * SIGMA - COSTS), abs=0.15)


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"entry_z": np.nan}, {"stop_z": 1.0}, {"exit_z": 3.0}]
)
def test_parameters_out_of_range_are_refused(wrong):
    assert s15.check_params(PARAMS) is PARAMS
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s15.check_params(PARAMS._replace(**wrong))
