"""S7 ImpulseEngine: trade an unusual move of the mid when twelve filters let it pass, the way the thirteenth, VPIN, says.

Rule: the mid's move over the last two minutes, against its usual size, is the impulse. Twelve filters (`impulse_filters.py`)
ask whether it is large, steady and fresh, whether spread, liquidity, volatility, volume, flow and book suit it, the regime
allows it and the target pays. Filter 13: VPIN above the symbol's own 0.65 quantile trades with the move, below 0.35 against
it, between them not at all; how far beyond scales the size. The stop is half the move away, at most 2 %, the target the whole
move; out after five minutes; two minutes between trades.

Source: intraday continuation after shocks that carry information and reversal after those that do not, Llorente, Michaely,
Saar and Wang, "Dynamic Volume-Return Relation of Individual Stocks" (Review of Financial Studies 15, 2002); VPIN as the sign
of information, Easley, Lopez de Prado and O'Hara (Review of Financial Studies 25, 2012). It is falsified if the mean move in
the five minutes after large impulses does not rise with VPIN's rank; a filter is falsified if what it alone blocks does no
worse than what passes.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.market.features.windows import FADING_MEAN, add_fading, fading_mean
from models.strategies.impulse_filters import (
    ALL_PASSED,
    FILTER_NAMES,
    MOMENTUM,
    NO_WAY,
    WITH_MOVE,
    Impulse,
    filters_passed,
    first_failed,
    vpin_scale,
    vpin_way,
)
from models.strategies.intent import HOLD, TOLD, Intent, nothing
from models.strategies.one_trade import (
    BOOK_INVALID,
    COOLDOWN,
    FLAT,
    NO_SIGNAL,
    OWN_REASONS,
    TRADE,
    TRADE_REASON_NAMES,
    begin,
    is_cooling,
    manage,
    new_trade_state,
    synchronise,
)
from models.strategies.samples import add_sample, log_move, sample_at, samples_dtype

SAMPLE_NS: Final = 5_000_000_000
SAMPLES: Final = 256

# Reasons of its own.
WITH_THE_MOVE: Final = OWN_REASONS
AGAINST_THE_MOVE: Final = OWN_REASONS + 1
BLOCKED: Final = OWN_REASONS + 2
"""Plus the place of the first filter that did not pass."""

REASON_NAMES: Final = {
    **TRADE_REASON_NAMES,
    WITH_THE_MOVE: "WITH_THE_MOVE",
    AGAINST_THE_MOVE: "AGAINST_THE_MOVE",
    **{BLOCKED + place: f"BLOCKED_BY_{name}" for place, name in enumerate(FILTER_NAMES.values())},
}
"""Entries carry one of the first two instead of ENTRY."""

STATE: Final = record_dtype(
    [
        *TOLD,
        *TRADE,
        ("passed", np.int64),  # filters passed at the last look, bits of FILTER_NAMES
        ("share", np.float64),  # of the trade under way
        ("last_tick_ns", np.int64),
        ("slow", FADING_MEAN),  # of the squared log return a second
        ("fast", FADING_MEAN),
        ("volume", FADING_MEAN),  # traded notional a second
        ("mids", samples_dtype(SAMPLES)),
    ]
)


class Params(NamedTuple):
    """Parameters of S7. Give floats as floats."""

    window_s: float = 120.0
    newest_s: float = 10.0
    usual_time_constant_s: float = 3600.0
    usual_least_s: float = 1200.0
    fast_time_constant_s: float = 60.0
    least_sigmas: float = 2.0
    least_efficiency: float = 0.5
    most_spread_bps: float = 3.0
    most_z_ldr: float = 10.0
    least_expansion: float = 1.3
    least_volume_ratio: float = 1.5
    least_ofi: float = 0.5  # in mean sizes of the touch
    least_flow: float = 0.1
    most_depth_against: float = 0.3
    vpin_fixed: int = 0  # 1 compares VPIN itself, 0 its rank
    high_vpin: float = 0.65
    low_vpin: float = 0.35
    least_scale: float = 0.5
    target_share: float = 1.0  # of the move
    stop_share: float = 0.5
    most_stop: float = 0.02  # R1
    fees_bps: float = 7.5  # in as taker, out as maker
    least_edge: float = 2.0  # target over costs
    time_out_s: float = 300.0
    cooldown_s: float = 120.0
    capital_share: float = 0.02  # R1; the largest


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("window_s", p.window_s, 10.0, 1e-9 * SAMPLE_NS * (SAMPLES - 2)),
        ("newest_s", p.newest_s, 5.0, p.window_s),
        ("usual_time_constant_s", p.usual_time_constant_s, p.window_s, 1e7),
        ("usual_least_s", p.usual_least_s, p.window_s, p.usual_time_constant_s),
        ("fast_time_constant_s", p.fast_time_constant_s, 5.0, p.usual_time_constant_s),
        ("least_sigmas", p.least_sigmas, 0.0, 100.0),
        ("least_efficiency", p.least_efficiency, 0.0, 1.0),
        ("most_spread_bps", p.most_spread_bps, 1e-6, 1e3),
        ("most_z_ldr", p.most_z_ldr, -100.0, 1e3),
        ("least_expansion", p.least_expansion, 0.0, 100.0),
        ("least_volume_ratio", p.least_volume_ratio, 0.0, 1e3),
        ("least_ofi", p.least_ofi, -1e3, 1e3),
        ("least_flow", p.least_flow, -1.0, 1.0),
        ("most_depth_against", p.most_depth_against, -1.0, 1.0),
        ("vpin_fixed", p.vpin_fixed, 0, 1),
        ("high_vpin", p.high_vpin, p.low_vpin, 0.999),
        ("low_vpin", p.low_vpin, 0.001, 1.0),
        ("least_scale", p.least_scale, 1e-3, 1.0),
        ("target_share", p.target_share, 1e-3, 100.0),
        ("stop_share", p.stop_share, 1e-3, 10.0),
        ("most_stop", p.most_stop, 1e-4, 0.02),
        ("fees_bps", p.fees_bps, -10.0, 100.0),
        ("least_edge", p.least_edge, 0.0, 100.0),
        ("time_out_s", p.time_out_s, 1.0, 86_400.0),
        ("cooldown_s", p.cooldown_s, 0.0, 86_400.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"impulse engine: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no price."""
    return new_trade_state(STATE)


