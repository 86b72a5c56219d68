"""When quotes must not rest: a book that is stale or broken, informed flow, a spread that has sprung open (X1).

A quote left in such a market is filled when it should not be. Here belong the comparisons and their words.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from models.execution.sight import MarketSight
from models.portfolio.limits import Breach

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class PullRules:
    """Limits beyond which quotes are pulled.

    Attributes
    ----------
    book_age_s : float
        Oldest book a quote may rest on, seconds of market time.
    vpin_rank : float
        Toxicity: rank of VPIN among the symbol's own past, 0 to 1.
    spread_ratio : float
        Spread over its rolling median.

    """

    book_age_s: float = 15.0
    vpin_rank: float = 0.95
    spread_ratio: float = 3.0


def pull_reason(
    bid: Decimal, ask: Decimal, book_at_ns: int, now_ns: int, sight: MarketSight | None, rules: PullRules
) -> Breach | None:
    """Return why no quote may rest now, None if one may.

    Parameters
    ----------
    bid, ask : Decimal
        The touch.
    book_at_ns, now_ns : int
        When the touch was seen and now, ns UTC.
    sight : MarketSight or None
        Without it only the touch is judged. A value in it that is NaN is not judged.
    rules : PullRules

    """
    if not 0 < bid < ask:
        return Breach("BOOK_INVALID", f"expected 0 < bid < ask, was {bid} and {ask}")
    seen_ns = book_at_ns if sight is None else min(book_at_ns, sight.book_at_ns)
    age_s = (now_ns - seen_ns) / _NANOSECONDS
    if age_s > rules.book_age_s:
        return Breach("STALE_BOOK", f"book should be at most {rules.book_age_s:g} s old, was {age_s:.1f} s")
    if sight is None:
        return None
    if not sight.book_valid:
        return Breach("BOOK_INVALID", "the book should be without gaps, was not")
    if sight.vpin_rank > rules.vpin_rank:
        return Breach("TOXIC", f"VPIN rank should be at most {rules.vpin_rank:g}, was {sight.vpin_rank:.3f}")
    limit_bps = rules.spread_ratio * sight.median_spread_bps
    if sight.spread_bps > limit_bps:
        return Breach(
            "WIDE_SPREAD",
            f"spread should be at most {rules.spread_ratio:g} × {sight.median_spread_bps:.2f} ="
            f" {limit_bps:.2f} bps, was {sight.spread_bps:.2f} bps",
        )
    return None
