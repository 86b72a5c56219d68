"""F5: order-flow imbalance of the best level, queue imbalance, weighted mid, depth imbalance.

OFI is that of Cont, Kukanov and Stoikov (2014). The weighted mid (a*Qb + b*Qa) / (Qa + Qb) is what SYSTEMS.md calls
microprice; Stoikov's micro-price of 2018 is another thing. Sizes in base units, prices in quote currency or in ticks.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.features.records import record_dtype

TOUCH: Final = record_dtype(
    [
        ("known", np.int64),  # 1 once a touch has been seen since the last break
        ("bid", np.float64),
        ("bid_size", np.float64),
        ("ask", np.float64),
        ("ask_size", np.float64),
    ]
)


@njit(cache=True)
def ofi_step(touch: np.record, bid: float, bid_size: float, ask: float, ask_size: float) -> float:
    """Take the new touch and return its contribution e to OFI; 0.0 for the first one.

    Parameters
    ----------
    touch : record of TOUCH
        The touch before; becomes the new one.
    bid, bid_size, ask, ask_size : float

    Returns
    -------
    float
        1{b' >= b} qb' - 1{b' <= b} qb - 1{a' <= a} qa' + 1{a' >= a} qa, in base units.

    """
    e = 0.0
    if touch.known != 0:
        if bid >= touch.bid:
            e += bid_size
        if bid <= touch.bid:
            e -= touch.bid_size
        if ask <= touch.ask:
            e -= ask_size
        if ask >= touch.ask:
            e += touch.ask_size
    touch.known = 1
    touch.bid = bid
    touch.bid_size = bid_size
    touch.ask = ask
    touch.ask_size = ask_size
    return e


@njit(cache=True)
def queue_imbalance(bid_size: float, ask_size: float) -> float:
    """Return (Qb - Qa) / (Qb + Qa), -1 to 1; NaN where both are zero."""
    total = bid_size + ask_size
    if not total > 0.0:
        return math.nan
    return (bid_size - ask_size) / total


@njit(cache=True)
def weighted_mid(bid: float, bid_size: float, ask: float, ask_size: float) -> float:
    """Return (a * Qb + b * Qa) / (Qa + Qb); NaN where both sizes are zero."""
    total = bid_size + ask_size
    if not total > 0.0:
        return math.nan
    return (ask * bid_size + bid * ask_size) / total


@njit(cache=True)
def depth_imbalance(bid_sizes: NDArray[np.float64], ask_sizes: NDArray[np.float64], levels: int) -> float:
    """Return the imbalance of the summed sizes of the best `levels` levels, best first; NaN where all are zero."""
    bids, asks = 0.0, 0.0
    for i in range(min(levels, len(bid_sizes))):
        bids += bid_sizes[i]
    for i in range(min(levels, len(ask_sizes))):
        asks += ask_sizes[i]
    return queue_imbalance(bids, asks)
