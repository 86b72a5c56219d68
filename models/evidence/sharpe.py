"""How sure a Sharpe ratio is: probabilistic and deflated Sharpe ratio, minimum track record length.

Here belong the formulas of Bailey and López de Prado (2012, Journal of Risk 15(2); 2014, Journal of Portfolio Management
40(5)). Choosing among strategies, and the probability that the choice was overfitted, do not belong here.

Everything is **per observation**: never mix an annual Sharpe ratio with a number of days. Kurtosis is full (normal = 3).
Two choices the papers leave open are fixed here. The standard deviation has ddof 1, as everybody's Sharpe ratio has (with
ddof 0 the ratio is larger and the result less careful); skewness and kurtosis are the plain population moments, without bias
correction. The formulas take observations as independent: feed returns of whole days or of trades that do not overlap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]

EULER_GAMMA = 0.5772156649015329
_NORMAL = NormalDist()
_LEAST_RELATIVE_SD = 1e-12  # a constant's standard deviation comes out as a rounding error, not as zero


@dataclass(frozen=True)
class SharpeMoments:
    """What the formulas need to know of a series of returns.

    Attributes
    ----------
    sharpe : float
        Mean over standard deviation, per observation.
    skewness : float
    kurtosis : float
        Full: 3 for the normal distribution.
    observations : int

    """

    sharpe: float
    skewness: float
    kurtosis: float
    observations: int


@dataclass(frozen=True)
class DeflatedSharpe:
    """A Sharpe ratio held against the best of as many worthless trials.

    Attributes
    ----------
    probability : float
        Deflated Sharpe ratio: the probability that the true ratio exceeds `benchmark`.
    benchmark : float
        Expected maximum of the trials' ratios if none had any skill, per observation.
    sharpe : float
        The ratio that was judged, per observation.
    trials : int

    """

    probability: float
    benchmark: float
    sharpe: float
    trials: int


def sharpe_moments(returns: Floats, *, ddof: int = 1) -> SharpeMoments:
    """Measure a series.

    Parameters
    ----------
    returns : ndarray of float64, shape (t,)
        Excess returns, one per observation.
    ddof : int
        Of the standard deviation under the Sharpe ratio only.

    Returns
    -------
    SharpeMoments

    Raises
    ------
    DataError
        If there are fewer than 3 returns, one is not finite, or they are all the same.

    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 1 or len(x) < 3 or not np.isfinite(x).all():
        raise DataError(
            f"a Sharpe ratio needs one column of at least 3 finite returns, was shape {x.shape}",
            remedy="collect more observations and drop missing ones",
        )
    centred = x - x.mean()
    variance = float((centred**2).mean())
    if math.sqrt(variance) <= _LEAST_RELATIVE_SD * float(np.abs(x).max()):
        raise DataError("the returns are all the same: their Sharpe ratio is undefined")
    return SharpeMoments(
        sharpe=float(x.mean()) / math.sqrt(variance * len(x) / (len(x) - ddof)),
        skewness=float((centred**3).mean()) / variance**1.5,
        kurtosis=float((centred**4).mean()) / variance**2,
        observations=len(x),
    )


def probabilistic_sharpe_ratio(moments: SharpeMoments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio exceeds a benchmark.

    Parameters
    ----------
    moments : SharpeMoments
    benchmark : float
        Per observation.

    Returns
    -------
    float
        Φ((SR − SR*)·√(T−1) / √(1 − γ₃·SR + (γ₄−1)/4·SR²)).

    Raises
    ------
    DataError
        If the moments contradict each other, or there are fewer than 2 observations.

    """
    if moments.observations < 2:
        raise DataError(f"the ratio needs at least 2 observations, was {moments.observations}")
    z = (moments.sharpe - benchmark) * math.sqrt(moments.observations - 1.0) / math.sqrt(_spread(moments))
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def expected_maximum_sharpe(trials: int, variance: float) -> float:
    """Compute the expected best Sharpe ratio of independent trials none of which has skill.

    The formula overstates the exact value by about 1 % at 100 trials (careful), understates it for two.

    Parameters
    ----------
    trials : int
        Every configuration that was looked at, the discarded ones too. Correlated trials count in full, which is careful.
    variance : float
        Of the trials' Sharpe ratios, per observation.

    Returns
    -------
    float
        √V·[(1−γ)·Φ⁻¹(1−1/N) + γ·Φ⁻¹(1−1/(N·e))]; zero for a single trial.

    Raises
    ------
    DataError
        If there is no trial or the variance is negative.

    """
    if trials < 1 or not variance >= 0.0:
        raise DataError(f"expected at least 1 trial and a variance ≥ 0, was {trials} and {variance}")
    if trials == 1:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - EULER_GAMMA) * first + EULER_GAMMA * second)


def deflated_sharpe_ratio(moments: SharpeMoments, trials: int, variance: float) -> DeflatedSharpe:
    """Probability that a selected strategy has skill, given how many were tried.

    Parameters
    ----------
    moments : SharpeMoments
        Of the selected strategy.
    trials : int
    variance : float
        Of the trials' Sharpe ratios, per observation.

    Returns
    -------
    DeflatedSharpe

    """
    benchmark = expected_maximum_sharpe(trials, variance)
    return DeflatedSharpe(
        probabilistic_sharpe_ratio(moments, benchmark), benchmark, moments.sharpe, int(trials)
    )


def deflated_sharpe_of_best(returns: Floats) -> DeflatedSharpe:
    """Deflate the best of all tried strategies by the trials themselves.

    Parameters
    ----------
    returns : ndarray of float64, shape (t, n)
        One column per trial, rows in time order.

    Returns
    -------
    DeflatedSharpe
        Of the column with the highest Sharpe ratio; the trials' variance has ddof 1.

    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] < 1:
        raise DataError(f"expected a table with one column per trial, was shape {x.shape}")
    moments = [sharpe_moments(x[:, column]) for column in range(x.shape[1])]
    ratios = np.array([m.sharpe for m in moments])
    variance = float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0
    return deflated_sharpe_ratio(moments[int(ratios.argmax())], len(ratios), variance)


def minimum_track_record_length(
    moments: SharpeMoments, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Observations needed before the ratio can be told from the benchmark.

    Parameters
    ----------
    moments : SharpeMoments
        Its `observations` is not used.
    benchmark : float
        Per observation.
    confidence : float
        In (0, 1).

    Returns
    -------
    float
        1 + (1 − γ₃·SR + (γ₄−1)/4·SR²)·(Φ⁻¹(p)/(SR − SR*))²; infinite where the ratio does not exceed the benchmark.

    """
    if not moments.sharpe > benchmark:
        return math.inf
    quantile = _NORMAL.inv_cdf(confidence) / (moments.sharpe - benchmark)
    return 1.0 + _spread(moments) * quantile**2


def _spread(moments: SharpeMoments) -> float:
    spread = 1.0 - moments.skewness * moments.sharpe + (moments.kurtosis - 1.0) / 4.0 * moments.sharpe**2
    if not spread > 0.0:
        raise DataError(
            f"kurtosis should be at least skewness² + 1, was {moments.kurtosis} with skewness {moments.skewness}",
            remedy="pass the full kurtosis (3 for the normal distribution), not the excess",
        )
    return spread
