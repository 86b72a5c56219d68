"""What the venue reports by the clock: open interest, mark, index, premium each minute, and the settlement.

The funding rate follows the venue's formula (`models/funding/formula.py`, which tests hold it against): mean of the
interval's minute premia with linearly rising weights, interest, dampener, cap. Here belongs what happens by the clock.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from models.market.tape import FUNDING, INDEX, MARK, OPEN_INTEREST, PREMIUM
from models.simulation.order_flow.draws import normal
from models.simulation.slow_market.cascades import crowding
from models.simulation.slow_market.courses import sum_courses
from models.simulation.slow_market.funding import forecast, implied_rate
from models.simulation.slow_market.quotes import as_decimal, begin_message, emit

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_HOUR_S = 3600.0
_HOME = 2e-6
"""Share of its distance to the usual level by which open interest comes back a second."""
_CROWD_FADES_S = 1200.0


@njit(cache=True)
def interval_ns(p: Any) -> int:
    """Nanoseconds between settlements."""
    return int(p.funding_interval_h * _HOUR_S) * _SECOND


@njit(cache=True)
def _move_premium(s: Any, p: Any) -> None:
    mean = 1e-4 * p.premium_mean_bps
    s.premium = mean + p.premium_keep * (s.premium - mean) + p.premium_noise * normal(s)
    side = crowding(s)
    if side != 0.0:
        target = side * 1e-4 * p.cascade_build_premium_bps
        s.crowd_premium += (target - s.crowd_premium) * min(1.0, 2.0 * p.report_s / p.cascade_build_s)
    else:
        s.crowd_premium *= math.exp(-p.report_s / _CROWD_FADES_S)


@njit(cache=True)
def _move_interest(s: Any, p: Any) -> None:
    seconds = 1e-9 * (s.now - s.reported_ns)
    s.reported_ns = s.now
    change = s.interest_rate * seconds + p.open_interest_noise * normal(s)
    home = _HOME * seconds * (p.open_interest / s.open_interest - 1.0)
    s.open_interest *= max(1.0 + change + home, 0.5)


@njit(cache=True)
def _settle(s: Any, p: Any, events: Any) -> None:
    if s.premium_weight > 0.0:
        rate = implied_rate(s.premium_sum / s.premium_weight, p.funding_interval_h, p.funding_cap)
        s.current_rate = as_decimal(rate)
        emit(s, events, FUNDING, 0, s.current_rate, 0.0)
        s.carry_bps_per_s = 1e4 * p.carry_share * s.current_rate / (p.funding_interval_h * _HOUR_S)
        sum_courses(s)
    s.premium_minutes = 0
    s.premium_sum = 0.0
    s.premium_weight = 0.0
    s.settlement = s.now + interval_ns(p)


@njit(cache=True)
def premium_now(s: Any) -> float:
    """Premium as the venue writes it."""
    return as_decimal(s.premium + s.crowd_premium)


@njit(cache=True)
def report(s: Any, p: Any, events: Any) -> None:
    """Write one message of reports."""
    s.next_report = s.now + np.int64(p.report_s) * _SECOND
    _move_premium(s, p)
    _move_interest(s, p)
    begin_message(s, p, s.now)
    premium = premium_now(s)
    mark = s.quoted * p.tick_size
    emit(s, events, OPEN_INTEREST, 0, 0.0, as_decimal(s.open_interest))
    emit(s, events, MARK, 0, as_decimal(mark), 0.0)
    emit(s, events, INDEX, 0, as_decimal(mark / (1.0 + premium)), 0.0)
    if s.now % _MINUTE != 0:
        return
    emit(s, events, PREMIUM, 0, premium, 0.0)
    if s.settlement == 0:
        # An interval that began before the tape is averaged over the minutes there are.
        s.settlement = (s.now // interval_ns(p) + 1) * interval_ns(p)
    else:
        s.premium_minutes = (s.now - (s.settlement - interval_ns(p))) // _MINUTE
        s.premium_sum += s.premium_minutes * premium
        s.premium_weight += s.premium_minutes
    if s.now == s.settlement:
        _settle(s, p, events)
    forecast(s, p)
