"""S10: swings held against a search by hand, every rule at its edge, trades from sweep to flat; shorts are mirrored about 100."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.features.records import new_record
from models.strategies import liquidity_sweep as s10
from models.strategies.bars import add_mid, bars_kept
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from tests.strategies import desk as checks
from tests.strategies.desk import Desk, hold

BAR_S = 60.0
SWING = 5
BARS = 12
READY_S = BAR_S * BARS
LEVEL = 99.5


def mirrored(side, price):
    """The price as it is for a long, and its mirror image for a short."""
    return price if side > 0 else 100.0 * 100.0 / price


def warm(side=1, params=None, **features):
    """A desk that knows a swing low at `LEVEL` (a high at its mirror image) since `READY_S`, the mid at 100."""
    desk = Desk(s10, params, **features)
    for i in range(BARS):
        low = LEVEL if i == SWING + 1 else 99.9
        for j, price in enumerate((100.0, low, 100.0)):
            desk.tick(BAR_S * i + 20.0 * j, mirrored(side, price))
    desk.tick(READY_S, mirrored(side, 100.0))
    known = s10.LOW if side > 0 else s10.HIGH
    assert desk.state.level[known] == mirrored(side, LEVEL)
    return desk


def run(side=1, depth=0.002, back=0.0001, after_s=30.0, params=None, **features):
    """A desk and what it does when the mid has run `depth` beyond the level, and `after_s` later is `back` on this side of it."""
    desk = warm(side, params, **features)
    assert desk.tick(READY_S + 10.0, mirrored(side, LEVEL * (1.0 - depth))).action == HOLD
    return desk, desk.tick(READY_S + 10.0 + after_s, mirrored(side, LEVEL * (1.0 + back)))


def entered(side=1):
    desk, intent = run(side)
    assert intent.action == PLACE
    return desk


def test_swings_are_found_where_a_search_finds_them():
    rng = np.random.default_rng(11)
    mids = np.round(100.0 + np.cumsum(rng.normal(0.0, 0.1, 3000)), 1)
    bars = new_record(s10.STATE["bars"])
    lows, highs, found = [], [], 0
    for i, mid in enumerate(mids):
        if not add_mid(bars, (1000 + i) * 1_000_000_000, float(mid), 10_000_000_000):
            continue
        # The bar just completed is mids[i - 10 : i]: 1000 is the beginning of a bar, and the first is left out.
        lows.append(mids[i - 10 : i].min())
        highs.append(mids[i - 10 : i].max())
        if bars_kept(bars) < 7:
            continue
        for which, values, best in ((s10.LOW, lows, min), (s10.HIGH, highs, max)):
            centre, others = values[-4], values[-7:-4] + values[-3:]
            is_swing = best([centre, *others]) == centre and centre not in others
            level = s10.swing_of(bars, which, 3)
            assert (level == centre) if is_swing else math.isnan(level)
            found += is_swing
    assert found > 20


def test_a_swing_is_known_only_once_the_bars_after_it_have_closed():
    desk = Desk(s10)
    for i in range(BARS):
        for j, price in enumerate((100.0, LEVEL if i == SWING + 1 else 99.9, 100.0)):
            desk.tick(BAR_S * i + 20.0 * j, price)
            assert math.isnan(desk.state.level[s10.LOW])
    desk.tick(READY_S, 100.0)
    assert desk.state.level[s10.LOW] == LEVEL


@pytest.mark.parametrize("side", [1, -1])
def test_it_trades_the_way_back_from_a_sweep(side):
    _, intent = run(side)
    assert (intent.action, intent.kind, intent.side) == (PLACE, MARKET_ORDER, side)
    assert (intent.share, intent.reason) == (0.02, s10.ENTRY)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        # Shallow runs are kept from failing at the costs by a way back that is long enough.
        ({"depth": 0.00051, "back": 0.001}, s10.ENTRY),
        ({"depth": 0.00049, "back": 0.001}, s10.NO_SIGNAL),
        ({"depth": 0.00497}, s10.ENTRY),
        ({"depth": 0.00502}, s10.NO_SIGNAL),
        ({"after_s": 180.0}, s10.ENTRY),
        ({"after_s": 180.25}, s10.BROKEN),
        ({"back": -0.00001}, s10.SWEPT),
        # Target: twice 20 + 2 + 1 bps, 46; costs 7.5 + spread, twice.
        ({"spread_bps": 15.3}, s10.ENTRY),
        ({"spread_bps": 15.7}, s10.COSTS),
        ({"spread_bps": math.nan}, s10.COSTS),
    ],
)
def test_each_limit(side, change, reason):
    _, intent = run(side, **change)
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == s10.ENTRY else HOLD)


def test_a_level_that_was_only_touched_is_kept_and_one_that_was_run_or_broken_is_not():
    desk, _ = run(depth=0.0003)
    assert desk.state.level[s10.LOW] == LEVEL
    desk, _ = run()
    assert math.isnan(desk.state.level[s10.LOW])
    desk = warm()
    assert desk.tick(READY_S + 10.0, LEVEL * 0.994).reason == s10.BROKEN
    assert math.isnan(desk.state.level[s10.LOW])


def test_a_level_that_was_touched_can_be_run_later_with_a_new_extreme():
    desk, _ = run(depth=0.0004)
    desk.tick(READY_S + 50.0, LEVEL * 0.9993)
    assert desk.state.extreme[s10.LOW] == LEVEL * 0.9993
    assert desk.tick(READY_S + 55.0, LEVEL * 1.0005).action == PLACE


def test_the_deepest_mid_of_the_run_counts():
    desk = warm()
    for i, depth in enumerate((0.001, 0.003, 0.0005)):
        assert desk.tick(READY_S + 10.0 + i, LEVEL * (1.0 - depth)).reason == s10.SWEPT
    desk.tick(READY_S + 20.0, LEVEL)
    assert desk.state.stop_price == pytest.approx(LEVEL * 0.997 * 0.9998)


@pytest.mark.parametrize(("after_s", "action"), [(14_400.0, PLACE), (14_401.0, HOLD)])
def test_a_level_counts_for_four_hours(after_s, action):
    desk = warm()
    desk.tick(READY_S + after_s, LEVEL * 0.998)
    assert desk.tick(READY_S + after_s + 1.0, LEVEL).action == action


@pytest.mark.parametrize("side", [1, -1])
def test_stop_target_and_time(side):
    def distance(desk):
        extreme = mirrored(side, LEVEL * 0.998)
        return side * (1.0 - extreme * (1.0 - side * 0.0002) / float(desk.state.entry_mid))

    desk = hold(entered(side))
    checks.check_stop(desk, distance(desk))
    desk = hold(entered(side))
    checks.check_target(desk, 2.0 * distance(desk))
    checks.check_time_out(hold(entered(side)), 1800.0)


@pytest.mark.parametrize("side", [1, -1])
def test_what_goes_wrong(side):
    checks.check_invalid_book(hold(entered(side)))
    checks.check_exit_retried(hold(entered(side)))
    checks.check_unfilled_entry(entered(side))


def test_an_invalid_book_in_a_run_does_not_end_it():
    desk = warm()
    desk.tick(READY_S + 10.0, LEVEL * 0.998)
    assert desk.tick(READY_S + 11.0, math.nan).reason == s10.BOOK_INVALID
    assert desk.tick(READY_S + 12.0, LEVEL).action == PLACE


@pytest.mark.parametrize(("after_s", "reason"), [(899.75, s10.COOLDOWN), (900.0, s10.ENTRY)])
def test_the_cooldown_lasts_15_minutes_from_the_end_and_uses_levels_up(after_s, reason):
    desk = hold(entered())
    desk.tick(READY_S + 60.0, desk.state.stop_price)
    end_s = READY_S + 61.0
    desk.tick(end_s, 99.6)
    assert desk.state.phase == s10.FLAT
    desk.state.level[s10.LOW], desk.state.known_ns[s10.LOW] = 99.5, desk.market.tick_at_ns
    desk.tick(end_s + after_s - 1.0, 99.5 * 0.998)
    assert desk.tick(end_s + after_s, 99.5).reason == reason
    assert math.isnan(desk.state.level[s10.LOW])


def test_a_level_swept_during_a_trade_is_used_up():
    desk = hold(entered())
    desk.state.level[s10.HIGH], desk.state.known_ns[s10.HIGH] = 99.6, desk.market.tick_at_ns
    desk.tick(desk.at_s + 1.0, 99.6 * 1.001)
    assert desk.tick(desk.at_s + 1.0, 99.55).action != EXIT
    assert desk.position == 1.0
    assert math.isnan(desk.state.level[s10.HIGH])


@pytest.mark.parametrize("side", [1, -1])
def test_a_whole_trade(side):
    desk = entered(side)
    for i in range(1, 60):
        desk.tick(READY_S + 40.0 + 5.0 * i, mirrored(side, LEVEL * (1.0001 + 1e-4 * i)))
    assert [name for _, name in desk.log] == ["ENTRY", "TARGET_ORDER"]
    assert desk.position == 0.0


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"wing_bars": 32}, {"most_run": 0.0199}, {"least_run": math.nan}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s10.check_params(s10.Params(**wrong))
