"""F4, Kyle's lambda: slope of price change on signed notional, by least squares over a rolling window of samples.

lambda = cov(dp, q) / var(q), with intercept (Kyle 1985). Undefined before a least number of trades has been seen and
where the signed notional does not vary. Its z-score is `robust_z`'s business.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

MOST_SAMPLES: Final = 1024

KYLE: Final = record_dtype(
    [
        ("seen", np.int64),  # samples so far
        ("trades", np.int64),  # trades so far
        ("sum_q", np.float64),
        ("sum_p", np.float64),
        ("sum_qq", np.float64),
        ("sum_qp", np.float64),
        ("flow", np.float64, (MOST_SAMPLES,)),
        ("change", np.float64, (MOST_SAMPLES,)),
    ]
)


@njit(cache=True)
def _sum_anew(state: np.record, n: int) -> None:
    """Recompute the sums, so that rounding cannot pile up."""
    sum_q, sum_p, sum_qq, sum_qp = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        q, p = state.flow[i], state.change[i]
        sum_q += q
        sum_p += p
        sum_qq += q * q
        sum_qp += q * p
    state.sum_q = sum_q
    state.sum_p = sum_p
    state.sum_qq = sum_qq
    state.sum_qp = sum_qp


@njit(cache=True)
def update(state: np.record, price_change: float, signed_notional: float, trades: int, window: int) -> None:
    """Add one sample.

    Parameters
    ----------
    state : record of KYLE
    price_change : float
        Change of the mid over the sample, quote currency.
    signed_notional : float
        Buys minus sells of the takers in it, quote currency.
    trades : int
        Trades in it.
    window : int
        Samples regressed on, 2 to `MOST_SAMPLES`; the same in every call.

    """
    slot = state.seen % window
    if state.seen >= window:
        q, p = state.flow[slot], state.change[slot]
        state.sum_q -= q
        state.sum_p -= p
        state.sum_qq -= q * q
        state.sum_qp -= q * p
    state.flow[slot] = signed_notional
    state.change[slot] = price_change
    state.sum_q += signed_notional
    state.sum_p += price_change
    state.sum_qq += signed_notional * signed_notional
    state.sum_qp += signed_notional * price_change
    state.seen += 1
    state.trades += trades
    if slot == window - 1:
        _sum_anew(state, window)


@njit(cache=True)
def kyle_lambda(state: np.record, window: int, least_trades: int) -> float:
    """Return the slope, quote currency per quote currency traded; NaN where it is undefined."""
    n = min(state.seen, window)
    if n < 3 or state.trades < least_trades:
        return math.nan
    variation = state.sum_qq - state.sum_q * state.sum_q / n
    if not variation > 1e-12 * state.sum_qq:
        return math.nan
    return float((state.sum_qp - state.sum_q * state.sum_p / n) / variation)


@njit(cache=True)
def lambda_through_origin(state: np.record, window: int, least_trades: int) -> float:
    """Return the slope of the line without intercept; NaN where it is undefined."""
    if min(state.seen, window) < 2 or state.trades < least_trades or not state.sum_qq > 0.0:
        return math.nan
    return float(state.sum_qp / state.sum_qq)
