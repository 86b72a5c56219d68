"""Markets beside the own one: the partner of a pair with its fit on past closes, and the same contract on another venue.

The partner's price follows from the own and a spread: mean-reverting where one is planted, a random walk in the null. What a
strategy is told of it is fitted on closes of the past week alone: least squares of log prices, then the Dickey-Fuller t of
the residuals without lags (the planted spread has none) with MacKinnon's p-value for two variables (1994, as updated in 2010).
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from models.simulation.order_flow.draws import normal
from models.simulation.slow_market.state import CLOSE_NS, CLOSES, REFIT_CLOSES

_GAP_SD_BPS = 1.0
_GAP_KEEP_PER_S = math.exp(-1.0 / 600.0)
_LOWEST, _STAR, _HIGHEST = -18.86, -2.62, 0.92


@njit(cache=True)
def mackinnon_pvalue(statistic: float) -> float:
    """P-value of an Engle-Granger statistic of two variables with a constant."""
    if statistic > _HIGHEST:
        return 1.0
    if statistic < _LOWEST:
        return 0.0
    t = statistic
    small = 2.92 + 1.5012 * t + 0.039796 * t * t
    large = 2.1945 + 0.64695 * t - 0.29198 * t * t - 0.042377 * t * t * t
    return 0.5 * math.erfc(-(small if t <= _STAR else large) / math.sqrt(2.0))


@njit(cache=True)
def _line(y: Any, x: Any) -> tuple[float, float]:
    my, mx = y.mean(), x.mean()
    top, bottom = 0.0, 0.0
    for i in range(len(x)):
        top += (x[i] - mx) * (y[i] - my)
        bottom += (x[i] - mx) * (x[i] - mx)
    beta = top / bottom if bottom > 0.0 else math.nan
    return my - beta * mx, beta


@njit(cache=True)
def fit_pair(own: Any, partner: Any, bar_s: float) -> tuple[float, float, float, float, float]:
    """Return alpha, beta, standard deviation of the spread, its half-life in seconds, p-value of no co-integration.

    Parameters
    ----------
    own, partner : array of float64, shape (n,)
        Logs of closes, oldest first.
    bar_s : float

    """
    alpha, beta = _line(own, partner)
    spread = own - alpha - beta * partner
    n = len(spread)
    squares, before, moves = 0.0, 0.0, 0.0
    for i in range(n):
        squares += spread[i] * spread[i]
    for i in range(1, n):
        before += spread[i - 1] * spread[i - 1]
        moves += spread[i - 1] * (spread[i] - spread[i - 1])
    slope = moves / before
    rest = 0.0
    for i in range(1, n):
        error = spread[i] - (1.0 + slope) * spread[i - 1]
        rest += error * error
    statistic = slope / math.sqrt(rest / (n - 2) / before)
    keep = 1.0 + slope
    half_life = -math.log(2.0) / math.log(keep) * bar_s if 0.0 < keep < 1.0 else math.inf
    return alpha, beta, math.sqrt(squares / (n - 2)), half_life, mackinnon_pvalue(statistic)


@njit(cache=True)
def _in_order(ring: Any, count: int) -> Any:
    ordered = ring.copy()
    for i in range(len(ring)):
        ordered[i] = ring[(count + i) % len(ring)]
    return ordered


@njit(cache=True)
def _close(s: Any, log_own: float, log_partner: float) -> None:
    """Remember a close, and fit again every few hours once a week is there."""
    slot = s.closes % CLOSES
    s.own_closes[slot] = log_own
    s.partner_closes[slot] = log_partner
    s.closes += 1
    if s.closes < CLOSES or s.closes % REFIT_CLOSES != 0:
        return
    own, partner = _in_order(s.own_closes, s.closes), _in_order(s.partner_closes, s.closes)
    alpha, beta, sigma, half_life, pvalue = fit_pair(own, partner, 1e-9 * CLOSE_NS)
    s.pair_terms[0] = alpha
    s.pair_terms[1] = beta
    s.pair_terms[2] = sigma
    s.pair_terms[3] = half_life
    s.pair_terms[4] = pvalue


@njit(cache=True)
def move_other_markets(s: Any, p: Any, own_mid: float) -> float:
    """Bring the other markets to the present; return the partner's price.

    Parameters
    ----------
    s : record of STATE
    p : record of NUMBERS
    own_mid : float
        Quote.

    """
    s.pair_spread = p.pair_keep * s.pair_spread + p.pair_step_noise * normal(s)
    s.other_difference = (
        1e-4 * p.other_rate_bps_per_h
        + p.other_keep * (s.other_difference - 1e-4 * p.other_rate_bps_per_h)
        + p.other_noise * normal(s)
    )
    keep = _GAP_KEEP_PER_S**p.outlook_s
    s.other_gap_bps = keep * s.other_gap_bps + _GAP_SD_BPS * math.sqrt(1.0 - keep * keep) * normal(s)
    log_own = math.log(own_mid)
    log_partner = (log_own - p.pair_alpha - s.pair_spread) / p.pair_beta
    if s.now % CLOSE_NS == 0:
        _close(s, log_own, log_partner)
    return math.exp(log_partner)