@njit(cache=True)
def _remember(market: Any, params: Params, state: Any) -> None:
    at_ns = market.tick_at_ns
    elapsed_s = 1e-9 * (at_ns - state.last_tick_ns)
    if state.last_tick_ns != 0 and elapsed_s > 0.0 and market.volume_usd >= 0.0:
        rate = market.volume_usd / elapsed_s
        add_fading(state.volume, at_ns, rate, elapsed_s, params.fast_time_constant_s)
    state.last_tick_ns = at_ns
    before = sample_at(state.mids, at_ns - SAMPLE_NS, SAMPLE_NS)
    if add_sample(state.mids, at_ns, SAMPLE_NS, market.mid) and before > 0.0:
        step_s = 1e-9 * SAMPLE_NS
        move = math.log(market.mid / before)
        square = move * move / step_s
        add_fading(state.slow, at_ns, square, step_s, params.usual_time_constant_s)
        add_fading(state.fast, at_ns, square, step_s, params.fast_time_constant_s)


@njit(cache=True)
def _path(market: Any, params: Params, state: Any) -> float:
    """Return the length of the way over the window in log prices; NaN where a sample is missing."""
    at_ns = market.tick_at_ns
    samples = int(1e9 * params.window_s) // SAMPLE_NS
    length = 0.0
    after = market.mid
    for back in range(samples + 1):
        before = sample_at(state.mids, at_ns - back * SAMPLE_NS, SAMPLE_NS)
        length += abs(math.log(after / before))
        after = before
    return length


@njit(cache=True)
def impulse_of(market: Any, params: Params, state: Any) -> Impulse:
    """Measure the impulse at a tick; what is unknown is NaN.

    Parameters
    ----------
    market : record of MARKET
    params : Params
    state : record of STATE
        With the samples up to this tick.

    Returns
    -------
    Impulse

    """
    at_ns = market.tick_at_ns
    move = log_move(state.mids, at_ns, SAMPLE_NS, params.window_s, market.mid)
    newest = log_move(state.mids, at_ns, SAMPLE_NS, params.newest_s, market.mid)
    path = _path(market, params, state)
    slow = fading_mean(state.slow, params.usual_least_s)
    fast = fading_mean(state.fast, params.fast_time_constant_s)
    volume = fading_mean(state.volume, params.fast_time_constant_s)
    return Impulse(
        move,
        newest,
        abs(move) / path if path > 0.0 else math.nan,
        math.sqrt(slow * params.window_s),
        math.sqrt(fast / slow) if slow > 0.0 else math.nan,
        volume / market.usd_per_s if market.usd_per_s > 0.0 else math.nan,
    )


@njit(cache=True)
def _enter(market: Any, params: Params, state: Any) -> Intent:
    impulse = impulse_of(market, params, state)
    way = vpin_way(market, params)
    move_side = -1 if impulse.move < 0.0 else 1
    side = move_side if way == NO_WAY else move_side * way
    passed = filters_passed(market, impulse, side, way, params)
    state.passed = passed
    if is_cooling(market, state, params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    if passed & MOMENTUM == 0:
        return nothing(HOLD, NO_SIGNAL)
    if passed != ALL_PASSED:
        return nothing(HOLD, BLOCKED + first_failed(passed))
    state.share = params.capital_share * vpin_scale(market, params)
    stop, target = params.stop_share * abs(impulse.move), params.target_share * abs(impulse.move)
    stop = min(stop, params.most_stop)
    why = WITH_THE_MOVE if way == WITH_MOVE else AGAINST_THE_MOVE
    return begin(market, state, side, state.share, stop, target, params.time_out_s, why)


@njit(cache=True)
def step(market: Any, outlook: Any, params: Params, state: Any) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    outlook : record of OUTLOOK
        Not asked.
    params : Params
    state : record of STATE
        Its `TOLD` fields up to date; changed in place.

    Returns
    -------
    Intent

    """
    _remember(market, params, state)
    synchronise(market, state)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.phase == FLAT:
        return _enter(market, params, state)
    return manage(market, state, state.share)
