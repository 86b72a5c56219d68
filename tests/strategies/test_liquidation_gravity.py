"""S3: every rule at its edge, and a trade from signal to flat."""

from __future__ import annotations

import math

import pytest

from models.errors import ConfigError
from models.strategies import liquidation_gravity as s3
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from tests.strategies import desk as checks
from tests.strategies.desk import Desk, hold

T = 3600.0
DISTANCE = 0.004


def clusters(side, distance):
    """Cluster distances with one on `side` and, nearer, one on the other side that must not matter."""
    above, below = (distance, 0.001) if side > 0 else (0.001, distance)
    worth = {"cluster_above_usd": 1e6, "cluster_below_usd": 1e6, "usd_per_s": 1e4}
    return {"cluster_above_distance": above, "cluster_below_distance": below, **worth}


def travelling(side=1, distance=DISTANCE, travel=0.001, **features):
    """A desk that has travelled for a minute toward a cluster, and the intent of now at 100."""
    desk = Desk(s3)
    desk.tick(T - 60.0, 100.0 / (1.0 + side * travel))
    return desk, desk.tick(T, 100.0, **{**clusters(side, distance), **features})


def prepared(side=1):
    desk, intent = travelling(side)
    assert (intent.action, intent.reason) == (HOLD, s3.PREPARED)
    desk.level = 100.0 * (1.0 + side * DISTANCE)
    return desk


def broken(side=1, beyond=0.0006, after_s=30.0, **features):
    """A desk, and what it does when the mid is `beyond` the level it had prepared for."""
    desk = prepared(side)
    # The map has emptied the cluster that was touched: the level must have been remembered.
    gone = {"cluster_above_distance": math.nan, "cluster_below_distance": math.nan}
    return desk, desk.tick(T + after_s, desk.level * (1.0 + side * beyond), **gone, **features)


def entered(side=1):
    desk, intent = broken(side)
    assert intent.action == PLACE
    return desk


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"distance": 0.005}, s3.PREPARED),
        ({"distance": 0.00501}, s3.TOO_FAR),
        ({"distance": math.nan}, s3.TOO_FAR),
        ({"travel": 0.00031}, s3.PREPARED),
        ({"travel": 0.00029}, s3.NO_SIGNAL),
    ],
)
def test_it_prepares_for_a_near_cluster_in_the_direction_of_travel(side, change, reason):
    desk, intent = travelling(side, **change)
    assert intent.reason == reason
    assert desk.state.cluster_side == (side if reason == s3.PREPARED else 0)


@pytest.mark.parametrize(("side", "name"), [(1, "cluster_above_usd"), (-1, "cluster_below_usd")])
@pytest.mark.parametrize(
    ("usd", "reason"), [(1e5, s3.PREPARED), (9.99e4, s3.TOO_SMALL), (math.nan, s3.TOO_SMALL)]
)
def test_a_cluster_must_be_worth_ten_seconds_of_average_volume(side, name, usd, reason):
    assert travelling(side, **{name: usd})[1].reason == reason
    assert travelling(side, usd_per_s=math.nan)[1].reason == s3.TOO_SMALL


def test_an_unknown_travel_prepares_nothing():
    desk = Desk(s3)
    assert desk.tick(T, 100.0, **clusters(1, DISTANCE)).reason == s3.NO_SIGNAL


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"beyond": 0.00049}, s3.PREPARED),
        ({"beyond": 0.00051}, s3.ENTRY),
        ({"beyond": 0.00149}, s3.ENTRY),
        ({"beyond": 0.00151}, s3.TOO_LATE),
        ({"spread_bps": 7.4}, s3.ENTRY),
        ({"spread_bps": 7.6}, s3.COSTS),
        ({"cascade_side": 0.0}, s3.ENTRY),
        ({"cascade_side": math.nan}, s3.CASCADE_AGAINST),
    ],
)
def test_it_enters_with_the_move_once_the_level_is_broken(side, change, reason):
    _, intent = broken(side, **change)
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == s3.ENTRY else HOLD)
    if intent.action == PLACE:
        assert (intent.kind, intent.side, intent.share) == (MARKET_ORDER, side, 0.02)


@pytest.mark.parametrize("side", [1, -1])
def test_a_cascade_on_the_other_side_forbids_the_entry(side):
    assert broken(side, cascade_side=float(side))[1].action == PLACE
    assert broken(side, cascade_side=float(-side))[1].reason == s3.CASCADE_AGAINST


def test_a_break_that_was_not_taken_is_forgotten():
    desk, _ = broken(beyond=0.002)
    assert desk.state.cluster_side == 0
    assert math.isnan(desk.state.cluster_price)


