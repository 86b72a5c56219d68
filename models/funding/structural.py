"""The structural forecast: the venue's formula completed with an expected premium, and a rolling offset for the proxy.

What is observed of the premium (a proxy) differs from what the venue averages by an offset that drifts over months, and by
an error that fades within a day. Every settlement tells something about both: outside the dead band the venue's average
premium follows exactly from the rate, inside it is known to lie within ±0.05 % of the interest. A two-state Kalman filter
(random walk plus AR(1)) learns from past settlements; inside the dead band it uses the moments of the truncated normal
(Tobin 1958). The rate is then the mean of the formula over the remaining uncertainty, not the formula of the mean: near the
dead band's edges that differs, and it is what minimises squared error.

Features built on this belong to `models.funding.features`; fitted models to `models.funding.candidates`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.funding.formula import DAMPENER, interest
from models.funding.inputs import HOUR_NS, SOURCE_PERP_SPOT, SOURCE_PREMIUM_INDEX

_INSIDE = 1e-9  # a rate this close to the interest lay inside the dead band
_LEAST_MASS = 1e-9  # below this the truncated normal's moments are numerically void
_STEP_H = 8.0  # drift and decay are stated per eight hours


@dataclass(frozen=True)
class OffsetParams:
    """Noise of the offset filter, as fractions per eight hours.

    Attributes
    ----------
    prior_sd : float
        Standard deviation of the slow offset before any settlement was seen.
    drift_sd : float
        Random-walk step of the slow offset.
    fast_persistence, fast_sd : float
        AR(1) coefficient and innovation of the error that fades within a day.
    observation_sd : float
        What remains of a settlement's average that the proxy cannot explain.
    tail_sd : float
        Uncertainty of the premium still to come, at 90 minutes before settlement; scales linearly with the horizon.
    tail_spread : float
        How much of the last hour's spread of the premium, times the weight still to come, is added to it: a lively
        symbol's future is less certain.
    rate_sd : float
        Standard deviation of the average premium about what past rates imply. They are a weak second opinion that matters
        while the offset is hardly known; infinite where the venue's own premium index leaves them nothing to say.
    clip_sd : float
        Innovations are cut at this many standard deviations, so that one extraordinary settlement does not move the offset.

    """

    prior_sd: float
    drift_sd: float
    fast_persistence: float
    fast_sd: float
    observation_sd: float
    tail_sd: float
    tail_spread: float
    rate_sd: float
    clip_sd: float


# Chosen on recorded Bybit data (BTC, ETH, SOL, 2025; perp/spot 5-minute bars); the result is flat around them.
OFFSET_PARAMS: dict[int, OffsetParams] = {
    SOURCE_PERP_SPOT: OffsetParams(8e-5, 8e-7, 0.6, 1.5e-5, 2e-5, 1e-5, 0.5, 2e-4, 4.0),
    SOURCE_PREMIUM_INDEX: OffsetParams(1e-5, 1e-7, 0.0, 1e-6, 2e-6, 3e-5, 0.5, math.inf, 3.0),
}


@dataclass
class OffsetState:
    """Mean and covariance of the slow and the fast offset; fractions."""

    slow: float
    fast: float
    var_slow: float
    var_fast: float
    covariance: float
    last_innovation: float = 0.0

    @property
    def mean(self) -> float:
        """Expected offset of the next settlement."""
        return self.slow + self.fast

    @property
    def variance(self) -> float:
        """Variance of that offset."""
        return max(self.var_slow + self.var_fast + 2.0 * self.covariance, 0.0)


@dataclass(frozen=True)
class Settlement:
    """What one past settlement tells the filter.

    Attributes
    ----------
    ts_ns : int
    interval_h : float
    rate : float
        What was paid.
    proxy_average : float
        The proxy's average premium over the whole interval.
    source : int

    """

    ts_ns: int
    interval_h: float
    rate: float
    proxy_average: float
    source: int


def start_state(params: OffsetParams) -> OffsetState:
    """State before any settlement was seen."""
    phi = params.fast_persistence
    return OffsetState(0.0, 0.0, params.prior_sd**2, params.fast_sd**2 / (1.0 - phi * phi), 0.0)


def advance(state: OffsetState, hours: float, params: OffsetParams) -> None:
    """Let `hours` pass: the slow offset drifts, the fast one decays."""
    steps = min(hours / _STEP_H, 300.0)
    phi = params.fast_persistence**steps if params.fast_persistence > 0.0 else 0.0
    stationary = params.fast_sd**2 / (1.0 - params.fast_persistence**2)
    state.var_slow += params.drift_sd**2 * steps
    state.fast *= phi
    state.var_fast = state.var_fast * phi * phi + stationary * (1.0 - phi * phi)
    state.covariance *= phi


def update(state: OffsetState, seen: Settlement, params: OffsetParams) -> None:
    """Learn from one settlement.

    Parameters
    ----------
    state : OffsetState
        Changed in place.
    seen : Settlement
    params : OffsetParams

    """
    mean = seen.proxy_average + state.mean
    variance = state.variance + params.observation_sd**2
    sd = math.sqrt(variance)
    target, spread = _posterior_premium(seen.rate, seen.interval_h, mean, sd)
    innovation = min(max(target - mean, -params.clip_sd * sd), params.clip_sd * sd)
    toward_slow = state.var_slow + state.covariance
    toward_fast = state.var_fast + state.covariance
    gain_slow, gain_fast = toward_slow / variance, toward_fast / variance
    state.slow += gain_slow * innovation
    state.fast += gain_fast * innovation
    # A settlement inside the dead band leaves the variance `spread` about the premium it implies.
    state.var_slow += gain_slow * (gain_slow * spread - toward_slow)
    state.var_fast += gain_fast * (gain_fast * spread - toward_fast)
    state.covariance += gain_slow * (gain_fast * spread - toward_fast)
    state.last_innovation = innovation


def _posterior_premium(rate: float, interval_h: float, mean: float, sd: float) -> tuple[float, float]:
    """Mean and variance of the venue's average premium given the rate it paid."""
    center = interest(interval_h)
    if abs(rate - center) > _INSIDE:
        return (rate + DAMPENER if rate > center else rate - DAMPENER), 0.0
    low, high = (center - DAMPENER - mean) / sd, (center + DAMPENER - mean) / sd
    mass = _cdf(high) - _cdf(low)
    if mass <= _LEAST_MASS:
        edge = center - DAMPENER if low > 0.0 else center + DAMPENER
        return edge, 0.1 * sd * sd
    shift = (_pdf(low) - _pdf(high)) / mass
    spread = 1.0 + (low * _pdf(low) - high * _pdf(high)) / mass - shift * shift
    return mean + sd * shift, sd * sd * max(spread, 0.0)


