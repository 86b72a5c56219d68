"""S7: the impulse held against plain numpy, every way into a trade and out of it. Filters: `test_impulse_filters.py`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import ConfigError
from models.regimes.kernel import MARKDOWN, MARKUP, RANGE
from models.strategies import impulse_engine as s7
from models.strategies import impulse_filters as f
from models.strategies.intent import HOLD, MARKET_ORDER, PLACE
from tests.strategies import desk as checks
from tests.strategies.desk import Desk, hold

EVERY_S = 5.0
QUIET = 480
"""Ticks of 5 s before the impulse, 40 minutes: longer than the volatility needs to be known."""
STEP = 1e-4
BURST = 16
"""Ticks of the impulse: 80 s of the window of 120."""


def suited(side):
    return {
        "z_ldr": 0.5,
        "bid_size": 2.0,
        "ask_size": 2.0,
        "ofi_window": 3.0 * side,
        "flow_imbalance": 0.3 * side,
        "depth_imbalance": 0.0,
        "regime": float(MARKUP if side > 0 else MARKDOWN),
        "usd_per_s": 1000.0,
        "volume_usd": 1000.0 * EVERY_S,
        "vpin_rank": 0.9,
        "vpin": 0.5,
    }


def path(burst_side, burst=BURST, size=4.0):
    """Mids of a quiet zigzag and then a burst of equal steps."""
    quiet = STEP * (np.arange(QUIET) % 2)
    moves = burst_side * size * STEP * np.arange(1, burst + 1)
    return 100.0 * np.exp(np.concatenate([quiet, quiet[-1] + moves]))


def driven(side=1, way=1, params=None, turn=0, **features):
    """A desk up to the tick before the one that decides, and the mid of that one. `side` is of the trade."""
    burst_side = side * way
    desk = Desk(s7, params, **{**suited(side), **features})
    mids = path(burst_side)
    if turn:
        back = np.exp(-burst_side * STEP * np.arange(1, turn + 1))
        mids = np.concatenate([mids, mids[-1] * back])
    # The burst is ten times as busy as the quiet before it.
    for i, mid in enumerate(mids[:-1]):
        busy = 50_000.0 if i >= QUIET else 5000.0
        desk.tick(EVERY_S * i, mid, vpin_rank=math.nan, volume_usd=busy)
    assert desk.log == []
    return desk, EVERY_S * (len(mids) - 1), float(mids[-1])


def decided(side=1, way=1, turn=0, params=None, **features):
    rank = features.pop("vpin_rank", 0.9 if way > 0 else 0.1)
    desk, at_s, mid = driven(side, way, params, turn or (0 if way > 0 else 3), **features)
    return desk, desk.tick(at_s, mid, vpin_rank=rank, volume_usd=50_000.0)


def entered(side=1, way=1):
    desk, intent = decided(side, way)
    assert intent.action == PLACE, (
        desk.module.REASON_NAMES[intent.reason],
        f.names_of(int(desk.state.passed)),
    )
    return desk


def test_the_impulse_is_what_numpy_says():
    rng = np.random.default_rng(7)
    desk = Desk(s7, **suited(1))
    mids = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-4, 600)))
    volumes = rng.uniform(1000.0, 9000.0, 600)
    for i, mid in enumerate(mids):
        desk.tick(EVERY_S * i, mid, volume_usd=volumes[i])
    impulse = s7.impulse_of(desk.market, desk.params, desk.state)
    logs = np.log(mids)
    steps = np.diff(logs)
    assert impulse.move == pytest.approx(logs[-1] - logs[-25], abs=1e-15)
    assert impulse.newest == pytest.approx(logs[-1] - logs[-3], abs=1e-15)
    assert impulse.efficiency == pytest.approx(abs(logs[-1] - logs[-25]) / np.abs(steps[-24:]).sum())
    ages = EVERY_S * np.arange(len(steps))[::-1]
    slow, fast = np.exp(-ages / 3600.0), np.exp(-ages / 60.0)
    variance = np.average(steps**2 / EVERY_S, weights=slow)
    assert impulse.usual == pytest.approx(math.sqrt(120.0 * variance))
    expansion = math.sqrt(np.average(steps**2 / EVERY_S, weights=fast) / variance)
    assert impulse.expansion == pytest.approx(expansion)
    rate = np.average(volumes[1:] / EVERY_S, weights=fast)
    assert impulse.volume_ratio == pytest.approx(rate / 1000.0)


def test_an_impulse_with_a_hole_in_its_past_is_unknown():
    desk = Desk(s7, **suited(1))
    for i, mid in enumerate(path(1)):
        desk.tick(EVERY_S * i, math.nan if i == QUIET else mid)
    impulse = s7.impulse_of(desk.market, desk.params, desk.state)
    assert math.isnan(impulse.efficiency)
    assert not math.isnan(impulse.move)
    assert not int(desk.state.passed) & f.STEADY


@pytest.mark.parametrize("side", [1, -1])
def test_high_vpin_trades_with_the_move(side):
    desk, intent = decided(side)
    assert (intent.action, intent.kind, intent.side) == (PLACE, MARKET_ORDER, side)
    assert intent.reason == s7.WITH_THE_MOVE
    assert desk.state.passed == f.ALL_PASSED


@pytest.mark.parametrize("side", [1, -1])
def test_low_vpin_trades_against_the_move_once_it_has_turned(side):
    _, intent = decided(side, way=-1, regime=float(RANGE))
    assert (intent.action, intent.side, intent.reason) == (PLACE, side, s7.AGAINST_THE_MOVE)
    _, early = decided(side, way=-1, turn=1, regime=float(RANGE))
    assert s7.REASON_NAMES[early.reason] == "BLOCKED_BY_FRESH"


@pytest.mark.parametrize(("rank", "share"), [(1.0, 0.02), (0.825, 0.015), (0.6501, 0.010003)])
def test_vpin_scales_the_size(rank, share):
    desk, intent = decided(vpin_rank=rank)
    assert intent.share == pytest.approx(share, abs=1e-6)
    hold(desk)
    assert desk.state.share == intent.share


def test_between_the_limits_vpin_forbids_it_and_the_fixed_number_is_an_option():
    desk, intent = decided(vpin_rank=0.5, vpin=0.7)
    assert s7.REASON_NAMES[intent.reason] == "BLOCKED_BY_VPIN"
    assert desk.state.passed == f.ALL_PASSED & ~f.VPIN
    params = s7.Params(vpin_fixed=1)
    desk, at_s, mid = driven(params=params, vpin=0.5)
    assert desk.tick(at_s, mid, vpin_rank=0.99, volume_usd=50_000.0).action == HOLD
    assert desk.tick(at_s + 1.0, mid, vpin=0.7, vpin_rank=0.5, volume_usd=10_000.0).action == PLACE


@pytest.mark.parametrize(
    ("features", "name"),
    [
        ({"spread_bps": 3.1}, "SPREAD"),
        ({"z_ldr": math.nan}, "LIQUIDITY"),
        ({"ofi_window": -1.0}, "ORDER_FLOW"),
        ({"flow_imbalance": 0.0}, "TAKER_FLOW"),
        ({"depth_imbalance": -0.9}, "DEPTH"),
        ({"regime": float(MARKDOWN)}, "REGIME"),
        ({"usd_per_s": 1e6}, "VOLUME"),
    ],
)
def test_a_filter_that_fails_is_named(features, name):
    _, intent = decided(**features)
    assert (intent.action, s7.REASON_NAMES[intent.reason]) == (HOLD, f"BLOCKED_BY_{name}")


def test_without_an_impulse_there_is_no_signal_to_block():
    desk = Desk(s7, **suited(1))
    for i, mid in enumerate(path(1)[: QUIET - 1]):
        intent = desk.tick(EVERY_S * i, mid)
        assert (intent.action, intent.reason) == (HOLD, s7.NO_SIGNAL)


def test_before_the_usual_is_known_nothing_trades():
    desk = Desk(s7, **suited(1))
    for i, mid in enumerate(path(1)[QUIET - 100 :]):
        assert desk.tick(EVERY_S * i, mid, volume_usd=50_000.0).reason == s7.NO_SIGNAL


def test_an_invalid_book_decides_nothing():
    desk, at_s, mid = driven()
    assert desk.tick(at_s, math.nan).reason == s7.BOOK_INVALID
    assert desk.tick(at_s + 1.0, mid, volume_usd=10_000.0).action == PLACE


@pytest.mark.parametrize("side", [1, -1])
def test_stop_target_and_time_follow_from_the_move(side):
    move = abs(math.log(path(side)[-1] / path(side)[-25]))
    checks.check_stop(hold(entered(side)), 0.5 * move)
    checks.check_target(hold(entered(side)), move)
    checks.check_time_out(hold(entered(side)), 300.0)


def test_the_stop_is_never_wider_than_its_limit():
    desk, _ = decided(params=s7.Params(most_stop=0.001))
    checks.check_stop(hold(desk), 0.001)


@pytest.mark.parametrize("side", [1, -1])
def test_what_goes_wrong(side):
    checks.check_invalid_book(hold(entered(side)))
    checks.check_exit_retried(hold(entered(side)))
    checks.check_unfilled_entry(entered(side))


@pytest.mark.parametrize(("after_s", "cooling"), [(119.75, True), (120.0, False)])
def test_the_cooldown_lasts_two_minutes_from_the_end(after_s, cooling):
    desk = hold(entered())
    desk.tick(desk.at_s + 1.0, desk.state.stop_price)
    desk.tick(desk.at_s + 1.0, desk.state.stop_price)
    assert desk.state.phase == s7.FLAT
    intent = desk.tick(desk.at_s + after_s, desk.state.stop_price)
    assert (intent.reason == s7.COOLDOWN) == cooling


def test_a_whole_trade():
    desk = entered()
    at_s, mid = desk.at_s, float(desk.state.entry_mid)
    for i in range(1, 30):
        desk.tick(at_s + EVERY_S * i, mid * math.exp(4 * STEP * i))
    assert [name for _, name in desk.log] == ["WITH_THE_MOVE", "TARGET_ORDER"]
    assert desk.position == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"capital_share": 0.021},
        {"window_s": 1271.0},
        {"vpin_fixed": 2},
        {"high_vpin": 0.3},
        {"stop_share": math.nan},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        s7.check_params(s7.Params(**wrong))
