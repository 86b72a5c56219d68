"""Liquidation cascades and informed trends: many orders on one side over a stretch of time, with known impact.

A cascade's orders are forced: each prints a LIQUIDATION, lowers open interest by its size, and moves the price by its share
of the overshoot (which reverts) and of the permanent impact. A trend's orders look the same on the tape but raise open
interest and move the price for good.

Sizes are lognormal, so a few orders sweep far: a sweep trades in slices, and makers step back between them. Each order
strains the makers (`quotes`). Over the last orders sizes and rate fade: price makes its last extreme while the flow dries up,
makers come back, then what was overshoot reverts. Here belongs when campaigns begin, trade and end.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

from models.market.tape import LIQUIDATION
from models.simulation.order_flow.draws import normal, uniform, waiting_ns
from models.simulation.order_flow.emit import as_decimal, begin_message, emit, end_message
from models.simulation.order_flow.labels import FORCED, INFORMED
from models.simulation.order_flow.quotes import drift, move_quotes
from models.simulation.order_flow.state import (
    NEXT_CASCADE,
    NEXT_FORCED,
    NEXT_TREND,
)
from models.simulation.order_flow.takers import bps_in_ticks, mid_price, take

MOST_SLICES: Final = 6
MOST_CROWDED: Final = 3.0
"""Standard deviations of the premium beyond which crowding grows no further."""
_SLICE_BPS = 1.0
_FAINTEST = 0.15
_NEVER = np.iinfo(np.int64).max


@njit(cache=True)
def weight_of(order: int, planned: int, fade: float) -> float:
    """Size and rate of a campaign's order (from 0), as a share of their level before the fade."""
    faded = (planned - order) / (fade * planned) if fade > 0.0 else 1.0
    return float(min(1.0, max(_FAINTEST, faded)))


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
    weights, gaps = 0.0, 0.0
    for k in range(c.planned):
        weight = weight_of(k, c.planned, p.campaign_fade)
        weights += weight
        gaps += 1.0 / weight
    c.mean_weight = weights / c.planned
    c.gap_s = duration_s * c.planned / mean_orders / gaps
    c.weight_left = weights
    c.impact_left = 1.0
    c.start_ns = s.now
    c.extreme_ns = s.now
    c.extreme = -np.inf
    c.size = 0.0
    c.open_interest_before = s.open_interest
    c.mid_before = mid_price(world, p)
    world.timers[NEXT_FORCED + 2 * which] = s.now + waiting_ns(s, 1.0 / c.gap_s)


@njit(cache=True)
def _end(world: Any, p: Any, which: int, cause: int, permanent_bps: float, transient_bps: float) -> None:
    s = world.state[0]
    c = world.campaigns[which]
    x = world.episodes[s.n_episodes]
    x.start_ns = c.start_ns
    x.end_ns = s.now
    x.extreme_ns = c.extreme_ns
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
def crowding(premium: float, p: Any) -> float:
    """Return the factor the rate of cascades has at a premium; its mean over the premium's distribution is one.

    exp(g min(|z|, 3)) over its mean, z the standardised premium: for a standard normal z the mean is
    2 exp(g²/2) (Phi(3 - g) - Phi(-g)) + 2 exp(3g) (1 - Phi(3)).
    """
    g = p.cascade_crowding
    if g <= 0.0:
        return 1.0
    root = math.sqrt(2.0)
    inner = 0.5 * (math.erf((MOST_CROWDED - g) / root) + math.erf(g / root))
    beyond = 0.5 * math.erfc(MOST_CROWDED / root)
    mean = 2.0 * (math.exp(0.5 * g * g) * inner + math.exp(MOST_CROWDED * g) * beyond)
    z = min(abs(premium - p.premium_mean) / p.premium_std, MOST_CROWDED)
    return math.exp(g * z) / mean


@njit(cache=True)
def _most_crowding(p: Any) -> float:
    return crowding(p.premium_mean + MOST_CROWDED * p.premium_std, p)


@njit(cache=True)
def cascade_wait_ns(s: Any, p: Any) -> int:
    """Draw the time to the next candidate of a cascade, at the highest rate it can have."""
    return waiting_ns(s, p.cascades_per_hour / 3600.0 * _most_crowding(p))


