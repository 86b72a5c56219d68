"""S11 EnhancedGrid: buy below and sell above the middle of a range, level by level, only while the market is in a range.

Rule: in the RANGE regime, with the mid inside the range of the last hours and that range wide enough for the grid, a grid is laid
about its middle: the side the mid is on gets up to three post-only orders, one step apart. As orders fill, the whole position is
asked out one step better than its mean entry by a reduce-only order, renewed when more fills; the levels that are left stay. One
step beyond the last level, or when the regime is no longer RANGE, everything is closed at the market, and the grid rests for a
while. Sides are never mixed, so a position is at most three orders of a share each.

"Enhanced" is what keeps a grid from the trend that ruins it: the regime, the width, and the stop beyond the last level. Source:
mean reversion of a bounded price, Lo and MacKinlay's variance ratio below one (Review of Financial Studies 1, 1988), is what it
needs. It is falsified if the price inside recognised ranges does not revert one step more often than it leaves the range by one.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.regimes.kernel import RANGE
from models.strategies.bars import add_mid, bars_dtype
from models.strategies.intent import CANCEL, EXIT, HOLD, POST_ONLY, TOLD, Intent, nothing, place
from models.strategies.ranges import range_of

MOST_BARS: Final = 96

# Phases.
IDLE: Final = 0
LAYING: Final = 1
WORKING: Final = 2
RENEWING: Final = 3
LEAVING: Final = 4

# Reasons.
NO_SIGNAL: Final = 0
LEVEL: Final = 1
TARGET_ORDER: Final = 2
RENEW: Final = 3
NO_RANGE: Final = 4
RANGE_TOO_NARROW: Final = 5
OUTSIDE: Final = 6
NEAR_MIDDLE: Final = 7
STOP: Final = 8
REGIME_LEFT: Final = 9
TIME_OUT: Final = 10
BOOK_INVALID: Final = 11
WAITING: Final = 12
LEFT_OVER: Final = 13
COOLDOWN: Final = 14

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    LEVEL: "LEVEL",
    TARGET_ORDER: "TARGET_ORDER",
    RENEW: "RENEW",
    NO_RANGE: "NO_RANGE",
    RANGE_TOO_NARROW: "RANGE_TOO_NARROW",
    OUTSIDE: "OUTSIDE",
    NEAR_MIDDLE: "NEAR_MIDDLE",
    STOP: "STOP",
    REGIME_LEFT: "REGIME_LEFT",
    TIME_OUT: "TIME_OUT",
    BOOK_INVALID: "BOOK_INVALID",
    WAITING: "WAITING",
    LEFT_OVER: "LEFT_OVER",
    COOLDOWN: "COOLDOWN",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("side", np.int64),
        ("laid", np.int64),  # levels sent
        ("begun_ns", np.int64),
        ("left_ns", np.int64),  # 0 for never
        ("middle", np.float64),
        ("asked_out", np.float64),  # position the resting target is for
        ("low", np.float64),  # of the range, as of the newest complete bar
        ("high", np.float64),
        ("bars", bars_dtype(MOST_BARS)),
    ]
)


class Params(NamedTuple):
    """Parameters of S11. Give floats as floats."""

    levels: int = 3
    step_bps: float = 15.0
    bar_ns: int = 300_000_000_000
    least_bars: int = 36
    quantile: float = 0.05  # of the closes left out at either end of the range
    time_out_s: float = 4 * 3600.0
    cooldown_s: float = 900.0
    capital_share: float = 0.006  # of each level


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("levels", p.levels, 1, 10),
        ("step_bps", p.step_bps, 1.0, 500.0),
        ("bar_ns", p.bar_ns, 1_000_000_000, 86_400_000_000_000),
        ("least_bars", p.least_bars, 4, MOST_BARS),
        ("quantile", p.quantile, 0.0, 0.4),
        ("time_out_s", p.time_out_s, 1.0, 7 * 86_400.0),
        ("cooldown_s", p.cooldown_s, 0.0, 86_400.0),
        ("capital_share", p.capital_share, 1e-9, 0.02),
        ("levels × capital_share", p.levels * p.capital_share, 0.0, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"enhanced grid: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a grid that has seen no bar."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = state.low = state.high = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _begin(market: Any, params: Params, state: Any) -> Intent:
    if state.left_ns != 0 and market.tick_at_ns - state.left_ns < int(1e9 * params.cooldown_s):
        return nothing(HOLD, COOLDOWN)
    if market.regime != RANGE:
        return nothing(HOLD, NO_RANGE)
    low, high = state.low, state.high
    if math.isnan(low):
        return nothing(HOLD, NO_RANGE)
    middle = 0.5 * (low + high)
    width = 1e-4 * params.step_bps * middle
    # The first level must lie inside the range, or the grid would be bought at its edge and left just beyond.
    if 0.5 * (high - low) < width:
        return nothing(HOLD, RANGE_TOO_NARROW)
    if not low <= market.mid <= high:
        return nothing(HOLD, OUTSIDE)
    if abs(market.mid - middle) < 0.25 * width:
        return nothing(HOLD, NEAR_MIDDLE)
    state.phase = LAYING
    state.side = 1 if market.mid < middle else -1
    state.middle = middle
    state.laid = 0
    state.asked_out = 0.0
    state.begun_ns = market.tick_at_ns
    return _lay(market, params, state)


@njit(cache=True)
def _lay(market: Any, params: Params, state: Any) -> Intent:
    """Send the next level: a step further from the middle, and not above the touch."""
    state.laid += 1
    if state.laid >= params.levels:
        state.phase = WORKING
    price = state.middle * (1.0 - 1e-4 * state.side * params.step_bps * state.laid)
    touch = market.best_bid if state.side > 0 else market.best_ask
    if state.side * (price - touch) > 0.0:
        price = touch
    return place(POST_ONLY, state.side, price, params.capital_share, 0, LEVEL)


@njit(cache=True)
def _leaving_reason(market: Any, params: Params, state: Any) -> int:
    edge = state.middle * (1.0 - 1e-4 * state.side * params.step_bps * (params.levels + 1))
    if state.side * (market.mid - edge) <= 0.0:
        return STOP
    if market.regime != RANGE:
        return REGIME_LEFT
    if market.tick_at_ns - state.begun_ns >= int(1e9 * params.time_out_s):
        return TIME_OUT
    return NO_SIGNAL


@njit(cache=True)
def _work(market: Any, params: Params, state: Any) -> Intent:
    reason = _leaving_reason(market, params, state)
    if reason != NO_SIGNAL:
        state.phase = LEAVING
        return nothing(EXIT, reason)
    if state.phase == LAYING:
        return _lay(market, params, state)
    if state.phase == RENEWING:
        if state.open_orders > 0:
            return nothing(HOLD, WAITING)
        state.phase = WORKING
    if state.position == 0.0:
        if state.asked_out != 0.0 or state.open_orders == 0:
            # The target filled (or every level came back): take back what is left and lay the grid anew.
            state.phase = LEAVING
            return nothing(CANCEL, RENEW)
        return nothing(HOLD, NO_SIGNAL)
    if state.asked_out == state.position:
        return nothing(HOLD, NO_SIGNAL)
    if state.asked_out != 0.0:
        # More was filled: levels that rest are given up with the old target; what is held is asked out whole.
        state.asked_out = 0.0
        state.phase = RENEWING
        return nothing(CANCEL, RENEW)
    state.asked_out = state.position
    price = state.entry_price * (1.0 + 1e-4 * state.side * params.step_bps)
    return place(POST_ONLY, -state.side, price, params.capital_share, 1, TARGET_ORDER)


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
    if add_mid(state.bars, market.tick_at_ns, market.mid, params.bar_ns):
        state.low, state.high = range_of(state.bars, params.least_bars, params.quantile)
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    if state.phase == IDLE:
        return _begin(market, params, state)
    if state.phase == LEAVING:
        if state.open_orders > 0:
            return nothing(HOLD, WAITING)
        if state.position != 0.0:
            return nothing(EXIT, LEFT_OVER)
        state.phase = IDLE
        state.left_ns = market.tick_at_ns
        return nothing(HOLD, COOLDOWN)
    return _work(market, params, state)
