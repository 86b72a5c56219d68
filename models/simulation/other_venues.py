"""How a simulated Binance and OKX differ from the simulated Bybit: a planted truth for everything that compares venues.

Funding of another venue is Bybit's for the same settlement plus a slow wave of known size; prices differ by a constant. Pure.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

OtherVenue = Literal["binance", "okx"]
WAVE_MS: Final = 6 * 86_400_000
"""Length of the wave."""
WAVE: Final[dict[str, float]] = {"binance": 6e-5, "okx": 1.5e-4}
"""Largest difference of a rate per eight hours, a fraction."""
PRICE: Final[dict[str, float]] = {"binance": 2e-5, "okx": -3e-5}
"""A price there less Bybit's, a fraction."""
_PHASE: Final[dict[str, float]] = {"binance": 0.0, "okx": math.pi / 3}


def funding_difference(venue: OtherVenue, ts_ms: NDArray[np.int64], interval_h: int) -> NDArray[np.float64]:
    """Return a venue's rate less Bybit's at settlements.

    Parameters
    ----------
    venue : str
    ts_ms : array of int64
        Settlements, ms UTC.
    interval_h : int
        Funding interval, hours: half the interval, half the difference.

    """
    angle = 2.0 * math.pi * (ts_ms % WAVE_MS) / WAVE_MS + _PHASE[venue]
    return np.asarray(WAVE[venue] * interval_h / 8.0 * np.sin(angle), dtype=np.float64)


def price_factor(venue: OtherVenue) -> float:
    """Return what Bybit's price is multiplied by."""
    return 1.0 + PRICE[venue]
