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

from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED
from models.funding.features import INDEX
from models.funding.table import FeatureTable

Floats = NDArray[np.float64]

PASSES_ABOVE = 0.25
LEAST_SETTLEMENTS = 90
BLOCKS = 10
_PERFECT = 1.0 - 1e-12
_LEAST_SD = 1e-12  # a constant's standard deviation comes out as a rounding error, not as zero


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
    if n < LEAST_SETTLEMENTS or not _moves(premium, rate):
        return PremiumStudy(name, n, math.nan, math.nan, math.nan, NOT_ENOUGH_DATA)
    r = float(np.corrcoef(premium, rate)[0, 1])
    edges = np.linspace(0, n, BLOCKS + 1).astype(int)
    kept = [np.r_[0:a, b:n] for a, b in itertools.pairwise(edges)]
    if not all(_moves(premium[k], rate[k]) for k in kept):
        # All movement lies in one block: the rest of the history says nothing about how sure the figure is.
        return PremiumStudy(name, n, math.nan, math.nan, math.nan, NOT_ENOUGH_DATA)
    # Fisher's z with a block jackknife: consecutive settlements are correlated, ten contiguous blocks respect that.
    z = np.array([_fisher(float(np.corrcoef(premium[k], rate[k])[0, 1])) for k in kept])
    pseudo = BLOCKS * _fisher(r) - (BLOCKS - 1) * z
    half = float(stats.t(BLOCKS - 1).ppf(0.975) * pseudo.std(ddof=1) / math.sqrt(BLOCKS))
    low_r, high_r = math.tanh(_fisher(r) - half), math.tanh(_fisher(r) + half)
    low = 0.0 if low_r * high_r < 0.0 else float(min(low_r**2, high_r**2))
    return PremiumStudy(
        name, n, r * r, low, float(max(low_r**2, high_r**2)), PASSED if r * r > PASSES_ABOVE else FAILED
    )


def _moves(premium: Floats, rate: Floats) -> bool:
    return bool(premium.std() > _LEAST_SD and rate.std() > _LEAST_SD)


def _fisher(r: float) -> float:
    """Fisher's z; a perfect correlation stands just below one, where z is finite."""
    return math.atanh(min(max(r, -_PERFECT), _PERFECT))
