"""S4: every rule at its edge, and a trade from signal to flat."""

from __future__ import annotations

import math

import pytest

from models.errors import ConfigError
from models.strategies import liquidation_hunter as s4
from models.strategies.intent import HOLD, MARKET_ORDER, PLACE
from tests.strategies import desk as checks
from tests.strategies.desk import START_S, Desk, hold

T = 10_000.0


def ready(side=1, probability=0.9, momentum=0.012, age_s=0.0, params=None, mid=100.0, **features):
    """A desk that has seen 15 minutes ago what makes `momentum` of now, and the intent of now."""
    desk = Desk(s4, params, **features)
    desk.outlook.cascade_probability = probability
    desk.outlook.at_ns = round((START_S + T - age_s) * 1e9)
    desk.tick(T - 900.0, mid / (1.0 + side * momentum))
    return desk, desk.tick(T, mid)


def entered(side=1):
    desk, intent = ready(side)
    assert intent.action == PLACE
    return desk


@pytest.mark.parametrize("side", [1, -1])
def test_it_follows_the_momentum(side):
    _, intent = ready(side)
    assert (intent.action, intent.kind, intent.side) == (PLACE, MARKET_ORDER, side)
    assert (intent.share, intent.reason) == (0.02, s4.ENTRY)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"probability": 0.7}, s4.UNLIKELY),
        ({"probability": 0.7001}, s4.ENTRY),
        ({"probability": math.nan}, s4.UNLIKELY),
        ({"momentum": 0.00999}, s4.NO_SIGNAL),
        ({"momentum": 0.01001}, s4.ENTRY),
        ({"age_s": 600.0}, s4.ENTRY),
        ({"age_s": 600.5}, s4.STALE),
        ({"mid": math.nan}, s4.BOOK_INVALID),
        ({"spread_bps": 242.5}, s4.ENTRY),
        ({"spread_bps": 242.6}, s4.COSTS),
        ({"spread_bps": math.nan}, s4.COSTS),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_each_limit(change, reason, side):
    _, intent = ready(side, **change)
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == s4.ENTRY else HOLD)


def test_an_unknown_past_does_not_trade():
    desk = Desk(s4)
    desk.outlook.cascade_probability = 0.9
    desk.outlook.at_ns = round((START_S + T) * 1e9)
    assert desk.tick(T, 100.0).reason == s4.MOMENTUM_UNKNOWN
    # A hole 15 minutes ago is unknown too, whatever lies on either side of it.
    desk.outlook.at_ns += 900 * 1_000_000_000
    desk.tick(T + 10.0, 100.0)
    assert desk.tick(T + 905.0, 110.0).reason == s4.MOMENTUM_UNKNOWN
    assert desk.tick(T + 910.0, 110.0).action == PLACE


def test_without_an_outlook_nothing_happens():
    desk = Desk(s4)
    desk.tick(T - 900.0, 100.0)
    assert desk.tick(T, 110.0).reason == s4.UNLIKELY


@pytest.mark.parametrize("side", [1, -1])
def test_stop_target_and_time(side):
    checks.check_stop(hold(entered(side)), 0.02)
    checks.check_target(hold(entered(side)), 0.05)
    checks.check_time_out(hold(entered(side)), 14_400.0)


@pytest.mark.parametrize("side", [1, -1])
def test_what_goes_wrong(side):
    checks.check_invalid_book(hold(entered(side)))
    checks.check_exit_retried(hold(entered(side)))
    checks.check_unfilled_entry(entered(side))


def test_the_cooldown_lasts_15_minutes_from_the_end():
    desk = hold(entered())
    desk.tick(T + 10.0, 97.0)
    desk.tick(T + 11.0, 97.0)
    assert desk.state.phase == s4.FLAT
    desk.outlook.at_ns = round((START_S + T + 900.0) * 1e9)
    assert desk.tick(T + 910.75, 102.0).reason == s4.COOLDOWN
    assert desk.tick(T + 911.0, 102.0).action == PLACE


def test_a_whole_trade():
    desk = hold(entered(-1))
    for i in range(1, 60):
        desk.tick(T + 1.0 + 60.0 * i, 100.0 - 0.1 * i)
    assert [name for _, name in desk.log] == ["ENTRY", "TARGET_ORDER"]
    assert desk.position == 0.0


@pytest.mark.parametrize(
    "wrong",
    [{"capital_share": 0.021}, {"stop": 0.021}, {"momentum_s": 4000.0}, {"least_probability": math.nan}],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s4.check_params(s4.Params(**wrong))
