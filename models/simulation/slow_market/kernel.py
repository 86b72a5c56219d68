"""The compiled loop: a step a second, four while something fast is under way.

In a step: what is due happens, the venue reports, the price moves, the makers quote it, then the crowd trades until the next
step. Here belongs the order of things.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.order_flow.draws import normal, uniform
from models.simulation.slow_market.cascades import forced_order
from models.simulation.slow_market.effects import happen, start_effects
from models.simulation.slow_market.outlooks import write_outlook
from models.simulation.slow_market.quotes import crowd_trades, open_book, quote
from models.simulation.slow_market.reports import report
from models.simulation.slow_market.state import (
    CASCADE,
    FADING,
    FORCED,
    QUARTER_NS,
    RANGE,
    SECOND_NS,
    SWINGS,
)

_BPS = 1e-4
_FADED_BPS = 0.1
_FADED_STRAIN = 0.05
ROOM = 4096
"""Most events a step can write: a spike through every rung, twice, and a minute's trades."""


@njit(cache=True)
def _fade(s: Any, p: Any, k: int) -> None:
    """Let what is displaced come back over the step that has passed; what is gone needs no quarters of a second."""
    s.fast = 0
    for i in range(FADING):
        s.displaced[i] *= p.fading[k, i]
        if abs(s.displaced[i]) < _FADED_BPS:
            s.displaced[i] = 0.0
        else:
            s.fast = 1
    s.strain *= p.strain_keep[k]
    if s.strain < _FADED_STRAIN:
        s.strain = 0.0
    else:
        s.fast = 1


@njit(cache=True)
def _move_price(s: Any, p: Any, k: int) -> float:
    """Bring the price over the step that has passed; returns the price makers want, ticks."""
    noise = p.regime_volatility_bps[s.regime] * s.volatility * p.sqrt_s[k]
    s.fair *= 1.0 + _BPS * (s.drift * p.step_s[k] + noise * normal(s))
    away = 0.0
    if s.stage[RANGE] != 0:
        s.range_bps = p.range_keep[k] * s.range_bps + p.range_noise[k] * normal(s)
        away += s.range_bps
    if s.fast != 0:
        for i in range(FADING):
            away += s.displaced[i]
    return float(s.fair * (1.0 + _BPS * away))


@njit(cache=True)
def _remember_swing(s: Any) -> None:
    slot = s.swings % SWINGS
    s.highs[slot] = max(s.highs[slot], s.quoted)
    s.lows[slot] = min(s.lows[slot], s.quoted)


@njit(cache=True)
def _step(s: Any, p: Any, events: Any, outlooks: Any, episodes: Any) -> None:
    k = s.quarter
    if s.fast != 0:
        _fade(s, p, k)
    if s.wake <= s.now:
        happen(s, p, episodes)
    if s.stage[CASCADE] == FORCED:
        forced_order(s, p)
    if s.now >= s.next_report:
        report(s, p, events)
        if s.now >= s.next_outlook:
            write_outlook(s, p, outlooks)
    center = _move_price(s, p, k)
    away = abs(center - s.quoted)
    length = QUARTER_NS if s.fast != 0 or s.now % SECOND_NS != 0 else SECOND_NS
    if s.order_side != 0 or away > _BPS * p.requote_bps * center:
        quote(s, p, events, center, s.now + np.int64(0.4 * length * uniform(s)))
        _remember_swing(s)
    else:
        s.clock = s.now
    s.quarter = 0 if length == SECOND_NS else 1
    crowd_trades(s, p, events, s.now + length, s.quarter)
    s.now += length


@njit(cache=True)
def _begin(s: Any, p: Any, events: Any) -> None:
    s.begun = 1
    open_book(s, p, events)
    start_effects(s, p)


@njit(cache=True, nogil=True)
def run(s: Any, p: Any, events: Any, outlooks: Any, episodes: Any, until_ns: int) -> bool:
    """Let the market go on until a venue time (excluded) or until the chunk is full.

    Parameters
    ----------
    s : record of STATE
        Changed in place; ``n``, ``m`` and ``k`` say how much of the chunk is filled.
    p : record of NUMBERS
    events, outlooks, episodes : arrays of EVENT, OUTLOOK and EPISODE
    until_ns : int

    Returns
    -------
    bool
        True when the time was reached.

    """
    s.n = 0
    s.m = 0
    s.k = 0
    room = len(events) - ROOM
    if s.begun == 0 and s.now < until_ns:
        _begin(s, p, events)
    while s.n <= room and s.m < len(outlooks) and s.k < len(episodes) - 64:
        if s.now >= until_ns:
            return True
        _step(s, p, events, outlooks, episodes)
    return False
