"""The second leg: latency, freshness, costs and the other venue's funding, by hand-made arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.market.features.records import new_record
from models.market.outlook import new_outlook
from models.simulation.bank.legs import follow_leg, leg_profit
from models.simulation.bank.records import LEG_ACCOUNT, LEGS, BankParameters

S = 1_000_000_000
RULES = BankParameters(leg_fee=0.001, leg_latency_ns=S, leg_stale_ns=10 * S)


@pytest.fixture
def leg():
    return new_record(LEG_ACCOUNT)


def spot(bid, ask, at_ns):
    outlook = new_outlook()
    outlook.spot_bid, outlook.spot_ask, outlook.spot_at_ns = bid, ask, at_ns
    return outlook


def test_a_leg_is_bought_at_the_ask_after_the_latency_and_sold_at_the_bid(leg):
    for at, wanted in ((10, 2.0), (10.5, 2.0), (11, 2.0), (12, 0.0), (13, 0.0)):
        follow_leg(leg, LEGS["spot"], spot(99.0, 101.0, int(at * S)), int(at * S), wanted, RULES)
        assert leg.position == (2.0 if 11 <= at < 13 else 0.0), at
    # Bought at 101, sold at 99, one per mille of 202 and of 198.
    assert leg_profit(leg) == pytest.approx(-4.0 - 0.4)
    assert (leg.trades, leg.turnover) == (2, pytest.approx(400.0))


def test_a_leg_waits_for_fresh_prices(leg):
    stale = spot(99.0, 101.0, 1 * S)
    for at in (20, 21, 30):
        follow_leg(leg, LEGS["spot"], stale, at * S, 1.0, RULES)
    assert (leg.position, leg.pending_ns) == (0.0, 20 * S)
    follow_leg(leg, LEGS["spot"], new_outlook(), 31 * S, 1.0, RULES)
    assert leg.position == 0.0
    follow_leg(leg, LEGS["spot"], spot(99.0, 101.0, 32 * S), 32 * S, 1.0, RULES)
    assert (leg.position, leg.pending_ns) == (1.0, 0)


def test_what_is_undefined_is_not_wanted(leg):
    follow_leg(leg, LEGS["spot"], spot(99.0, 101.0, S), S, math.nan, RULES)
    assert (leg.position, leg.pending_ns) == (0.0, 0)


def test_a_leg_turned_around_keeps_the_entry_of_what_is_left(leg):
    for at, wanted in ((1, 2.0), (2, 2.0), (3, -1.0), (4, -1.0)):
        follow_leg(leg, LEGS["spot"], spot(100.0, 100.0, at * S), at * S, wanted, RULES)
    assert (leg.position, leg.entry_value) == (-1.0, pytest.approx(100.0))


def test_the_other_venue_is_paid_at_its_settlement(leg):
    outlook = new_outlook()
    outlook.other_bid = outlook.other_ask = 100.0
    outlook.other_rate_per_h, outlook.other_interval_h, outlook.other_settlement_ns = 0.0001, 8.0, 50 * S
    for at in (1, 3, 49, 50, 51, 52):
        outlook.other_at_ns = at * S
        follow_leg(leg, LEGS["other"], outlook, at * S, -2.0, RULES)
    # Short 2 at 100, a rate of 8 bps an interval: 0.16 received, once.
    assert leg.funding == pytest.approx(-0.16)
    outlook.other_settlement_ns = 100 * S
    for at in (60, 99, 100, 101):
        outlook.other_at_ns = at * S
        follow_leg(leg, LEGS["other"], outlook, at * S, -2.0, RULES)
    assert leg.funding == pytest.approx(-0.32)


def test_spot_pays_no_funding(leg):
    outlook = spot(100.0, 100.0, S)
    outlook.other_rate_per_h, outlook.other_interval_h, outlook.other_settlement_ns = 0.01, 8.0, 2 * S
    for at in (1, 2, 3, 4):
        follow_leg(leg, LEGS["spot"], outlook, at * S, 1.0, RULES)
    assert leg.funding == 0.0
    assert np.isfinite(leg.mid)
