"""Liquidation cascades and informed trends: many orders on one side over a stretch of time, with known impact.

A cascade's orders are forced: each prints a LIQUIDATION, lowers open interest by its size, and moves the price by its share
of the overshoot (which reverts) and of the permanent impact. A trend's orders look the same on the tape but raise open
interest and move the price for good. Here belongs when they begin, trade and end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.tape import LIQUIDATION
from models.simulation.order_flow.draws import exponential, uniform, waiting_ns
from models.simulation.order_flow.emit import as_decimal, begin_message, emit, end_message
from models.simulation.order_flow.labels import FORCED, INFORMED
from models.simulation.order_flow.quotes import drift, move_quotes
from models.simulation.order_flow.state import (
    NEXT_CASCADE,
    NEXT_FORCED,
    NEXT_INFORMED,
    NEXT_TREND,
)
from models.simulation.order_flow.takers import bps_in_ticks, mid_price, take

_NEVER = np.iinfo(np.int64).max


@njit(cache=True)
def _begin(world: Any, p: Any, which: int, mean_orders: float, duration_s: float, short_share: float) -> None:
    s = world.state[0]
    c = world.campaigns[which]
    c.side = -1 if uniform(s) <= short_share else 1
    c.number = s.episodes_begun
    s.episodes_begun += 1
    c.orders = 0
    # Between half and one and a half of the mean, so that lengths differ but every campaign is one to be seen.
    c.planned = max(np.int64(mean_orders * (0.5 + uniform(s))), 1)
    c.start_ns = s.now
    c.size = 0.0
    c.open_interest_before = s.open_interest
    c.mid_before = mid_price(world, p)
    world.timers[NEXT_FORCED + 2 * which] = s.now + waiting_ns(s, mean_orders / duration_s)


@njit(cache=True)
def _end(world: Any, p: Any, which: int, cause: int, permanent_bps: float, transient_bps: float) -> None:
    s = world.state[0]
    c = world.campaigns[which]
    x = world.episodes[s.n_episodes]
    x.start_ns = c.start_ns
    x.end_ns = s.now
    x.number = c.number
    x.orders = c.orders
    x.cause = cause
    x.side = c.side
    x.size = c.size
    x.permanent_bps = permanent_bps
    x.transient_bps = transient_bps
    x.open_interest_change = s.open_interest - c.open_interest_before
    x.mid_before = c.mid_before
    x.mid_after = mid_price(world, p)
    s.n_episodes += 1
    c.side = 0
    world.timers[NEXT_FORCED + 2 * which] = _NEVER


@njit(cache=True)
def begin_cascade(world: Any, p: Any) -> None:
    """Start a cascade; the next one is scheduled when it ends."""
    world.timers[NEXT_CASCADE] = _NEVER
    _begin(world, p, 0, p.cascade_orders, p.cascade_duration_s, p.cascade_long_share)


@njit(cache=True)
def begin_trend(world: Any, p: Any) -> None:
    """Start an informed trend of either side; the next one is scheduled when it ends."""
    world.timers[NEXT_TREND] = _NEVER
    _begin(world, p, 1, p.trend_orders, p.trend_duration_s, 0.5)


@njit(cache=True)
def _trade(world: Any, p: Any, which: int, cause: int, multiple: float) -> float:
    s = world.state[0]
    c = world.campaigns[which]
    drift(world, p)
    begin_message(world, p, cause, c.number)
    size = take(world, p, c.side, exponential(s, multiple * p.trade_size_median))
    c.orders += 1
    c.size += size
    return size


@njit(cache=True)
def forced_order(world: Any, p: Any) -> None:
    """One forced order of the cascade under way."""
    s = world.state[0]
    c = world.campaigns[0]
    size = _trade(world, p, 0, FORCED, p.cascade_order_multiple)
    s.open_interest = max(0.0, s.open_interest - size)
    # Shares of the planned number: a cascade's total is the planted one whatever its length.
    s.fair += c.side * bps_in_ticks(world, p.cascade_permanent_bps / c.planned)
    s.cascade_displacement += c.side * bps_in_ticks(world, p.cascade_overshoot_bps / c.planned)
    emit(world, p, LIQUIDATION, c.side, as_decimal(mid_price(world, p)), as_decimal(size))
    move_quotes(world, p)
    end_message(world, p)
    if c.orders >= c.planned:
        _end(world, p, 0, FORCED, p.cascade_permanent_bps, p.cascade_overshoot_bps)
        world.timers[NEXT_CASCADE] = s.now + waiting_ns(s, p.cascades_per_hour / 3600.0)
    else:
        world.timers[NEXT_FORCED] = s.now + waiting_ns(s, p.cascade_orders / p.cascade_duration_s)


@njit(cache=True)
def informed_order(world: Any, p: Any) -> None:
    """One order of the trend under way."""
    s = world.state[0]
    c = world.campaigns[1]
    size = _trade(world, p, 1, INFORMED, p.trend_order_multiple)
    s.open_interest += size
    s.fair += c.side * bps_in_ticks(world, p.trend_drift_bps / c.planned)
    move_quotes(world, p)
    end_message(world, p)
    if c.orders >= c.planned:
        _end(world, p, 1, INFORMED, p.trend_drift_bps, 0.0)
        world.timers[NEXT_TREND] = s.now + waiting_ns(s, p.trends_per_hour / 3600.0)
    else:
        world.timers[NEXT_INFORMED] = s.now + waiting_ns(s, p.trend_orders / p.trend_duration_s)
