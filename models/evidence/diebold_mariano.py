"""Diebold–Mariano test of equal forecast accuracy.

Here belongs the test on a series of loss differences. Which forecasts are compared and what follows from it is the business
of promotion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DieboldMariano:
    """Outcome of the test.

    Attributes
    ----------
    statistic : float
        Negative where the first forecast loses less.
    p_first_better : float
        One-sided p-value of "the first is not better": small means it is better.
    p_two_sided : float
    observations : int

    """

    statistic: float
    p_first_better: float
    p_two_sided: float
    observations: int


def diebold_mariano(
    loss_first: Floats, loss_second: Floats, lags: int = 0, *, bartlett: bool = True
) -> DieboldMariano:
    """Test whether the first forecast loses less than the second.

    Parameters
    ----------
    loss_first, loss_second : ndarray of float64, shape (n,)
        Losses in time order, one observation a time: average over symbols that share an instant first.
    lags : int
        Autocovariances beyond lag zero that count; a forecast h steps ahead needs h − 1.
    bartlett : bool
        Weights 1 − k/(lags + 1), which keep the variance positive; False gives the plain sum of R's ``forecast::dm.test``.

    Returns
    -------
    DieboldMariano
        With the small-sample factor and Student's t of Harvey, Leybourne and Newbold (1997).

    Raises
    ------
    DataError
        If there are fewer than 6 observations or the variance is not positive.

    """
    difference = np.asarray(loss_first, dtype=np.float64) - np.asarray(loss_second, dtype=np.float64)
    n = len(difference)
    if n < 6:
        raise DataError(f"the test needs at least 6 observations, had {n}", remedy="collect more settlements")
    centred = difference - difference.mean()
    variance = float(centred @ centred) / n
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0) if bartlett else 1.0
        variance += 2.0 * weight * float(centred[lag:] @ centred[:-lag]) / n
    if variance <= 0.0:
        raise DataError(
            "the variance of the loss differences is not positive: the forecasts are the same, or there are too few",
            remedy="use bartlett weights or more observations",
        )
    horizon = lags + 1
    factor = (n + 1.0 - 2.0 * horizon + horizon * (horizon - 1.0) / n) / n
    statistic = float(difference.mean() / np.sqrt(variance / n) * np.sqrt(factor))
    t = stats.t(n - 1)
    return DieboldMariano(statistic, float(t.cdf(statistic)), float(2.0 * t.sf(abs(statistic))), n)
