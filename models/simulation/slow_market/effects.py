"""What is planted, effect by effect: which course follows which.

Trend: informed flow over hours. Impulse: one-sided flow and volume first, then the move with more of both and higher
volatility. Range: the price is held about a level, noise that stays is small, flow is balanced. Sweep: stops behind a
swing level are run, then the price comes back. Interest: positions open with the move; longs carry it on, shorts are
squeezed out. Sentiment: the day after an extreme of Fear & Greed drifts against it. Cascades are in `cascades.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.order_flow.draws import normal, uniform, waiting_ns
from models.simulation.slow_market.cascades import next_cascade_stage
from models.simulation.slow_market.courses import (
    about,
    either_side,
    is_busy,
    leaning_side,
    note,
    rest,
    run_course,
    schedule,
    wake_up,
)
from models.simulation.slow_market.state import (
    CASCADE,
    IMPULSE,
    INTEREST,
    NEXT_DAY,
    NEXT_REGIME,
    NEXT_SPIKE,
    NEXT_SWING,
    NEXT_WHALE,
    OF_SPIKE,
    OF_WHALE,
    RANGE,
    SENTIMENT,
    SWEEP,
    SWING_NS,
    SWINGS,
    TREND,
)

_DAY_NS = 86_400_000_000_000
_HOUR_S = 3600.0
_MINUTE_NS = 60_000_000_000
_GREED_KEEP = 0.6
_GREED_SD = 25.0
_FEAR = 20.0
_GREED = 80.0
_WIDEST = 6.0  # largest whale over the smallest
_READY_S = 7200.0  # how long a sweep waits for its level
_LOOK_S = 10.0
_SETTLED = 2  # blocks since a swing, so that it is not the run under way


@njit(cache=True)
def start_effects(s: Any, p: Any) -> None:
    """Draw when everything comes up first."""
    schedule(s, TREND, p.trends_per_day)
    schedule(s, IMPULSE, p.impulses_per_day)
    schedule(s, RANGE, p.ranges_per_day)
    schedule(s, SWEEP, p.sweeps_per_day)
    schedule(s, CASCADE, p.cascades_per_day)
    schedule(s, INTEREST, p.interest_per_day)
    schedule(s, NEXT_WHALE, 24.0 * p.whales_per_hour)
    schedule(s, NEXT_SPIKE, p.spikes_per_day)
    s.timers[NEXT_REGIME] = s.now + waiting_ns(s, 1.0 / p.regime_dwell_s[s.regime])
    s.timers[NEXT_DAY] = s.now
    s.timers[NEXT_SWING] = (s.now // SWING_NS + 1) * SWING_NS
    s.highs[0] = s.fair
    s.lows[0] = s.fair
    wake_up(s)


@njit(cache=True)
def _trend(s: Any, p: Any, episodes: Any) -> None:
    if s.stage[TREND] == 0:
        s.side[TREND] = leaning_side(s, p)
        seconds = about(s, _HOUR_S * p.trend_h)
        run_course(s, TREND, 1, seconds, p.trend_bps_per_h / _HOUR_S, p.trend_flow, 1.2, 1.0, 0.01)
        return
    note(s, episodes, TREND, 1, s.began[TREND], s.side[TREND], s.size[TREND])
    rest(s, TREND, p.trends_per_day)


@njit(cache=True)
def _impulse(s: Any, p: Any, episodes: Any) -> None:
    stage = s.stage[IMPULSE]
    if stage == 0:
        s.side[IMPULSE] = leaning_side(s, p)
        seconds = about(s, p.impulse_build_s)
        run_course(s, IMPULSE, 1, seconds, 0.0, p.impulse_flow, p.impulse_activity, 1.0, 0.0)
        return
    note(s, episodes, IMPULSE, stage, s.began[IMPULSE], s.side[IMPULSE], s.size[IMPULSE])
    if stage == 2:
        rest(s, IMPULSE, p.impulses_per_day)
        return
    seconds = about(s, p.impulse_s)
    drift = p.impulse_bps / p.impulse_s
    run_course(s, IMPULSE, 2, seconds, drift, p.impulse_flow, p.impulse_activity, p.impulse_volatility, 0.005)


@njit(cache=True)
def _range(s: Any, p: Any, episodes: Any) -> None:
    if s.stage[RANGE] == 0:
        s.side[RANGE] = 1
        run_course(s, RANGE, 1, about(s, _HOUR_S * p.range_h), 0.0, 0.0, 1.0, p.range_quiet, 0.0)
        return
    note(s, episodes, RANGE, 1, s.began[RANGE], 1, p.range_sd_bps)
    # The price stays where it is; what was a distance from the level becomes the level.
    s.fair *= 1.0 + 1e-4 * s.range_bps
    s.range_bps = 0.0
    rest(s, RANGE, p.ranges_per_day)


@njit(cache=True)
def _begin_sweep(s: Any, p: Any) -> bool:
    """Run the stops behind the swing high or low if the price is near one."""
    high, low = -np.inf, np.inf
    for back in range(_SETTLED, min(s.swings, SWINGS - 1) + 1):
        slot = (s.swings - back) % SWINGS
        high, low = max(high, s.highs[slot]), min(low, s.lows[slot])
    to_high, to_low = 1e4 * (high / s.quoted - 1.0), 1e4 * (1.0 - low / s.quoted)
    if not (s.swings >= 2 * _SETTLED and min(abs(to_high), abs(to_low)) <= p.sweep_near_bps):
        return False
    up = abs(to_high) < abs(to_low)
    s.side[SWEEP] = 1 if up else -1
    beyond = p.sweep_bps * (2.0 + 2.0 * uniform(s)) / 3.0
    distance = max((to_high if up else to_low) + beyond, 1.0)
    run_course(s, SWEEP, 1, p.sweep_s, distance / p.sweep_s, 0.6, 3.0, 1.0, 0.0)
    return True


@njit(cache=True)
def _sweep(s: Any, p: Any, episodes: Any) -> None:
    stage = s.stage[SWEEP]
    if stage == 0:
        # Ready: look for a level near by every few seconds, for a while.
        if s.ready_ns == 0:
            s.ready_ns = s.now
        if not is_busy(s) and _begin_sweep(s, p):
            s.ready_ns = 0
        elif s.now - s.ready_ns > np.int64(1e9 * _READY_S):
            s.ready_ns = 0
            schedule(s, SWEEP, p.sweeps_per_day)
        else:
            s.timers[SWEEP] = s.now + np.int64(1e9 * _LOOK_S)
        return
    distance = s.size[SWEEP]
    note(s, episodes, SWEEP, stage, s.began[SWEEP], s.side[SWEEP], distance)
    if stage == 1:
        s.side[SWEEP] = -s.side[SWEEP]
        run_course(s, SWEEP, 2, p.sweep_back_s, distance / p.sweep_back_s, 0.3, 1.5, 1.0, 0.0)
        return
    if stage == 2:
        # Who ran the stops has what he wanted; those who were stopped out come back.
        drift = p.sweep_reversal_bps / p.sweep_reversal_s
        run_course(s, SWEEP, 3, p.sweep_reversal_s, drift, 0.2, 1.2, 1.0, 0.0)
        return
    rest(s, SWEEP, p.sweeps_per_day)


@njit(cache=True)
def _interest(s: Any, p: Any, episodes: Any) -> None:
    stage, side = s.stage[INTEREST], s.side[INTEREST]
    if stage == 0:
        s.side[INTEREST] = leaning_side(s, p)
        drift = p.interest_build_bps / p.interest_s
        run_course(s, INTEREST, 1, p.interest_s, drift, 0.2, 1.3, 1.0, p.interest_rise)
        return
    note(s, episodes, INTEREST, stage, s.began[INTEREST], side, s.size[INTEREST])
    if stage == 2:
        rest(s, INTEREST, p.interest_per_day)
        return
    s.side[INTEREST] = 1
    further = p.interest_follow_bps if side > 0 else p.interest_squeeze_bps
    change = 0.3 * p.interest_rise if side > 0 else -p.interest_rise
    run_course(s, INTEREST, 2, p.interest_s, further / p.interest_s, 0.2, 1.3, 1.0, change)


@njit(cache=True)
def _new_day(s: Any, p: Any, episodes: Any) -> None:
    """Publish Fear & Greed; after an extreme, the day drifts against it."""
    s.timers[NEXT_DAY] = (s.now // _DAY_NS + 1) * _DAY_NS
    noise = _GREED_SD * np.sqrt(1.0 - _GREED_KEEP * _GREED_KEEP) * normal(s)
    s.fear_greed_value = 50.0 + _GREED_KEEP * (s.fear_greed_value - 50.0) + noise
    s.fear_greed = min(max(np.rint(s.fear_greed_value), 1.0), 99.0)
    s.fear_greed_at = s.now
    if s.stage[SENTIMENT] != 0:
        began, side = s.began[SENTIMENT], s.side[SENTIMENT]
        note(s, episodes, SENTIMENT, 1, began, side, s.size[SENTIMENT])
        rest(s, SENTIMENT, 0.0)
    if p.sentiment_bps_per_day > 0.0 and not _FEAR < s.fear_greed < _GREED:
        s.side[SENTIMENT] = 1 if s.fear_greed <= _FEAR else -1
        seconds = 1e-9 * (s.timers[NEXT_DAY] - s.now)
        run_course(s, SENTIMENT, 1, seconds, p.sentiment_bps_per_day / 86_400.0, 0.0, 1.0, 1.0, 0.0)
        # The day ends it, not a timer of its own.
        schedule(s, SENTIMENT, 0.0)


@njit(cache=True)
def _whale(s: Any, p: Any, episodes: Any) -> None:
    """One large order: what it moves for good, what comes back."""
    schedule(s, NEXT_WHALE, 24.0 * p.whales_per_hour)
    side = either_side(s)
    multiple = min(uniform(s) ** (-1.0 / p.whale_tail), _WIDEST)
    scale = np.sqrt(multiple)
    s.fair *= 1.0 + side * 1e-4 * p.whale_permanent_bps * scale
    s.displaced[OF_WHALE] += side * p.whale_transient_bps * scale
    s.order_side, s.order_lots, s.fast = side, multiple * p.whale_multiple * p.trade_lots, 1
    note(s, episodes, NEXT_WHALE, 1, s.now, side, p.whale_transient_bps * scale)


@njit(cache=True)
def _spike(s: Any, p: Any, episodes: Any) -> None:
    """Someone who must trade at any price: everything on the way prints, then it comes back."""
    schedule(s, NEXT_SPIKE, p.spikes_per_day)
    side = either_side(s)
    size = p.spike_bps * (0.75 + 0.5 * uniform(s))
    s.displaced[OF_SPIKE] += side * size
    s.order_side, s.order_lots, s.fast = side, 1e12, 1
    note(s, episodes, NEXT_SPIKE, 1, s.now, side, size)


@njit(cache=True)
def _swing(s: Any) -> None:
    """Close a block of swing levels and open the next."""
    s.timers[NEXT_SWING] = (s.now // SWING_NS + 1) * SWING_NS
    s.swings += 1
    s.highs[s.swings % SWINGS] = s.quoted
    s.lows[s.swings % SWINGS] = s.quoted


@njit(cache=True)
def _at_an_instant(s: Any, p: Any, episodes: Any, which: int) -> None:
    if which == NEXT_WHALE:
        _whale(s, p, episodes)
    elif which == NEXT_SPIKE:
        _spike(s, p, episodes)
    elif which == NEXT_REGIME:
        s.regime = (s.regime + (1 if uniform(s) > 0.5 else 2)) % 3
        s.timers[NEXT_REGIME] = s.now + waiting_ns(s, 1.0 / p.regime_dwell_s[s.regime])
    elif which == NEXT_SWING:
        _swing(s)
    else:
        _new_day(s, p, episodes)


@njit(cache=True)
def _course(s: Any, p: Any, episodes: Any, which: int) -> None:
    if which == TREND:
        _trend(s, p, episodes)
    elif which == IMPULSE:
        _impulse(s, p, episodes)
    elif which == RANGE:
        _range(s, p, episodes)
    elif which == SWEEP:
        _sweep(s, p, episodes)
    elif which == CASCADE:
        next_cascade_stage(s, p, episodes)
    else:
        _interest(s, p, episodes)


@njit(cache=True)
def happen(s: Any, p: Any, episodes: Any) -> None:
    """Let whatever is due happen; an effect whose turn comes while another is under way waits a while more."""
    while s.wake <= s.now:
        which = int(np.argmin(s.timers))
        if which >= NEXT_WHALE:
            _at_an_instant(s, p, episodes, which)
        elif s.stage[which] == 0 and which != SWEEP and is_busy(s):
            s.timers[which] = s.now + np.int64(_MINUTE_NS * (1.0 + 60.0 * uniform(s)))
        else:
            _course(s, p, episodes, which)
        wake_up(s)
