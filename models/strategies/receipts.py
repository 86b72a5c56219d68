"""What holding a perpetual is expected to receive in funding: the settlements of a hold, at rates that fade.

The rate seen is that of the next settlement; each one later is expected at less of it, by a half-life. What does not
belong here: forecasts of a rate, and what is decided by it.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

_HOUR_NS: Final = 3_600_000_000_000.0


@njit(cache=True)
def expected_funding(
    rate_per_h: float, settlement_ns: int, interval_h: float, at_ns: int, until_ns: int, half_life_h: float
) -> float:
    """Return the funding a long position is expected to pay until `until_ns`, a fraction of notional.

    Parameters
    ----------
    rate_per_h : float
        Rate of the next settlement, fraction per hour of its interval.
    settlement_ns : int
        The next one.
    interval_h : float
        Between settlements, hours.
    at_ns : int
        Now.
    until_ns : int
        End of the hold; a settlement at this instant counts.
    half_life_h : float
        Of what is expected of settlements after the next one, hours.

    Returns
    -------
    float
        Negative is received. NaN where the rate, the interval or the next settlement is not known; 0 if the hold ends before it.

    """
    if math.isnan(rate_per_h) or not (settlement_ns > at_ns and interval_h > 0.0):
        return math.nan
    interval_ns = int(interval_h * _HOUR_NS)
    fading = 0.5 ** (interval_h / half_life_h)
    total = 0.0
    rate = rate_per_h * interval_h
    due_ns = settlement_ns
    while due_ns <= until_ns:
        total += rate
        rate *= fading
        due_ns += interval_ns
    return total
