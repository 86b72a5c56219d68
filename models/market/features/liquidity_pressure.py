"""F6, the Liquidity Pressure Index: forced flow, thinning liquidity and price impact, on one scale.

Over an alpha tick of length D: V = notional of taker sells beyond the best bid as it stood just before the tick, by
more than theta (mirrored for buys). FSI = V / (ADV$ * D) * (1 + kappa * tanh(dOI / sigma_dOI)), in multiples of the
average traded volume. LDR = (spread / mid) / (band depth / its rolling mean). Pi = |log-return| / (volume$ + floor).
LPI = 0.5 z(FSI) + 0.3 z(LDR) + 0.2 z(Pi).

FSI and Pi are zero in most ticks, so their MAD is often zero: the epsilon of their z is a declared size in their own
unit (for FSI one average volume), not a tiny number. What does not belong here: z-scores (`robust_z.py`), OI
(`open_interest.py`), the verdicts on LPI (`forced_flow.py`).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

SWEEP: Final = record_dtype(
    [
        ("bid", np.float64),  # touch just before the window; NaN or 0 where unknown
        ("ask", np.float64),
        ("sells_usd", np.float64),
        ("buys_usd", np.float64),
    ]
)


@njit(cache=True)
def start_window(state: np.record, bid: float, ask: float) -> None:
    """Open a window: forget the volume, remember the touch."""
    state.bid = bid
    state.ask = ask
    state.sells_usd = 0.0
    state.buys_usd = 0.0


@njit(cache=True)
def add_trade(state: np.record, side: int, price: float, size: float, theta: float) -> None:
    """Count a trade if it went more than `theta` (fraction) beyond the touch of the window's start."""
    if side < 0:
        if price < state.bid * (1.0 - theta):
            state.sells_usd += price * size
    elif price > state.ask * (1.0 + theta) and state.ask > 0.0:
        state.buys_usd += price * size


@njit(cache=True)
def forced_selling_index(
    volume_usd: float, usd_per_s: float, window_s: float, oi_fall: float, oi_sigma: float, kappa: float
) -> float:
    """Return FSI.

    Parameters
    ----------
    volume_usd : float
        Volume beyond the touch, of the side in question.
    usd_per_s : float
        Average traded notional per second, of both sides.
    window_s : float
    oi_fall : float
        dOI; NaN where unknown, which leaves its factor at 1.
    oi_sigma : float
        Typical size of dOI; NaN or zero leaves the factor at 1.
    kappa : float

    Returns
    -------
    float
        NaN while the average is unknown.

    """
    average = usd_per_s * window_s
    if not average > 0.0:
        return math.nan
    factor = 1.0
    if oi_sigma > 0.0 and not math.isnan(oi_fall):
        factor += kappa * math.tanh(oi_fall / oi_sigma)
    return volume_usd / average * factor


@njit(cache=True)
def liquidity_drain_ratio(spread: float, mid: float, depth: float, mean_depth: float) -> float:
    """Return LDR: relative spread over relative band depth; NaN where a part is unknown or not positive."""
    if not (mid > 0.0 and depth > 0.0 and mean_depth > 0.0):
        return math.nan
    return (spread / mid) / (depth / mean_depth)


@njit(cache=True)
def price_impact(log_return: float, volume_usd: float, floor_usd: float) -> float:
    """Return Pi, per quote currency traded."""
    return abs(log_return) / (volume_usd + floor_usd)


@njit(cache=True)
def liquidity_pressure(z_fsi: float, z_ldr: float, z_impact: float) -> float:
    """Return LPI; NaN where a part is."""
    return 0.5 * z_fsi + 0.3 * z_ldr + 0.2 * z_impact
