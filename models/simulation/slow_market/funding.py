"""The next settlement as it can be known: rate so far by the venue's formula, and the distribution of the rate to come.

The premium is an Ornstein-Uhlenbeck process seen once a minute, so the interval's weighted mean is normal given what has
been seen, and the rate is that mean through the formula: five straight pieces between kinks. Mean, deviation and
probabilities below are exact for that. What does not belong here: when a settlement is (`reports.py`).
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

_INTEREST_PER_DAY = 0.0003
_DAMPENER = 0.0005
_ROOT_2 = math.sqrt(2.0)
_ROOT_2PI = math.sqrt(2.0 * math.pi)
_FAR = 1e9
_DIGIT = 5e-9
"""Half of the last place of a published rate: closer to the interest it is the interest."""


@njit(cache=True)
def expected_average(s: Any, p: Any) -> tuple[float, float]:
    """Mean and standard deviation of the interval's weighted premium, given the minutes seen."""
    minutes = round(60.0 * p.funding_interval_h)
    mean_level = 1e-4 * p.premium_mean_bps
    deviation = s.premium + s.crowd_premium - mean_level
    keep = p.premium_minute_keep
    reach, variance, to_come = 0.0, 0.0, 0.0
    for minute in range(minutes, s.premium_minutes, -1):
        # What an innovation of this minute adds to the sum of weighted minutes from here on.
        reach = minute + keep * reach
        variance += reach * reach
        to_come += minute
    total = s.premium_weight + to_come
    mean = (s.premium_sum + to_come * mean_level + keep * reach * deviation) / total
    return mean, p.premium_minute_noise * math.sqrt(variance) / total


@njit(cache=True)
def _below(x: float) -> float:
    return 0.5 * math.erfc(-x / _ROOT_2)


@njit(cache=True)
def _bell(x: float) -> float:
    return math.exp(-0.5 * x * x) / _ROOT_2PI


@njit(cache=True)
def _moments_between(mean: float, sd: float, low: float, high: float) -> tuple[float, float, float]:
    """Mass, first and second moment of a normal variable between two limits."""
    a, b = (low - mean) / sd, (high - mean) / sd
    mass = _below(b) - _below(a)
    fa, fb = _bell(a), _bell(b)
    # z f(z) vanishes at the far ends, where z is only a stand-in for infinity.
    za, zb = a * fa, b * fb
    first = mean * mass + sd * (fa - fb)
    second = (mean * mean + sd * sd) * mass + sd * (2.0 * mean * (fa - fb) + sd * (za - zb))
    return mass, first, second


@njit(cache=True)
def implied_rate(average: float, interval_h: float, cap: float) -> float:
    """Funding rate of an interval from its weighted average premium."""
    interest = _INTEREST_PER_DAY * interval_h / 24.0
    gap = interest - average
    rate = interest if abs(gap) <= _DAMPENER else average + math.copysign(_DAMPENER, gap)
    return min(max(rate, -cap), cap)


@njit(cache=True)
def rate_moments(mean: float, sd: float, interval_h: float, cap: float) -> tuple[float, float]:
    """Mean and standard deviation of the rate when the average premium is normal."""
    if not sd > 0.0:
        return implied_rate(mean, interval_h, cap), 0.0
    interest = _INTEREST_PER_DAY * interval_h / 24.0
    kinks = (-_FAR, -cap - _DAMPENER, interest - _DAMPENER, interest + _DAMPENER, cap + _DAMPENER, _FAR)
    # On each piece the rate is offset + slope * premium.
    offsets = (-cap, _DAMPENER, interest, -_DAMPENER, cap)
    first, second = 0.0, 0.0
    for k in range(5):
        mass, one, two = _moments_between(mean, sd, kinks[k], kinks[k + 1])
        slope, offset = float(k % 2), offsets[k]
        first += offset * mass + slope * one
        second += offset * offset * mass + slope * (2.0 * offset * one + two)
    return first, math.sqrt(max(second - first * first, 0.0))


@njit(cache=True)
def probability_above(mean: float, sd: float, rate: float, interval_h: float, cap: float) -> float:
    """Probability of a settled rate above a rate; NaN stays NaN."""
    if math.isnan(rate):
        return math.nan
    if rate >= cap:
        return 0.0
    if rate < -cap:
        return 1.0
    interest = _INTEREST_PER_DAY * interval_h / 24.0
    # The largest average that still gives no more than the rate.
    limit = rate + _DAMPENER if rate >= interest - _DIGIT else rate - _DAMPENER
    if sd > 0.0:
        return _below((mean - limit) / sd)
    return 1.0 if mean > limit else 0.0


@njit(cache=True)
def probability_below(mean: float, sd: float, rate: float, interval_h: float, cap: float) -> float:
    """Probability of a settled rate below a rate; NaN stays NaN."""
    if math.isnan(rate):
        return math.nan
    if rate <= -cap:
        return 0.0
    if rate > cap:
        return 1.0
    interest = _INTEREST_PER_DAY * interval_h / 24.0
    limit = rate + _DAMPENER if rate > interest + _DIGIT else rate - _DAMPENER
    if sd > 0.0:
        return _below((limit - mean) / sd)
    return 1.0 if mean < limit else 0.0


@njit(cache=True)
def forecast(s: Any, p: Any) -> None:
    """Bring the forecast of the next settlement up to the minute at hand."""
    mean, sd = expected_average(s, p)
    h, cap = p.funding_interval_h, p.funding_cap
    rate, rate_sd = rate_moments(mean, sd, h, cap)
    s.predicted[0] = rate
    s.predicted[1] = rate_sd
    s.predicted[2] = probability_above(mean, sd, s.current_rate, h, cap)
    s.predicted[3] = probability_below(mean, sd, s.current_rate, h, cap)
    s.predicted[4] = probability_above(mean, sd, 0.0, h, cap)
    s.predicted_at = s.now
