"""Two-sided quotes: a small order on either side of the mid, moved when the mid has moved. The benchmark's reference strategy.

It is what quoting costs, not a way to earn: no opinion, no skew, no inventory target. One intent a tick: the bid, at the next
tick the ask, both about the mid the bid was placed about. When the mid has moved `requote_bps` away from there, or a
quote is gone, what is left is cancelled, and once the venue has said so both sides are quoted anew. A side that would add to a
position is not quoted, so the position is never larger than one quote. The comparison with other engines
(`benchmarks/core.py`) writes the same rules down for them.

It asks no feature but the mid and whether the book is valid. Here belongs the decision alone.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.strategies.intent import CANCEL, HOLD, POST_ONLY, TOLD, Intent, nothing, place

# Phases.
START: Final = 0
BID_SENT: Final = 1
QUOTING: Final = 2
PULLING: Final = 3

# Reasons.
NO_SIGNAL: Final = 0
BID: Final = 1
ASK: Final = 2
MID_MOVED: Final = 3
QUOTE_GONE: Final = 4
WAITING: Final = 5
BOOK_INVALID: Final = 6

REASON_NAMES: Final = {
    NO_SIGNAL: "NO_SIGNAL",
    BID: "BID",
    ASK: "ASK",
    MID_MOVED: "MID_MOVED",
    QUOTE_GONE: "QUOTE_GONE",
    WAITING: "WAITING",
    BOOK_INVALID: "BOOK_INVALID",
}

STATE: Final = record_dtype(
    [
        *TOLD,
        ("phase", np.int64),
        ("sent", np.int64),  # quotes sent in this round
        ("centre", np.float64),  # mid they were placed about
    ]
)


class Params(NamedTuple):
    """Parameters of the quotes. Give floats as floats."""

    distance_bps: float = 2.0  # from the mid to each quote
    requote_bps: float = 1.0  # move of the mid that moves the quotes
    capital_share: float = 0.001  # of each quote


def check_params(params: Params) -> Params:
    """Return the parameters if they are usable.

    Raises
    ------
    ConfigError
        Naming the first number out of range.

    """
    for name, value, low, high in (
        ("distance_bps", params.distance_bps, 1e-6, 1e3),
        ("requote_bps", params.requote_bps, 1e-6, 1e3),
        ("capital_share", params.capital_share, 1e-9, 0.02),
    ):
        if not low <= value <= high:
            raise ConfigError(f"two-sided quotes: expected {name} from {low:g} to {high:g}, was {value:g}")
    return params


def new_state() -> np.record:
    """Return the state of a quoter that has sent nothing."""
    state = np.zeros(1, dtype=STATE)[0]
    state.entry_price = np.nan
    return state  # type: ignore[no-any-return]


@njit(cache=True)
def _quote(params: Params, state: np.record, side: int, reason: int) -> Intent:
    if state.position * side > 0.0:
        return nothing(HOLD, NO_SIGNAL)
    state.sent += 1
    price = state.centre * (1.0 - 1e-4 * side * params.distance_bps)
    return place(POST_ONLY, side, price, params.capital_share, 0, reason)


@njit(cache=True)
def _pull(state: np.record, reason: int) -> Intent:
    state.phase = PULLING
    return nothing(CANCEL, reason)


@njit(cache=True)
def _keep(market: np.record, params: Params, state: np.record) -> Intent:
    if 1e4 * abs(market.mid - state.centre) >= params.requote_bps * state.centre:
        return _pull(state, MID_MOVED)
    if state.open_orders < state.sent:
        return _pull(state, QUOTE_GONE)
    return nothing(HOLD, NO_SIGNAL)


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
    if market.valid == 0 or math.isnan(market.mid):
        if state.open_orders == 0:
            state.phase = START
        elif state.phase != PULLING:
            return _pull(state, BOOK_INVALID)
        return nothing(HOLD, BOOK_INVALID)
    if state.phase == PULLING:
        if state.open_orders > 0:
            return nothing(HOLD, WAITING)
        state.phase = START
    if state.phase == START:
        state.phase = BID_SENT
        state.centre = market.mid
        state.sent = 0
        return _quote(params, state, 1, BID)
    if state.phase == BID_SENT:
        state.phase = QUOTING
        return _quote(params, state, -1, ASK)
    return _keep(market, params, state)
