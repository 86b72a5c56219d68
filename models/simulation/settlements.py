"""Funding settlements of a simulated symbol from its minute premium, by the venue's own formula.

Here belong the calendar of settlements (regular and dynamic intervals) and the running estimate between two of them. The
formula itself is `models.funding.formula`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.funding.formula import average_premium, funding_rate
from models.simulation.bars import MINUTE_MS

Floats = NDArray[np.float64]

RATE_DECIMALS = 8
CALM_HOURS = 24  # hourly settlements below half the cap before a symbol returns to its regular interval


@dataclass(frozen=True, slots=True)
class Settlements:
    """Settlements in ascending time: instant, rate (fraction of the interval) and interval in hours."""

    ts_ms: NDArray[np.int64]
    rate: Floats
    interval_h: NDArray[np.int64]


def interval_rate(premium: Floats, interval_h: int, cap: float) -> float:
    """Rate of one interval as the venue publishes it, rounded to 8 decimals.

    Parameters
    ----------
    premium : ndarray of float64
        Premium index of the interval's minutes; fewer than ``60·interval_h`` give the running estimate, whose average is taken
        over the elapsed minutes (how the venue normalises it is not documented).
    interval_h : int
        Length of the interval in hours.
    cap : float
        Symmetric cap of the interval's rate.

    """
    return round(float(funding_rate(average_premium(premium), interval_h, -cap, cap)), RATE_DECIMALS)


def settle(premium: Floats, start_ms: int, interval_h: int, cap: float, *, dynamic: bool) -> Settlements:
    """Settle a whole series of minute premiums.

    Parameters
    ----------
    premium : ndarray of float64, shape (minutes,)
        Premium index at the close of each minute; the first minute opens at `start_ms`.
    start_ms : int
        Midnight UTC at which the series starts.
    interval_h : int
        Regular interval in hours.
    cap : float
        Symmetric cap of one interval's rate.
    dynamic : bool
        Whether a settlement at the cap makes the following ones hourly. The symbol returns to its regular schedule at the first
        regular instant after 24 hourly rates in a row below half the cap (planted; the venue's own rule is not published).

    """
    times: list[int] = []
    rates: list[float] = []
    hours: list[int] = []
    at = 0
    length_h = interval_h
    calm = 0
    while at + length_h * 60 <= len(premium):
        rate = interval_rate(premium[at : at + length_h * 60], length_h, cap)
        at += length_h * 60
        times.append(start_ms + at * MINUTE_MS)
        rates.append(rate)
        hours.append(length_h)
        if not dynamic:
            continue
        calm = calm + 1 if abs(rate) < 0.5 * cap else 0
        if abs(rate) >= cap:
            length_h = 1
        elif length_h == 1 and calm >= CALM_HOURS and at % (interval_h * 60) == 0:
            length_h = interval_h
    return Settlements(np.array(times, dtype=np.int64), np.array(rates), np.array(hours, dtype=np.int64))
