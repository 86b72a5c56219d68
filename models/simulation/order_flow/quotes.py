"""The makers: a book on consecutive ticks around the fair price that moves with it and refills what was taken.

Both sides share the code: `outward` is −1 for bids (row 0) and +1 for asks (row 1). A side that retreats moves before a
side that advances, and far levels are added before near ones go, so at no event is the book crossed or empty. Makers under
strain (after a campaign's orders) quote wider and smaller, and come back as the strain fades. Here belongs what makers do;
takers are in `takers`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.tape import SNAPSHOT, SNAPSHOT_START
from models.simulation.order_flow.draws import normal, uniform
from models.simulation.order_flow.emit import begin_message, emit, emit_level, end_message, set_level
from models.simulation.order_flow.labels import MAKER
from models.simulation.order_flow.parameters import MAX_SPREAD_TICKS

_NO_STRAIN = 1e-3


@njit(cache=True)
def target_lots(world: Any, p: Any, depth: int) -> float:
    """Draw the size, in lots, of a fresh level `depth` ticks from the touch; at least one lot."""
    s = world.state[0]
    profile = p.regime_touch_depth[s.regime] * (1.0 + p.depth_slope * depth) / (1.0 + s.strain)
    noise = 1.0 + p.depth_noise * (2.0 * uniform(s) - 1.0)
    return float(max(1.0, np.round(profile * noise / p.lot_size)))


@njit(cache=True)
def spread_ticks(world: Any, p: Any) -> int:
    """Spread makers want: the regime's, wider under strain."""
    s = world.state[0]
    wanted = np.round(p.regime_spread_ticks[s.regime] * (1.0 + s.strain))
    return int(min(wanted, float(MAX_SPREAD_TICKS)))


@njit(cache=True)
def fair_touch(world: Any, p: Any) -> int:
    """Tick of the best bid makers want; their ask is `spread_ticks` above it."""
    s = world.state[0]
    center = s.fair + s.whale_displacement + s.cascade_displacement
    return max(int(np.floor(center - 0.5 * (spread_ticks(world, p) - 1.0))), int(p.levels) + 1)


@njit(cache=True)
def _move_side(world: Any, p: Any, row: int, best: int) -> None:
    s = world.state[0]
    outward = 2 * row - 1
    far = best + outward * (p.levels - 1)
    # Old touch and far end, counted outwards from the new touch.
    first, last = (s.best[row] - best) * outward, (s.far[row] - best) * outward
    s.best[row], s.far[row] = best, far
    for k in range(min(first, p.levels)):
        set_level(world, p, row, best + outward * k, target_lots(world, p, k))
    for k in range(max(last + 1, 0), p.levels):
        set_level(world, p, row, best + outward * k, target_lots(world, p, k))
    for k in range(first, min(last + 1, 0)):
        set_level(world, p, row, best + outward * k, 0.0)
    for k in range(max(first, p.levels), last + 1):
        set_level(world, p, row, best + outward * k, 0.0)


@njit(cache=True)
def move_quotes(world: Any, p: Any) -> None:
    """Bring both sides to where the makers want them, inside an open message."""
    s = world.state[0]
    bid = fair_touch(world, p)
    ask = bid + spread_ticks(world, p)
    ask_first = ask > s.best[1]
    for turn in range(2):
        row = 1 if (turn == 0) == ask_first else 0
        best = ask if row == 1 else bid
        outward = 2 * row - 1
        if best != s.best[row] or best + outward * (p.levels - 1) != s.far[row]:
            _move_side(world, p, row, best)


@njit(cache=True)
def _refresh(world: Any, p: Any) -> None:
    s = world.state[0]
    for _ in range(p.refreshed_levels):
        row = 1 if uniform(s) > 0.5 else 0
        # The cube favours the touch: half of the draws fall on the first eighth of the levels.
        depth = min(np.int64(p.levels * uniform(s) ** 3), p.levels - 1)
        tick = s.best[row] + (2 * row - 1) * depth
        old = world.sizes[row, tick & (world.sizes.shape[1] - 1)]
        new = np.round(old + p.replenish_share * (target_lots(world, p, depth) - old))
        if new != old:
            set_level(world, p, row, tick, max(1.0, new))


@njit(cache=True)
def drift(world: Any, p: Any) -> None:
    """Bring fair price and displacements to the present: noise of the regime, reversion of impacts, makers coming back."""
    s = world.state[0]
    seconds = (s.now - s.moved_at) * 1e-9
    if seconds <= 0.0:
        return
    s.moved_at = s.now
    s.fair += p.regime_volatility_bps[s.regime] * 1e-4 * s.fair * np.sqrt(seconds) * normal(s)
    s.whale_displacement *= np.exp(-seconds / p.whale_reversion_s)
    s.cascade_displacement *= np.exp(-seconds / p.cascade_reversion_s)
    s.strain *= np.exp(-seconds / p.replenish_s)
    if s.strain < _NO_STRAIN:
        s.strain = 0.0


@njit(cache=True)
def quote(world: Any, p: Any) -> None:
    """One message of the makers: move with the fair price, refresh some levels."""
    drift(world, p)
    begin_message(world, p, MAKER, -1)
    before = world.state[0].n_events
    move_quotes(world, p)
    _refresh(world, p)
    if world.state[0].n_events > before:
        end_message(world, p)


@njit(cache=True)
def open_book(world: Any, p: Any) -> None:
    """Write the snapshot a tape begins with."""
    s = world.state[0]
    bid = fair_touch(world, p)
    s.best[0], s.best[1] = bid, bid + spread_ticks(world, p)
    begin_message(world, p, MAKER, -1)
    emit(world, p, SNAPSHOT_START, 0, 0.0, 0.0)
    for row in range(2):
        outward = 2 * row - 1
        s.far[row] = s.best[row] + outward * (p.levels - 1)
        for k in range(p.levels):
            tick = s.best[row] + outward * k
            lots = target_lots(world, p, k)
            world.sizes[row, tick & (world.sizes.shape[1] - 1)] = lots
            emit_level(world, p, SNAPSHOT, 1 - 2 * row, tick, lots)
    end_message(world, p)
