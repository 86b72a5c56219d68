"""The compiled loop: whatever is due next happens, until the end of time or of the chunk.

Here belongs the order of things; what happens is in `takers`, `campaigns`, `quotes` and `reports`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.order_flow.campaigns import (
    MOST_SLICES,
    begin_cascade,
    begin_trend,
    cascade_wait_ns,
    forced_order,
    informed_order,
)
from models.simulation.order_flow.draws import waiting_ns
from models.simulation.order_flow.quotes import open_book, quote
from models.simulation.order_flow.reports import change_regime, reference, report_interest
from models.simulation.order_flow.state import (
    CANDIDATE,
    INTEREST,
    NEXT_CASCADE,
    NEXT_FORCED,
    NEXT_INFORMED,
    NEXT_REGIME,
    NEXT_TREND,
    NEXT_WHALE,
    QUOTES,
    REFERENCE,
)
from models.simulation.order_flow.takers import crowd, schedule_crowd, whale

_SECOND = 1_000_000_000


@njit(cache=True)
def room_per_step(levels: int) -> int:
    """Most events one happening can write: for each step of a sweep a walk through a side and both sides replaced."""
    return 6 * levels * MOST_SLICES + 2 * levels + 16


@njit(cache=True)
def _begin(world: Any, p: Any) -> None:
    s = world.state[0]
    s.begun = 1
    open_book(world, p)
    schedule_crowd(world, p)
    world.timers[QUOTES] = s.now + waiting_ns(s, p.book_updates)
    world.timers[NEXT_WHALE] = s.now + waiting_ns(s, p.whales_per_hour / 3600.0)
    world.timers[NEXT_CASCADE] = s.now + cascade_wait_ns(s, p)
    world.timers[NEXT_TREND] = s.now + waiting_ns(s, p.trends_per_hour / 3600.0)
    world.timers[NEXT_REGIME] = s.now + waiting_ns(s, 1.0 / p.regime_dwell_s[s.regime])
    world.timers[REFERENCE] = (s.now // _SECOND + 1) * _SECOND
    world.timers[INTEREST] = s.now


@njit(cache=True)
def _rare(world: Any, p: Any, which: int) -> None:
    if which == NEXT_WHALE:
        whale(world, p)
    elif which == NEXT_CASCADE:
        begin_cascade(world, p)
    elif which == NEXT_TREND:
        begin_trend(world, p)
    elif which == NEXT_REGIME:
        change_regime(world, p)
    else:
        report_interest(world, p)


@njit(cache=True)
def _happen(world: Any, p: Any, which: int) -> None:
    if which == CANDIDATE:
        crowd(world, p)
    elif which == QUOTES:
        quote(world, p)
        s = world.state[0]
        world.timers[QUOTES] = s.now + waiting_ns(s, p.book_updates)
    elif which == NEXT_FORCED:
        forced_order(world, p)
    elif which == NEXT_INFORMED:
        informed_order(world, p)
    elif which == REFERENCE:
        reference(world, p)
    else:
        _rare(world, p, which)


@njit(cache=True)
def run(world: Any, p: Any, until_ns: int) -> bool:
    """Let the market go on until `until_ns` (venue time, excluded) or until the chunk is full.

    Returns
    -------
    bool
        True when the time was reached; the chunk holds ``state.n_events`` events and ``state.n_episodes`` episodes.

    """
    s = world.state[0]
    s.n_events = 0
    s.n_episodes = 0
    room = world.events.shape[0] - room_per_step(p.levels)
    if s.begun == 0:
        _begin(world, p)
    while s.n_events <= room and s.n_episodes < world.episodes.shape[0]:
        which = int(np.argmin(world.timers))
        if world.timers[which] >= until_ns:
            return True
        s.now = world.timers[which]
        _happen(world, p, which)
    return False
