"""Bybit's funding formula: average premium, interest, dampener and caps.

Here belongs the arithmetic the venue publishes, and nothing estimated. What is not known yet at some instant (the premium
still to come) is the business of `models.funding.structural`.

Source: Bybit help, "What is funding rate and predicted rate" (2024-05) and the funding announcements; the weights rise
linearly with the minute of the interval, the dampener of ±0.05 % is not scaled by the interval, the caps apply to the
interval's own rate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INTEREST_PER_DAY = 0.0003
DAMPENER = 0.0005
MINUTES_PER_HOUR = 60

Floats = NDArray[np.float64]


def minute_weights(minutes: int) -> Floats:
    """Weights 1, 2, …, n of the minutes of an interval.

    Parameters
    ----------
    minutes : int
        Length of the interval in minutes: 480 for 8 h, 240 for 4 h, 60 for 1 h.

    Returns
    -------
    ndarray of float64, shape (minutes,)
        Not normalised; the last minute weighs most.

    """
    return np.arange(1, minutes + 1, dtype=np.float64)


def weight_between(first_minute: float, last_minute: float) -> float:
    """Sum of the weights of minutes ``first_minute < k <= last_minute``.

    Parameters
    ----------
    first_minute, last_minute : float
        Minutes since the start of the interval; whole numbers give the exact sum.

    Returns
    -------
    float
        ``Σ k``; divide by ``weight_between(0, 60 N)`` for a share.

    """
    return 0.5 * (last_minute * (last_minute + 1.0) - first_minute * (first_minute + 1.0))


def average_premium(premium: Floats) -> float:
    """Minute-weighted average premium of one whole interval.

    Parameters
    ----------
    premium : ndarray of float64, shape (60 N,)
        Premium index of each minute in time order, as fractions.

    Returns
    -------
    float
        ``Σ k·P_k / Σ k``.

    """
    weights = minute_weights(len(premium))
    return float(weights @ premium / weights.sum())


def interest(interval_h: float) -> float:
    """Interest rate of one interval: 0.03 % a day, scaled to its length in hours."""
    return INTEREST_PER_DAY * interval_h / 24.0


def dampened(premium: Floats | float, interval_h: float) -> Floats:
    """Rate before caps: ``P + clamp(I − P, −0.05 %, +0.05 %)``.

    Parameters
    ----------
    premium : float or ndarray
        Average premium of the interval.
    interval_h : float
        Length of the interval in hours.

    Returns
    -------
    ndarray of float64
        Same shape as `premium`; exactly the interest wherever the premium is within ±0.05 % of it.

    """
    average = np.asarray(premium, dtype=np.float64)
    rate = interest(interval_h)
    gap = rate - average
    # Written as a choice, not as a sum, so that inside the dead band the rate is the interest to the last bit.
    return np.where(np.abs(gap) <= DAMPENER, rate, average + np.sign(gap) * DAMPENER)


def funding_rate(
    premium: Floats | float, interval_h: float, lower: float = -np.inf, upper: float = np.inf
) -> Floats:
    """Funding rate of an interval from its average premium.

    Parameters
    ----------
    premium : float or ndarray
        Minute-weighted average premium, fraction.
    interval_h : float
        Length of the interval in hours.
    lower, upper : float, optional
        The symbol's caps for this interval, fractions; unbounded where unknown.

    Returns
    -------
    ndarray of float64
        Rate of the interval as a fraction; positive means longs pay.

    """
    return np.clip(dampened(premium, interval_h), lower, upper)