@njit(cache=True)
def begin_cascade(world: Any, p: Any) -> None:
    """Start a cascade, or drop the candidate by thinning; the next one is scheduled when it ends."""
    s = world.state[0]
    if p.cascade_crowding > 0.0 and uniform(s) * _most_crowding(p) > crowding(s.premium, p):
        world.timers[NEXT_CASCADE] = s.now + cascade_wait_ns(s, p)
        return
    world.timers[NEXT_CASCADE] = _NEVER
    _begin(world, p, 0, p.cascade_orders, p.cascade_duration_s, p.cascade_long_share)


@njit(cache=True)
def begin_trend(world: Any, p: Any) -> None:
    """Start an informed trend of either side; the next one is scheduled when it ends."""
    world.timers[NEXT_TREND] = _NEVER
    _begin(world, p, 1, p.trend_orders, p.trend_duration_s, 0.5)


@njit(cache=True)
def _trade(
    world: Any, p: Any, which: int, cause: int, multiple: float, permanent_bps: float, transient_bps: float
) -> float:
    """Open a message and let the campaign's next order sweep; returns its size."""
    s = world.state[0]
    c = world.campaigns[which]
    drift(world, p)
    weight = weight_of(c.orders, c.planned, p.campaign_fade)
    sigma = p.campaign_size_sigma
    own = weight * np.exp(sigma * normal(s) - 0.5 * sigma * sigma)
    c.orders += 1
    c.weight_left -= weight
    # Of what is left, this order's part against the mean of those to come: the total is the planted one, whatever was drawn.
    share = c.impact_left * own / (own + c.weight_left) if c.orders < c.planned else c.impact_left
    c.impact_left -= share
    permanent, transient = share * permanent_bps, share * transient_bps
    slices = min(1 + int((permanent + transient) / _SLICE_BPS), MOST_SLICES)
    begin_message(world, p, cause, c.number)
    size = 0.0
    for _ in range(slices):
        size += take(world, p, c.side, multiple * p.trade_size_median * own / c.mean_weight / slices)
        s.fair += c.side * bps_in_ticks(world, permanent / slices)
        s.cascade_displacement += c.side * bps_in_ticks(world, transient / slices)
        s.strain += p.strain_per_bps * (permanent + transient) / slices
        move_quotes(world, p)
    c.size += size
    reached = c.side * (s.fair + s.cascade_displacement)
    if reached > c.extreme:
        c.extreme = reached
        c.extreme_ns = s.now
    return size


@njit(cache=True)
def _schedule(world: Any, p: Any, which: int) -> None:
    s = world.state[0]
    c = world.campaigns[which]
    weight = weight_of(c.orders, c.planned, p.campaign_fade)
    world.timers[NEXT_FORCED + 2 * which] = s.now + waiting_ns(s, weight / c.gap_s)


@njit(cache=True)
def forced_order(world: Any, p: Any) -> None:
    """One forced order of the cascade under way."""
    s = world.state[0]
    c = world.campaigns[0]
    permanent, transient = p.cascade_permanent_bps, p.cascade_overshoot_bps
    size = _trade(world, p, 0, FORCED, p.cascade_order_multiple, permanent, transient)
    s.open_interest = max(0.0, s.open_interest - size)
    emit(world, p, LIQUIDATION, c.side, as_decimal(mid_price(world, p)), as_decimal(size))
    end_message(world, p)
    if c.orders >= c.planned:
        _end(world, p, 0, FORCED, permanent, transient)
        world.timers[NEXT_CASCADE] = s.now + cascade_wait_ns(s, p)
    else:
        _schedule(world, p, 0)


@njit(cache=True)
def informed_order(world: Any, p: Any) -> None:
    """One order of the trend under way."""
    s = world.state[0]
    c = world.campaigns[1]
    s.open_interest += _trade(world, p, 1, INFORMED, p.trend_order_multiple, p.trend_drift_bps, 0.0)
    end_message(world, p)
    if c.orders >= c.planned:
        _end(world, p, 1, INFORMED, p.trend_drift_bps, 0.0)
        world.timers[NEXT_TREND] = s.now + waiting_ns(s, p.trends_per_hour / 3600.0)
    else:
        _schedule(world, p, 1)
