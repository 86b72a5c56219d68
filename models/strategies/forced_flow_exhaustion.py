"""S6 ForcedFlowExhaustion: fade forced flow once it is exhausted.

Rule: when the flow is FORCED and exhausted, place maker orders against it in three layers: at the touch, one tick and
two or three ticks behind it. Size w = direction * w_max / sigma * tanh((LPI - 3) / 2), a share of capital, at most the
limit of R1. Only while z of the price impact is below its limit; INFORMED flow is never faded: either takes resting
entries back. The position is left when LPI falls below 1.2, when price stands 2.5 sigma against it, or after 120 s.

Sigma is the standard deviation of the mid's log return over `sigma_horizon_s`, an exponentially fading mean over ticks, held
in the state; the stop uses the sigma at entry. Here belongs the decision alone.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.forced_flow import FORCED, INFORMED
from models.market.features.records import record_dtype
from models.strategies.intent import CANCEL, EXIT, HOLD, PLACE, POST_ONLY, TOLD, Intent, nothing

LAYERS: Final = 3

# Phases.
FLAT: Final = 0
WORKING: Final = 1
"""Entries rest or fill, or a position is held."""
LEAVING: Final = 2

# Reasons.
NO_SIGNAL: Final = 0
ENTRY: Final = 1
IMPACT_TOO_HIGH: Final = 2
INFORMED_FLOW: Final = 3
SIGMA_UNKNOWN: Final = 4
NO_SIZE: Final = 5
CALM: Final = 6
STOP: Final = 7
TIME_OUT: Final = 8
BOOK_INVALID: Final = 9
WAITING: Final = 10
LEFT_OVER: Final = 11

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    ENTRY: "ENTRY",
    IMPACT_TOO_HIGH: "IMPACT_TOO_HIGH",
    INFORMED_FLOW: "INFORMED_FLOW",
    SIGMA_UNKNOWN: "SIGMA_UNKNOWN",
    NO_SIZE: "NO_SIZE",
    CALM: "CALM",
    STOP: "STOP",
    TIME_OUT: "TIME_OUT",
    BOOK_INVALID: "BOOK_INVALID",
    WAITING: "WAITING",
    LEFT_OVER: "LEFT_OVER",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("side", np.int64),
        ("entered_ns", np.int64),
        ("entry_sigma", np.float64),
        ("last_mid", np.float64),  # NaN after a tick without a valid book
        ("last_ns", np.int64),
        ("variance_per_s", np.float64),
        ("variance_weight_s", np.float64),
    ]
)


class Params(NamedTuple):
    """Parameters of S6. Give floats as floats."""

    w_max: float = 1e-5  # share of capital times sigma
    most_share: float = 0.02  # R1
    lpi_limit: float = 3.0
    exit_lpi: float = 1.2
    most_z_impact: float = 2.0
    deepest_ticks: int = 3
    stop_sigmas: float = 2.5
    time_stop_s: float = 120.0
    sigma_horizon_s: float = 120.0
    sigma_time_constant_s: float = 1800.0
    sigma_least_s: float = 60.0


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    p = params
    for name, value, low, high in (
        ("w_max", p.w_max, 1e-12, 1.0),
        ("most_share", p.most_share, 1e-9, 0.02),
        ("lpi_limit", p.lpi_limit, 0.0, 100.0),
        ("exit_lpi", p.exit_lpi, -100.0, p.lpi_limit),
        ("most_z_impact", p.most_z_impact, 1e-6, 100.0),
        ("deepest_ticks", p.deepest_ticks, 2, 3),
        ("stop_sigmas", p.stop_sigmas, 1e-3, 100.0),
        ("time_stop_s", p.time_stop_s, 30.0, 180.0),
        ("sigma_horizon_s", p.sigma_horizon_s, 1e-3, 86_400.0),
        ("sigma_time_constant_s", p.sigma_time_constant_s, 1.0, 1e7),
        ("sigma_least_s", p.sigma_least_s, 1e-3, p.sigma_time_constant_s),
    ):
        if not low <= value <= high:
            raise ConfigError(
                f"forced flow exhaustion: expected {name} from {low:g} to {high:g}, was {value:g}"
            )
    return params


def new_state() -> np.record:
    """Return the state of a flat strategy that has seen no price."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    state.last_mid = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _follow_sigma(market: np.record, params: Params, state: np.record) -> None:
    mid = market.mid
    elapsed_s = 1e-9 * (market.tick_at_ns - state.last_ns)
    if elapsed_s > 0.0 and not math.isnan(mid) and not math.isnan(state.last_mid):
        move = math.log(mid / state.last_mid)
        keep = math.exp(-elapsed_s / params.sigma_time_constant_s)
        before = keep * state.variance_weight_s
        weight = before + elapsed_s
        state.variance_per_s = (before * state.variance_per_s + move * move) / weight
        state.variance_weight_s = weight
    state.last_mid = mid
    state.last_ns = market.tick_at_ns


