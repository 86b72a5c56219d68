"""The slow clock of a market record: Hurst exponent, regime and its model, once a bar (F14, F15).

A bar is a period of the Hurst window and has five finer periods; both end on ticks. Wiring only: the formulas are the
kernels'. What does not belong here: what is brought up to date at every tick (`tick.py`).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from models.market.features import hurst
from models.regimes import hmm, kernel


@njit(cache=True)
def _regime_params(params: np.record) -> kernel.RegimeKernelParams:
    return kernel.RegimeKernelParams(
        params.regime_bars,
        params.regime_trend_efficiency,
        params.regime_volatile,
        params.regime_entropy,
        params.regime_leave_trend_efficiency,
        params.regime_leave_volatile,
        params.regime_leave_entropy,
        params.regime_noise_hurst,
        params.regime_distribution_volume,
        params.regime_least_dwell_bars,
    )


@njit(cache=True)
def _close_bar(market: np.record, params: np.record) -> None:
    own = market.internal
    size = len(own.closes)
    newest = own.bars % size
    own.closes[newest] = market.mid
    own.volumes[newest] = own.bar_volume
    own.bar_volume = 0.0
    own.bars += 1
    k = params.hmm_states
    if k > 0 and own.bars >= 2:
        step_bps = 1e4 * math.log(market.mid / own.closes[(own.bars - 2) % size])
        hmm.filter_step(
            own.hmm[:k],
            step_bps,
            params.hmm_start[:k],
            params.hmm_transition[:k, :k],
            params.hmm_means[:k],
            params.hmm_variances[:k],
        )
        market.hmm_turbulent = own.hmm[k - 1]
    n = params.regime_bars
    if own.bars < n:
        market.regime = kernel.UNKNOWN
        return
    closes, volumes = np.empty(n), np.empty(n)
    for i in range(n):
        closes[i] = own.closes[(own.bars - n + i) % size]
        volumes[i] = own.volumes[(own.bars - n + i) % size]
    evidence = kernel.evidence_of(closes, volumes, market.hurst)
    market.regime = kernel.step(own.regime, evidence, _regime_params(params))


@njit(cache=True)
def close_bars(market: np.record, now_ns: int, params: np.record) -> None:
    """Close the finer period that ends at this tick, if one does, and the bar with it; a period without a mid is a hole."""
    if now_ns % (params.bar_ns // hurst.FINER) != 0:
        return
    own = market.internal
    log_mid = math.log(market.mid)
    if math.isnan(log_mid):
        # A bar without a price: strict windows begin anew, and so does the model's memory.
        own.bars = 0
        own.bar_volume = 0.0
        own.hmm[:] = 0.0
        own.regime.regime = kernel.UNKNOWN
        own.regime.dwelt = 0
        market.regime = kernel.UNKNOWN
        market.hmm_turbulent = math.nan
    if not hurst.close_period(own.hurst, log_mid):
        if math.isnan(log_mid):
            _publish_hurst(market, math.nan, math.nan)
        return
    _publish_hurst(market, hurst.rolling(own.hurst), hurst.rolling_finer(own.hurst))
    _close_bar(market, params)


@njit(cache=True)
def _publish_hurst(market: np.record, h: float, finer: float) -> None:
    market.hurst = h
    market.hurst_z = hurst.null_z(h)
    market.hurst_label = hurst.label(h, hurst.LOW, hurst.HIGH)
    market.hurst_label_null = hurst.label(h, hurst.NULL_LOW, hurst.NULL_HIGH)
    market.hurst_finer = finer
    market.hurst_label_finer = hurst.label(finer, hurst.LOW, hurst.HIGH)
