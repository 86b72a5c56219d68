"""Predictive distributions from the errors a candidate really made.

Here belongs turning past out-of-sample errors into quantiles around a forecast, and probabilities out of them. The point
forecast is made in `models.funding.candidates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS: Floats = np.round(np.arange(1, 100) / 100.0, 2)
"""Quantile levels 0.01 … 0.99."""

LEAST_ERRORS = 60
"""Below this many past errors the standard normal stands in for their distribution."""

NORMAL_QUANTILES: Floats = np.array([NormalDist().inv_cdf(float(level)) for level in LEVELS])


def standardised_quantiles(errors: Floats, scale: Floats) -> Floats:
    """Quantiles of errors measured in each row's own standard deviation.

    Parameters
    ----------
    errors : ndarray of float64, shape (n,)
        Realised less forecast, fractions, out of sample.
    scale : ndarray of float64, shape (n,)
        The rows' ``latent_sd``, fractions.

    Returns
    -------
    ndarray of float64, shape (99,)
        At `LEVELS`; the standard normal's where fewer than `LEAST_ERRORS` errors are known.

    """
    if len(errors) < LEAST_ERRORS:
        return NORMAL_QUANTILES.copy()
    return np.quantile(errors / scale, LEVELS)


@dataclass(frozen=True)
class Distribution:
    """A forecast's quantiles at `LEVELS`, ascending, as fractions."""

    quantiles: Floats

    def at(self, level: float) -> float:
        """Quantile at `level`, linear between the known ones."""
        return float(np.interp(level, LEVELS, self.quantiles))

    def probability_above(self, rate: float) -> float:
        """Probability that the realised rate exceeds `rate`, between 0.01 and 0.99."""
        below = float(np.searchsorted(self.quantiles, rate, side="left"))
        at_most = float(np.searchsorted(self.quantiles, rate, side="right"))
        # A rate may carry a point mass (the interest does): half of it counts on each side.
        return float(np.clip(1.0 - 0.5 * (below + at_most) / len(LEVELS), 0.01, 0.99))

    def mean(self) -> float:
        """Mean of the quantiles, an estimate of the expected rate."""
        return float(self.quantiles.mean())


def distribution(predicted: float, scale: float, shape: Floats, lower: float, upper: float) -> Distribution:
    """Spread a forecast by the shape of past errors, within the caps."""
    return Distribution(np.clip(predicted + scale * shape, lower, upper))