@pytest.mark.parametrize("side", [1, -1])
def test_it_forgets_when_travel_turns(side):
    desk = prepared(side)
    assert desk.tick(T + 60.0, 100.0 * (1.0 - side * 0.0002)).reason == s3.PREPARED
    assert desk.tick(T + 120.0, 100.0 * (1.0 - side * 0.0006)).reason == s3.TURNED


@pytest.mark.parametrize("side", [1, -1])
def test_it_forgets_what_is_far_again_and_what_is_old(side):
    desk = prepared(side)
    # Travel is unknown, so it has not turned.
    assert desk.tick(T + 33.0, desk.level / (1.0 + side * 0.00499)).reason == s3.PREPARED
    assert desk.tick(T + 34.0, desk.level / (1.0 + side * 0.00501)).reason == s3.TOO_FAR
    desk = prepared(side)
    assert desk.tick(T + 600.0, 100.0).reason == s3.PREPARED
    assert desk.tick(T + 600.25, 100.0).reason == s3.TOO_FAR


def test_an_invalid_book_decides_nothing():
    desk = prepared()
    assert desk.tick(T + 1.0, math.nan).reason == s3.BOOK_INVALID
    assert desk.tick(T + 2.0, desk.level * 1.0006).action == PLACE


@pytest.mark.parametrize("side", [1, -1])
def test_stop_target_and_time(side):
    checks.check_stop(hold(entered(side)), 0.0015)
    checks.check_target(hold(entered(side)), 0.003)
    checks.check_time_out(hold(entered(side)), 300.0)


@pytest.mark.parametrize("side", [1, -1])
def test_what_goes_wrong(side):
    checks.check_invalid_book(hold(entered(side)))
    checks.check_exit_retried(hold(entered(side)))
    checks.check_unfilled_entry(entered(side))


@pytest.mark.parametrize("side", [1, -1])
def test_it_leaves_when_the_cascade_ends(side):
    desk = hold(entered(side))
    mid = desk.state.entry_mid
    assert desk.tick(T + 40.0, mid).action == HOLD
    assert desk.tick(T + 41.0, mid, cascade_side=float(side)).action == HOLD
    intent = desk.tick(T + 42.0, mid, cascade_side=0.0)
    assert (intent.action, intent.reason) == (EXIT, s3.CASCADE_OVER)


@pytest.mark.parametrize("side", [1, -1])
def test_it_leaves_when_a_cascade_begins_on_the_other_side(side):
    desk = hold(entered(side))
    assert desk.tick(T + 40.0, desk.state.entry_mid, cascade_side=float(-side)).reason == s3.CASCADE_OVER


def test_a_cascade_of_an_earlier_trade_does_not_end_the_next_one():
    desk = hold(entered())
    desk.tick(T + 40.0, desk.state.entry_mid, cascade_side=1.0)
    desk.tick(T + 41.0, desk.state.entry_mid)
    desk.tick(T + 42.0, 100.0)
    desk.tick(T + 140.0, 100.0)
    assert desk.tick(T + 200.0, 100.1, **clusters(1, DISTANCE)).reason == s3.PREPARED
    assert desk.tick(T + 210.0, 100.1 * (1.0 + DISTANCE) * 1.0006).action == PLACE
    hold(desk)
    assert desk.tick(T + 212.0, desk.state.entry_mid).action == HOLD


@pytest.mark.parametrize(("after_s", "reason"), [(59.75, s3.COOLDOWN), (60.0, s3.NO_SIGNAL)])
def test_the_cooldown_lasts_a_minute_from_the_end(after_s, reason):
    desk = hold(entered())
    desk.tick(T + 35.0, desk.state.stop_price)
    desk.tick(T + 36.0, 100.0)
    assert desk.state.phase == s3.FLAT
    assert desk.tick(T + 36.0 + after_s, 100.0).reason == reason


def test_a_whole_trade():
    """Down toward a cluster, through it, and on to the target; second by second."""
    desk, mid = Desk(s3), 100.0
    for second in range(200):
        mid *= 1.0 - 5e-5
        distance = math.nan if mid < 99.4 else 1.0 - 99.4 / mid
        desk.tick(T + second, mid, **clusters(-1, distance))
    assert [name for _, name in desk.log] == ["ENTRY", "TARGET_ORDER"]
    assert desk.position == 0.0
    assert desk.state.entry_mid == pytest.approx(99.4 * 0.9995, rel=6e-5)


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"most_break": 0.0004}, {"travel_s": 640.0}, {"stop": math.nan}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s3.check_params(s3.Params(**wrong))
