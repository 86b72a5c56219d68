"""Price and Greeks of a straddle on a perpetual, in closed form: Black (1976) without discounting.

Call and put of one strike on a forward that pays no interest, for a lognormal price. A perpetual's funding is left
out: it is paid in cash and does not move the price the payoff looks at. What does not belong here: what is traded on
them.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from numba import njit

YEAR_S: Final = 365.0 * 86_400.0


class Straddle(NamedTuple):
    """A straddle per unit of the underlying.

    Attributes
    ----------
    price : float
        Quote.
    delta : float
        Change of the price per change of the forward, -1 to 1.
    gamma : float
        Change of delta per change of the forward, 1 / quote.
    vega : float
        Change of the price per 1.0 of volatility, quote.
    theta : float
        Change of the price per year that passes, quote; negative.

    """

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


@njit(cache=True)
def _twice_cdf_less_one(x: float) -> float:
    return math.erf(x / math.sqrt(2.0))


@njit(cache=True)
def straddle(forward: float, strike: float, volatility: float, years: float) -> Straddle:
    """Return price and Greeks of a straddle.

    Parameters
    ----------
    forward : float
        Price of the underlying, quote, positive.
    strike : float
        Quote, positive.
    volatility : float
        A year, fraction.
    years : float
        To expiry.

    Returns
    -------
    Straddle
        All NaN where volatility or time is not positive.

    """
    if not (volatility > 0.0 and years > 0.0):
        return Straddle(math.nan, math.nan, math.nan, math.nan, math.nan)
    sd = volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / sd + 0.5 * sd
    delta = _twice_cdf_less_one(d1)
    density = math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    return Straddle(
        forward * delta - strike * _twice_cdf_less_one(d1 - sd),
        delta,
        2.0 * density / (forward * sd),
        2.0 * forward * density * math.sqrt(years),
        -forward * density * volatility / math.sqrt(years),
    )
