"""S9: channel and ranges held against Polars, every rule at its edge, and trades from breakout to exit."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from models.errors import ConfigError
from models.market.features.records import new_record
from models.regimes.kernel import DISTRIBUTION, HIGH_ENTROPY, MARKDOWN, MARKUP, RANGE, UNKNOWN
from models.strategies import momentum_trader as s9
from models.strategies.bars import add_mid
from models.strategies.intent import EXIT, HOLD, MARKET_ORDER, PLACE
from models.strategies.one_trade import LEFT_OVER, STOP
from tests.strategies import desk as checks
from tests.strategies.desk import Desk, hold

BAR_S = 300.0
BARS = 24
HALF = 0.2
"""Half the height of each bar: with flat closes, true ranges are twice that."""


def trend(side):
    return {"regime": float(MARKUP if side > 0 else MARKDOWN)}


def warm(side=1, half=HALF, bars=BARS, params=None, **features):
    """A desk that has seen bars from 100 - half to 100 + half, opened and closed at 100; no regime meanwhile."""
    desk = Desk(s9, params, **{**trend(side), **features})
    for i in range(bars):
        for j, mid in enumerate((100.0, 100.0 + half, 100.0 - half, 100.0)):
            desk.tick(BAR_S * i + 60.0 * j, mid, regime=float(RANGE))
    return desk


def broken(side=1, out=0.01, half=HALF, at_s=BAR_S * BARS, now=None, **options):
    """A desk and what it does `out` outside the channel, on the side of the trend."""
    desk = warm(side, half, **options)
    return desk, desk.tick(at_s, 100.0 + side * (half + out), **(now or {}))


def entered(side=1):
    desk, intent = broken(side)
    assert intent.action == PLACE
    return desk


def test_channel_and_mean_true_range_are_what_polars_says():
    rng = np.random.default_rng(3)
    mids = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, 2000)))
    bars = new_record(s9.STATE["bars"])
    for i, mid in enumerate(mids):
        add_mid(bars, (1000 + i) * 1_000_000_000, float(mid), 15_000_000_000)
    at = (1000 + np.arange(len(mids))) // 15
    frame = (
        pl.DataFrame({"bar": at, "mid": mids})
        .group_by("bar", maintain_order=True)
        .agg(pl.max("mid").alias("h"), pl.min("mid").alias("l"), pl.last("mid").alias("c"))
        .slice(1)
        .head(-1)
        .with_columns(pl.col("c").shift(1).alias("before"))
    )
    last = frame.tail(20)
    assert s9.channel_of(bars, 20) == (last["l"].min(), last["h"].max())
    ranges = last.select(
        pl.max_horizontal(
            pl.col("h") - pl.col("l"),
            (pl.col("h") - pl.col("before")).abs(),
            (pl.col("l") - pl.col("before")).abs(),
        )
    ).to_series()
    assert s9.mean_true_range(bars, 20) == pytest.approx(ranges.mean(), rel=1e-12)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("out", "reason"), [(-1e-6, s9.NO_SIGNAL), (0.0, s9.NO_SIGNAL), (1e-6, s9.ENTRY)])
def test_it_goes_with_a_breakout_of_the_last_20_bars(side, out, reason):
    _, intent = broken(side, out)
    assert intent.reason == reason
    if reason == s9.ENTRY:
        assert (intent.action, intent.kind, intent.side) == (PLACE, MARKET_ORDER, side)


def test_the_20_first_bars_are_needed_and_the_range_needs_one_more():
    # The first bar may have begun in the middle and is not counted.
    assert broken(bars=21, at_s=BAR_S * 21)[1].reason == s9.WARMING_UP
    assert broken(bars=22, at_s=BAR_S * 22)[1].reason == s9.ENTRY


@pytest.mark.parametrize(
    ("regime", "reason"),
    [
        (MARKUP, s9.ENTRY),
        (MARKDOWN, s9.NO_SIGNAL),
        (RANGE, s9.NO_TREND),
        (DISTRIBUTION, s9.NO_TREND),
        (HIGH_ENTROPY, s9.NO_TREND),
        (UNKNOWN, s9.NO_TREND),
        (math.nan, s9.NO_TREND),
    ],
)
def test_only_a_trend_the_same_way_will_do(regime, reason):
    assert broken(now={"regime": float(regime)})[1].reason == reason


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        # Two ranges of 2 * half around 100 are 400 half bps; costs are 12 bps, twice that 24.
        ({"half": 0.0601, "out": 1e-6}, s9.ENTRY),
        ({"half": 0.0599, "out": 1e-6}, s9.COSTS),
        ({"spread_bps": 28.9}, s9.ENTRY),
        ({"spread_bps": 29.1}, s9.COSTS),
        ({"spread_bps": math.nan}, s9.COSTS),
    ],
)
def test_ranges_too_small_for_the_costs_are_left_alone(options, reason):
    _, intent = broken(**options)
    assert intent.reason == reason
    assert intent.action == (PLACE if reason == s9.ENTRY else HOLD)


@pytest.mark.parametrize(("half", "share"), [(0.1, 0.02), (0.25, 0.01), (0.5, 0.005), (4.0, 0.005)])
def test_the_size_loses_a_fixed_share_of_capital_at_the_stop(half, share):
    """One basis point of capital, over a stop of 4 half percent that never exceeds 2 %; at most 2 % of capital."""
    assert broken(half=half)[1].share == pytest.approx(share)


@pytest.mark.parametrize("side", [1, -1])
def test_stop_and_time(side):
    desk = hold(entered(side))
    checks.check_time_out(desk, 21_600.0)
    desk = hold(entered(side))
    stop = float(desk.state.stop_price)
    assert stop == pytest.approx(desk.state.entry_mid * (1.0 - side * 0.008))
    assert math.isnan(desk.state.target_price)
    # The channel of ten bars lies nearer than the stop here, so it is moved out of the way.
    desk.state.exit_low, desk.state.exit_high = 0.0, math.inf
    assert desk.tick(desk.at_s + 1.0, stop + side * 1e-6).action == HOLD
    intent = desk.tick(desk.at_s + 1.0, stop)
    assert (intent.action, intent.reason) == (EXIT, STOP)


@pytest.mark.parametrize("side", [1, -1])
def test_it_leaves_by_the_channel_of_the_last_ten_bars(side):
    desk = hold(entered(side))
    edge = 100.0 - side * HALF
    assert desk.tick(desk.at_s + 1.0, edge).action == HOLD
    intent = desk.tick(desk.at_s + 1.0, edge - side * 1e-6)
    assert (intent.action, intent.reason) == (EXIT, s9.CHANNEL)


@pytest.mark.parametrize("side", [1, -1])
def test_it_leaves_when_the_regime_is_the_opposite_trend_and_not_before(side):
    desk = hold(entered(side))
    mid = float(desk.state.entry_mid)
    for regime in (RANGE, UNKNOWN, math.nan):
        assert desk.tick(desk.at_s + 1.0, mid, regime=float(regime)).action == HOLD
    intent = desk.tick(desk.at_s + 1.0, mid, **trend(-side))
    assert (intent.action, intent.reason) == (EXIT, s9.REGIME_TURNED)


@pytest.mark.parametrize("side", [1, -1])
def test_what_goes_wrong(side):
    checks.check_invalid_book(hold(entered(side)))
    checks.check_unfilled_entry(entered(side))
    desk = hold(entered(side))
    desk.fills = False
    mid = float(desk.state.entry_mid)
    assert desk.tick(desk.at_s + 1.0, mid, **trend(-side)).reason == s9.REGIME_TURNED
    # The reason is gone, the exit is not.
    again = desk.tick(desk.at_s + 1.0, mid)
    assert (again.action, again.reason) == (EXIT, LEFT_OVER)
    desk.fills = True
    desk.tick(desk.at_s + 1.0, mid)
    assert desk.position == 0.0


def test_an_invalid_book_decides_nothing():
    desk = warm()
    assert desk.tick(BAR_S * BARS, math.nan).reason == s9.BOOK_INVALID
    assert desk.tick(BAR_S * BARS + 1.0, 100.0 + HALF + 0.01).action == PLACE


@pytest.mark.parametrize(("after_s", "cooling"), [(599.75, True), (600.0, False)])
def test_the_cooldown_lasts_ten_minutes_from_the_end(after_s, cooling):
    desk = hold(entered())
    mid = float(desk.state.entry_mid)
    desk.tick(desk.at_s + 1.0, mid, **trend(-1))
    desk.tick(desk.at_s + 1.0, mid)
    assert desk.state.phase == s9.FLAT
    assert (desk.tick(desk.at_s + after_s, mid).reason == s9.COOLDOWN) == cooling


@pytest.mark.parametrize("side", [1, -1])
def test_a_whole_trend(side):
    """Three hours along a trend, then back through the channel of its last ten bars: most of it is kept."""
    desk = entered(side)
    start = desk.at_s
    for minute in range(1, 181):
        desk.tick(start + 60.0 * minute, 100.0 + side * (HALF + 0.02 * minute))
    assert desk.position == side
    peak = 100.0 + side * (HALF + 0.02 * 180)
    for minute in range(181, 300):
        desk.tick(start + 60.0 * minute, peak - side * 0.04 * (minute - 180))
        if desk.position == 0.0:
            break
    assert [name for _, name in desk.log] == ["ENTRY", "CHANNEL"]
    assert desk.position == 0.0
    assert side * (desk.market.mid - 100.0) > 1.5


@pytest.mark.parametrize(
    "wrong", [{"capital_share": 0.021}, {"entry_bars": 129}, {"exit_bars": 21}, {"stop_ranges": math.nan}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s9.check_params(s9.Params(**wrong))
