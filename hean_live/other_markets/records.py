"""What is known of markets beside the own one, each with when it was seen. Records alone."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class SpotSeen:
    """The touch of the spot market, quote per unit of the perpetual; `at_ns` by the streams' clock."""

    bid: float
    ask: float
    at_ns: int


@dataclass(frozen=True)
class VenueSeen:
    """The same perpetual on another venue.

    Attributes
    ----------
    bid, ask : float
        Quote per unit of the own perpetual.
    rate_per_h : float
        The rate under way, a fraction per hour; NaN where the venue gives none.
    settlement_ns : int
        Its next settlement; 0 where the venue gives none.
    interval_h : float
    at_ns : int
        By the streams' clock.

    """

    bid: float
    ask: float
    rate_per_h: float
    settlement_ns: int
    interval_h: float
    at_ns: int


@dataclass(frozen=True)
class PairTerms:
    """log(own) = alpha + beta log(partner) + spread, as fitted on closes up to `at_ns` (market time)."""

    partner: str
    alpha: float
    beta: float
    sigma: float
    half_life_s: float
    pvalue: float
    at_ns: int


@dataclass(frozen=True)
class PastSeen:
    """What a symbol's closes say, as of `at_ns` (market time).

    Attributes
    ----------
    volatility : float
        A year, fraction; NaN without a day of closes.
    terms : PairTerms or None
    at_ns : int

    """

    volatility: float = math.nan
    terms: PairTerms | None = None
    at_ns: int = 0