def run_filter(settlements: Sequence[Settlement], target_ns: int) -> tuple[OffsetState, int | None]:
    """Run the filter over past settlements and bring it forward to the one to be forecast.

    Parameters
    ----------
    settlements : sequence of Settlement
        In time order, all known when the forecast is made.
    target_ns : int
        The settlement to be forecast, ns UTC.

    Returns
    -------
    state : OffsetState
    source : int or None
        The source of the last settlement, None without any. The filter starts anew where the source changes, because two
        proxies do not share an offset.

    """
    source: int | None = None
    last_ns = target_ns
    state = start_state(OFFSET_PARAMS[SOURCE_PERP_SPOT])
    for seen in settlements:
        params = OFFSET_PARAMS[seen.source]
        if seen.source != source:
            state, source = start_state(params), seen.source
        else:
            advance(state, (seen.ts_ns - last_ns) / HOUR_NS, params)
        update(state, seen, params)
        last_ns = seen.ts_ns
    if source is not None:
        advance(state, (target_ns - last_ns) / HOUR_NS, OFFSET_PARAMS[source])
    return state, source


def with_past_rates(
    mean: float, sd: float, past_rate: float, interval_h: float, rate_sd: float
) -> tuple[float, float]:
    """Weigh the proxy's average premium with the one past rates imply, by their precisions.

    Parameters
    ----------
    mean, sd : float
        Of the venue's average premium as the proxy and its offset have it, fractions.
    past_rate : float
        A smoothed past rate, fraction.
    interval_h : float
    rate_sd : float
        Standard deviation of the premium about what past rates imply; infinite leaves `mean` and `sd` as they are.

    Returns
    -------
    mean, sd : float
        A rate inside the dead band implies only that the premium is in it: the point of the band nearest to `mean`.

    """
    if math.isinf(rate_sd):
        return mean, sd
    center = interest(interval_h)
    if abs(past_rate - center) <= _INSIDE:
        implied = min(max(mean, center - DAMPENER), center + DAMPENER)
    else:
        implied = past_rate + DAMPENER if past_rate > center else past_rate - DAMPENER
    weight = sd * sd / (sd * sd + rate_sd * rate_sd)
    return mean + weight * (implied - mean), sd * math.sqrt(1.0 - weight)


def expected_rate(
    mean: float, sd: float, interval_h: float, lower: float = -math.inf, upper: float = math.inf
) -> float:
    """Mean of the funding rate when the average premium is normal.

    Parameters
    ----------
    mean, sd : float
        Of the venue's average premium, fractions.
    interval_h : float
    lower, upper : float
        The symbol's caps.

    Returns
    -------
    float
        ``I + E[(P − I − 0.05 %)⁺] − E[(I − 0.05 % − P)⁺]``, less what exceeds the caps.

    """
    center = interest(interval_h)
    # What lies beyond a cap is not paid: without these terms the mean near a cap would be the cap of the mean.
    above = _expected_excess(mean - center - DAMPENER, sd) - _expected_excess(mean - DAMPENER - upper, sd)
    below = _expected_excess(center - DAMPENER - mean, sd) - _expected_excess(lower - DAMPENER - mean, sd)
    return min(max(center + above - below, lower), upper)


def _expected_excess(mean: float, sd: float) -> float:
    """E[max(X, 0)] of a normal X."""
    if sd <= 0.0 or mean == -math.inf:
        return max(mean, 0.0)
    z = mean / sd
    return sd * (_pdf(z) + z * _cdf(z))


def _pdf(z: float) -> float:
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