@njit(cache=True)
def sigma_of(params: Params, state: np.record) -> float:
    """Return sigma, a fraction over `sigma_horizon_s`; NaN before `sigma_least_s` were seen or where the mid stood still."""
    if state.variance_weight_s < params.sigma_least_s or state.variance_per_s <= 0.0:
        return math.nan
    return math.sqrt(state.variance_per_s * params.sigma_horizon_s)


@njit(cache=True)
def size_of(lpi: float, sigma: float, params: Params) -> float:
    """Return the size of an entry, a share of capital without its direction; not above `most_share`."""
    share = params.w_max / sigma * math.tanh((lpi - params.lpi_limit) / 2.0)
    # Not `min`: compiled, it would turn an undefined size into the largest one.
    return params.most_share if share > params.most_share else share


@njit(cache=True)
def _refusal(market: np.record, params: Params) -> int:
    """Say why nothing may be faded now, `NO_SIGNAL` when it may."""
    if market.flow_state == INFORMED:
        return INFORMED_FLOW
    # Written so that an undefined z does not trade.
    if not market.z_price_impact < params.most_z_impact:
        return IMPACT_TOO_HIGH
    return NO_SIGNAL


@njit(cache=True)
def _enter(market: np.record, params: Params, state: np.record) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    refusal = _refusal(market, params)
    if refusal == INFORMED_FLOW:
        return nothing(HOLD, refusal)
    if not (market.flow_state == FORCED and market.exhausted == 1.0):
        return nothing(HOLD, NO_SIGNAL)
    if refusal != NO_SIGNAL:
        return nothing(HOLD, refusal)
    sigma = sigma_of(params, state)
    if math.isnan(sigma):
        return nothing(HOLD, SIGMA_UNKNOWN)
    share = size_of(market.lpi, sigma, params)
    if not share > 0.0 or math.isnan(market.pressure_side):
        return nothing(HOLD, NO_SIZE)
    side = -int(market.pressure_side)
    price = market.best_bid if side > 0 else market.best_ask
    state.phase = WORKING
    state.side = side
    state.entered_ns = market.tick_at_ns
    state.entry_sigma = sigma
    return Intent(PLACE, POST_ONLY, side, price, share, LAYERS, params.deepest_ticks, 0, ENTRY)


@njit(cache=True)
def _exit_reason(market: np.record, params: Params, state: np.record) -> int:
    if market.tick_at_ns - state.entered_ns >= int(1e9 * params.time_stop_s):
        return TIME_OUT
    if state.position != 0.0:
        against = -state.side * math.log(market.mid / state.entry_price)
        if against >= params.stop_sigmas * state.entry_sigma:
            return STOP
    if market.lpi < params.exit_lpi:
        return CALM
    return NO_SIGNAL


@njit(cache=True)
def _work(market: np.record, params: Params, state: np.record) -> Intent:
    if market.valid == 0:
        return nothing(HOLD, BOOK_INVALID)
    reason = _exit_reason(market, params, state)
    if reason != NO_SIGNAL:
        state.phase = LEAVING
        return nothing(EXIT, reason)
    refusal = _refusal(market, params)
    if refusal != NO_SIGNAL and state.open_orders > 0:
        return nothing(CANCEL, refusal)
    return nothing(HOLD, refusal)


@njit(cache=True)
def step(market: np.record, params: Params, state: np.record) -> Intent:
    """Decide once, at an alpha tick, and advance the state.

    Parameters
    ----------
    market : record of MARKET
    params : Params
    state : record of STATE
        Its `TOLD` fields up to date; changed in place.

    Returns
    -------
    Intent

    """
    _follow_sigma(market, params, state)
    if state.phase != FLAT and state.position == 0.0 and state.open_orders == 0:
        state.phase = FLAT
    if state.phase == FLAT:
        return _enter(market, params, state)
    if state.phase == WORKING:
        return _work(market, params, state)
    if state.open_orders == 0 and state.position != 0.0 and market.valid != 0:
        # The exit came back unfilled: try again.
        return nothing(EXIT, LEFT_OVER)
    return nothing(HOLD, WAITING)
