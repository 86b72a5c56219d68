"""S18: every rule at its edge, and trades from signal to flat."""

from __future__ import annotations

import math

import pytest

from models.errors import ConfigError
from models.strategies import oi_momentum as s18
from models.strategies.intent import HOLD, MARKET_ORDER, PLACE
from tests.strategies import desk as checks
from tests.strategies.desk import START_S, Desk, hold

T = 10_000.0


def tell_interest(desk, at_s, value):
    desk.features["open_interest"] = value
    desk.market.open_interest_at_ns = round((START_S + at_s) * 1e9)


def ready(rise=0.006, move=0.004, lowest=None, age_s=0.0, params=None, **features):
    """A desk that has seen 15 minutes ago what makes `rise` and `move` of now, `lowest` between; the intent of now, at 100."""
    desk = Desk(s18, params, **features)
    tell_interest(desk, T - 900.0, 1000.0)
    desk.tick(T - 900.0, 100.0 / (1.0 + move))
    if lowest is not None:
        desk.tick(T - 450.0, lowest)
    tell_interest(desk, T - age_s, 1000.0 * (1.0 + rise))
    return desk, desk.tick(T, 100.0)


def squeezed(**changes):
    return ready(**{"move": -0.004, "lowest": 99.8, **changes})


def entered(side=1):
    desk, intent = ready() if side > 0 else squeezed()
    assert intent.action == PLACE
    return desk


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, s18.FOLLOW),
        ({"rise": 0.00499}, s18.NO_SIGNAL),
        ({"rise": 0.00501}, s18.FOLLOW),
        ({"rise": -0.006}, s18.NO_SIGNAL),
        ({"rise": math.nan}, s18.STALE),
        ({"move": 0.00299}, s18.NO_SIGNAL),
        ({"move": 0.00301}, s18.FOLLOW),
        ({"age_s": 400.0}, s18.FOLLOW),
        ({"age_s": 400.25}, s18.STALE),
        ({"spread_bps": 52.4}, s18.FOLLOW),
        ({"spread_bps": 52.6}, s18.COSTS),
        ({"spread_bps": math.nan}, s18.COSTS),
    ],
)
def test_new_positions_with_a_rising_price_are_followed(change, reason):
    _, intent = ready(**change)
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == s18.FOLLOW else HOLD)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, s18.SQUEEZE),
        ({"move": -0.00299}, s18.NO_SIGNAL),
        ({"move": -0.00301}, s18.SQUEEZE),
        ({"rise": 0.00499}, s18.NO_SIGNAL),
        ({"lowest": 100.0 / 1.00101}, s18.SQUEEZE),
        ({"lowest": 100.0 / 1.00099}, s18.NOT_TURNED),
        ({"lowest": None}, s18.NOT_TURNED),
        ({"lowest": 99.0, "spread_bps": 52.6}, s18.COSTS),
    ],
)
def test_new_positions_with_a_falling_price_are_squeezed_once_it_turns(change, reason):
    _, intent = squeezed(**change)
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == s18.SQUEEZE else HOLD)


@pytest.mark.parametrize("build", [ready, squeezed])
def test_both_ways_buy(build):
    _, intent = build()
    assert (intent.kind, intent.side, intent.share) == (MARKET_ORDER, 1, 0.02)


def test_an_unknown_past_does_not_trade():
    desk = Desk(s18)
    tell_interest(desk, T, 1000.0)
    assert desk.tick(T, 100.0).reason == s18.UNKNOWN_PAST
    tell_interest(desk, T + 885.0, 1100.0)
    assert desk.tick(T + 885.0, 101.0).reason == s18.UNKNOWN_PAST
    assert desk.tick(T + 900.0, 101.0).reason == s18.FOLLOW


def test_interest_that_was_stale_then_is_unknown_now():
    desk = Desk(s18)
    tell_interest(desk, T - 1400.0, 1000.0)
    desk.tick(T - 900.0, 99.0)
    tell_interest(desk, T, 1100.0)
    assert desk.tick(T, 100.0).reason == s18.UNKNOWN_PAST


def test_interest_never_reported_is_stale():
    desk = Desk(s18)
    assert desk.tick(T, 100.0).reason == s18.STALE


@pytest.mark.parametrize("way", [1, -1])
def test_the_life_of_a_trade(way):
    checks.check_stop(hold(entered(way)), 0.006)
    checks.check_target(hold(entered(way)), 0.012)
    checks.check_time_out(hold(entered(way)), 3600.0)
    checks.check_invalid_book(hold(entered(way)))
    checks.check_exit_retried(hold(entered(way)))
    checks.check_unfilled_entry(entered(way))


@pytest.mark.parametrize(("after_s", "cooling"), [(899.75, True), (900.0, False)])
def test_the_cooldown_lasts_15_minutes_from_the_end(after_s, cooling):
    desk = hold(entered())
    desk.tick(T + 10.0, 99.0)
    desk.tick(T + 11.0, 99.0)
    assert desk.state.phase == s18.FLAT
    assert (desk.tick(T + 11.0 + after_s, 99.0).reason == s18.COOLDOWN) == cooling


def test_a_whole_squeeze():
    """Half an hour minute by minute: down on rising interest, a turn, and up to the target."""
    desk = Desk(s18)
    mids = [100.0 - 0.05 * i for i in range(21)] + [99.0 + 0.12 * i for i in range(1, 15)]
    for i, mid in enumerate(mids):
        tell_interest(desk, T + 60.0 * i, 1000.0 * (1.0 + 0.001 * i))
        desk.tick(T + 60.0 * i, mid)
    assert [name for _, name in desk.log] == ["SQUEEZE", "TARGET_ORDER"]
    assert desk.log[0][0] == T + 60.0 * 21
    assert desk.position == 0.0


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"lookback_s": 3841.0}, {"stop": 0.03}, {"least_move": math.nan}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s18.check_params(s18.Params(**wrong))
