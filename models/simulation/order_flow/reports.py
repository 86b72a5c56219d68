"""What a venue reports beside trades and quotes: mark, index, premium, open interest, funding; and the regimes.

The funding rate follows the venue's formula: linearly weighted mean of the interval's minute premia plus the clamped
distance to the interest rate, then the cap (SYSTEMS.md F2). An interval that began before the tape is averaged over the minutes
there are. Here belongs what happens by the clock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.tape import FUNDING, INDEX, MARK, OPEN_INTEREST, PREMIUM
from models.simulation.order_flow.draws import normal, uniform, waiting_ns
from models.simulation.order_flow.emit import as_decimal, begin_message, emit, end_message
from models.simulation.order_flow.labels import MAKER
from models.simulation.order_flow.quotes import drift, move_quotes
from models.simulation.order_flow.state import INTEREST, NEXT_REGIME, REFERENCE
from models.simulation.order_flow.takers import schedule_crowd

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_INTEREST_PER_DAY = 0.0003
_DAMPENER = 0.0005


@njit(cache=True)
def implied_rate(average_premium: float, interval_h: float, cap: float) -> float:
    """Funding rate of an interval from its weighted average premium (fractions)."""
    interest = _INTEREST_PER_DAY * interval_h / 24.0
    rate = average_premium + min(max(interest - average_premium, -_DAMPENER), _DAMPENER)
    return min(max(rate, -cap), cap)


@njit(cache=True)
def _minute(world: Any, p: Any) -> None:
    s = world.state[0]
    emit(world, p, PREMIUM, 0, as_decimal(s.premium), 0.0)
    s.premium_minutes += 1
    s.premium_sum += s.premium_minutes * as_decimal(s.premium)
    s.premium_weight += s.premium_minutes
    if s.now % np.int64(p.funding_interval_h * _HOUR) == 0:
        rate = implied_rate(s.premium_sum / s.premium_weight, p.funding_interval_h, p.funding_cap)
        emit(world, p, FUNDING, 0, as_decimal(rate), 0.0)
        s.premium_minutes = 0
        s.premium_sum = 0.0
        s.premium_weight = 0.0


@njit(cache=True)
def reference(world: Any, p: Any) -> None:
    """Each full second: index and mark; each minute the premium; at settlement the rate."""
    s = world.state[0]
    world.timers[REFERENCE] = s.now + _SECOND
    drift(world, p)
    keep = 0.5 ** (1.0 / p.premium_half_life_s)
    noise = p.premium_std * np.sqrt(1.0 - keep * keep) * normal(s)
    s.premium = p.premium_mean + keep * (s.premium - p.premium_mean) + noise
    begin_message(world, p, MAKER, -1)
    mark = s.fair * p.tick_size
    emit(world, p, INDEX, 0, as_decimal(mark / (1.0 + s.premium)), 0.0)
    emit(world, p, MARK, 0, as_decimal(mark), 0.0)
    if s.now % _MINUTE == 0:
        _minute(world, p)


@njit(cache=True)
def report_interest(world: Any, p: Any) -> None:
    """Report open interest; a message of its own."""
    s = world.state[0]
    world.timers[INTEREST] = s.now + np.int64(p.open_interest_period_s * _SECOND)
    begin_message(world, p, MAKER, -1)
    emit(world, p, OPEN_INTEREST, 0, 0.0, as_decimal(s.open_interest))


@njit(cache=True)
def change_regime(world: Any, p: Any) -> None:
    """Move to one of the other regimes; quotes follow at once, arrivals from now on."""
    s = world.state[0]
    drift(world, p)
    s.regime = (s.regime + (1 if uniform(s) > 0.5 else 2)) % 3
    schedule_crowd(world, p)
    world.timers[NEXT_REGIME] = s.now + waiting_ns(s, 1.0 / p.regime_dwell_s[s.regime])
    begin_message(world, p, MAKER, -1)
    before = s.n_events
    move_quotes(world, p)
    if s.n_events > before:
        end_message(world, p)
