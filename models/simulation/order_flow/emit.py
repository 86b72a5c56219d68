"""How events and their labels get into the chunk: messages, prices and sizes as a venue would write them.

Here belongs writing only; what happens is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.tape import DEPTH, END_OF_MESSAGE
from models.simulation.order_flow.draws import exponential
from models.simulation.order_flow.labels import MAKER


@njit(cache=True)
def as_decimal(value: float) -> float:
    """Return the double nearest to a decimal of eight places, as a venue's text would parse."""
    return float(np.round(value * 1e8) / 1e8)


@njit(cache=True)
def begin_message(world: Any, p: Any, cause: int, episode: int) -> None:
    """Open a message at the present venue time; it is received after the latency, never before an earlier one."""
    s = world.state[0]
    latency = p.feed_latency_min_ms + exponential(s, 1.0) * p.feed_latency_extra_ms
    s.message_local = max(s.last_local, s.now + np.int64(latency * 1e6))
    s.last_local = s.message_local
    s.cause = cause
    s.episode = episode


@njit(cache=True)
def emit(world: Any, p: Any, kind: int, side: int, price: float, size: float) -> None:
    """Append one event with its label to the chunk."""
    s = world.state[0]
    e = world.events[s.n_events]
    e.local_ts = s.message_local
    e.exch_ts = s.now
    e.kind = kind
    e.side = side
    e.price = price
    e.size = size
    x = world.labels[s.n_events]
    x.fair = s.fair * p.tick_size
    x.displacement = (s.whale_displacement + s.cascade_displacement) * p.tick_size
    x.episode = s.episode
    x.cause = s.cause
    x.regime = s.regime
    x.cascade = world.campaigns[0].side
    x.trend = world.campaigns[1].side
    s.n_events += 1


@njit(cache=True)
def emit_level(world: Any, p: Any, kind: int, side: int, tick: int, lots: float) -> None:
    """Append a trade or level, its price and size given in ticks and lots."""
    emit(world, p, kind, side, as_decimal(tick * p.tick_size), as_decimal(lots * p.lot_size))


@njit(cache=True)
def set_level(world: Any, p: Any, row: int, tick: int, lots: float) -> None:
    """Change the size at a tick of one side (row 0 bids, 1 asks) and say so."""
    world.sizes[row, tick & (world.sizes.shape[1] - 1)] = lots
    emit_level(world, p, DEPTH, 1 - 2 * row, tick, lots)


@njit(cache=True)
def end_message(world: Any, p: Any) -> None:
    """Close a message; what follows is the makers' again."""
    emit(world, p, END_OF_MESSAGE, 0, 0.0, 0.0)
    s = world.state[0]
    s.cause = MAKER
    s.episode = -1
