"""Study E1: what the premium 90 minutes before a settlement says about the rate.

Here belongs the study: its figure, interval and verdict. Its picture is drawn by the pipelines.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.funding.features import INDEX
from models.funding.table import FeatureTable

Floats = NDArray[np.float64]

PASSES_ABOVE = 0.25
LEAST_SETTLEMENTS = 90
BLOCKS = 10

PASSED = "passed"
FAILED = "failed"
NOT_ENOUGH_DATA = "not enough data"


@dataclass(frozen=True)
class PremiumStudy:
    """Squared correlation of the premium at t−90 min with the rate at t.

    Attributes
    ----------
    symbol : str
        ``ALL`` pools the symbols, each about its own means.
    n : int
        Settlements.
    r2, low, high : float
        Estimate and 95 % interval; NaN where there are too few settlements.
    verdict : str
        ``passed`` where `r2` exceeds 0.25, ``failed``, or ``not enough data``.

    """

    symbol: str
    n: int
    r2: float
    low: float
    high: float
    verdict: str


def premium_study(table: FeatureTable, horizon_min: int = 90) -> list[PremiumStudy]:
    """Run the study on every symbol and on all together.

    Parameters
    ----------
    table : FeatureTable
    horizon_min : int

    Returns
    -------
    list of PremiumStudy
        One per symbol, then ``ALL``.

    """
    rows = table.horizon_min == horizon_min
    premium = table.features[rows, INDEX["premium_now"]]
    rate, symbol, ts = table.realised[rows], table.symbol[rows], table.settlement_ns[rows]
    order = np.argsort(ts, kind="stable")
    premium, rate, symbol = premium[order], rate[order], symbol[order]
    studies, own_premium, own_rate = [], premium.copy(), rate.copy()
    for name in np.unique(symbol):
        own = symbol == name
        own_premium[own] -= premium[own].mean()
        own_rate[own] -= rate[own].mean()
        studies.append(_study(str(name), premium[own], rate[own]))
    studies.append(_study("ALL", own_premium, own_rate))
    return studies


def _study(name: str, premium: Floats, rate: Floats) -> PremiumStudy:
    n = len(rate)
    if n < LEAST_SETTLEMENTS or rate.std() == 0.0 or premium.std() == 0.0:
        return PremiumStudy(name, n, math.nan, math.nan, math.nan, NOT_ENOUGH_DATA)
    r = float(np.corrcoef(premium, rate)[0, 1])
    # Fisher's z with a block jackknife: consecutive settlements are correlated, ten contiguous blocks respect that.
    edges = np.linspace(0, n, BLOCKS + 1).astype(int)
    z = []
    for a, b in itertools.pairwise(edges):
        kept = np.r_[0:a, b:n]
        z.append(float(np.arctanh(np.corrcoef(premium[kept], rate[kept])[0, 1])))
    pseudo = BLOCKS * np.arctanh(r) - (BLOCKS - 1) * np.array(z)
    half = float(stats.t(BLOCKS - 1).ppf(0.975) * pseudo.std(ddof=1) / math.sqrt(BLOCKS))
    low_r, high_r = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
    low = 0.0 if low_r * high_r < 0.0 else float(min(low_r**2, high_r**2))
    return PremiumStudy(
        name, n, r * r, low, float(max(low_r**2, high_r**2)), PASSED if r * r > PASSES_ABOVE else FAILED
    )
