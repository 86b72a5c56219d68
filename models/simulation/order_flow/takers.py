"""The takers: an order that walks the book, the self-exciting crowd, and whales.

Arrivals of the crowd are a bivariate Hawkes process with exponential kernels, drawn exactly by thinning: between orders its
intensity only falls, so the intensity after the last order bounds it (Ogata 1981). Cascades and trends are in `campaigns`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.tape import TRADE
from models.simulation.order_flow.draws import normal, uniform, waiting_ns
from models.simulation.order_flow.emit import begin_message, emit_level, end_message, set_level
from models.simulation.order_flow.labels import BACKGROUND, WHALE
from models.simulation.order_flow.quotes import drift, move_quotes
from models.simulation.order_flow.state import CANDIDATE, NEXT_WHALE

_KEPT_LEVELS = 3  # an order never empties a side: makers would have left before


@njit(cache=True)
def mid_price(world: Any, p: Any) -> float:
    """Mid of the book (quote)."""
    s = world.state[0]
    return float(0.5 * (s.best[0] + s.best[1]) * p.tick_size)


@njit(cache=True)
def bps_in_ticks(world: Any, bps: float) -> float:
    """Ticks of the fair price that a number of basis points is."""
    return float(bps * 1e-4 * world.state[0].fair)


@njit(cache=True)
def take(world: Any, p: Any, side: int, size: float) -> float:
    """Let a market order walk the book inside an open message; returns what it got, in base."""
    s = world.state[0]
    row = 1 if side > 0 else 0
    outward = 2 * row - 1
    lots = max(1.0, np.round(size / p.lot_size))
    left = lots
    while left > 0.0 and (s.far[row] - s.best[row]) * outward >= _KEPT_LEVELS:
        tick = s.best[row]
        there = world.sizes[row, tick & (world.sizes.shape[1] - 1)]
        got = min(left, there)
        emit_level(world, p, TRADE, side, tick, got)
        set_level(world, p, row, tick, there - got)
        left -= got
        if got == there:
            s.best[row] = tick + outward
    return float((lots - left) * p.lot_size)


@njit(cache=True)
def crowd_size(s: Any, p: Any) -> float:
    """Draw the size of a background order, base."""
    return float(p.trade_size_median * np.exp(p.trade_size_sigma * normal(s)))


@njit(cache=True)
def _decay_excitation(s: Any, p: Any) -> None:
    factor = np.exp(-p.excitation_decay * (s.now - s.excited_at) * 1e-9)
    s.excitation[0] *= factor
    s.excitation[1] *= factor
    s.excited_at = s.now


@njit(cache=True)
def _intensities(s: Any, p: Any) -> tuple[float, float]:
    base = p.background_rate * p.regime_activity[s.regime]
    return base + s.excitation[0], base + s.excitation[1]


@njit(cache=True)
def schedule_crowd(world: Any, p: Any) -> None:
    """Draw the time of the next candidate from the intensity now, which bounds it until the next order."""
    s = world.state[0]
    _decay_excitation(s, p)
    buys, sells = _intensities(s, p)
    s.bound = buys + sells
    world.timers[CANDIDATE] = s.now + waiting_ns(s, s.bound)


@njit(cache=True)
def crowd(world: Any, p: Any) -> None:
    """Accept or drop a candidate; an accepted one trades and excites both sides."""
    s = world.state[0]
    _decay_excitation(s, p)
    buys, sells = _intensities(s, p)
    draw = uniform(s) * s.bound
    if draw <= buys + sells:
        side = 1 if draw <= buys else -1
        jump = p.excitation_decay
        own = 0 if side > 0 else 1
        s.excitation[own] += p.self_excitation * jump
        s.excitation[1 - own] += p.cross_excitation * jump
        begin_message(world, p, BACKGROUND, -1)
        size = take(world, p, side, crowd_size(s, p))
        opened = 1.0 if uniform(s) > 0.5 else -1.0
        s.open_interest = max(0.0, s.open_interest + opened * p.open_interest_noise * size)
        s.fair += side * bps_in_ticks(world, p.flow_impact_bps) * size / p.trade_size_median
        end_message(world, p)
    schedule_crowd(world, p)


@njit(cache=True)
def _note_whale(
    world: Any, side: int, size: float, permanent: float, transient: float, before: float
) -> None:
    s = world.state[0]
    x = world.episodes[s.n_episodes]
    x.start_ns = s.now
    x.end_ns = s.now
    x.extreme_ns = s.now
    x.number = s.episode
    x.orders = 1
    x.cause = WHALE
    x.side = side
    x.size = size
    x.permanent_bps = permanent
    x.transient_bps = transient
    x.open_interest_change = 0.0
    x.mid_before = before
    s.n_episodes += 1


@njit(cache=True)
def whale(world: Any, p: Any) -> None:
    """Let a whale trade: prints, then quotes move by the planted impact in the same message."""
    s = world.state[0]
    world.timers[NEXT_WHALE] = s.now + waiting_ns(s, p.whales_per_hour / 3600.0)
    drift(world, p)
    side = 1 if uniform(s) > 0.5 else -1
    multiple = min(p.whale_multiple_min * uniform(s) ** (-1.0 / p.whale_tail), p.whale_multiple_max)
    scale = (multiple / p.whale_multiple_min) ** p.whale_exponent
    permanent, transient = p.whale_permanent_bps * scale, p.whale_transient_bps * scale
    number = s.episodes_begun
    s.episodes_begun += 1
    before = mid_price(world, p)
    begin_message(world, p, WHALE, number)
    size = take(world, p, side, multiple * p.trade_size_median)
    s.fair += side * bps_in_ticks(world, permanent)
    s.whale_displacement += side * bps_in_ticks(world, transient)
    _note_whale(world, side, size, permanent, transient, before)
    move_quotes(world, p)
    world.episodes[s.n_episodes - 1].mid_after = mid_price(world, p)
    end_message(world, p)
