"""What is known of one market beyond its ticker, at one moment. The record alone; who measures it is elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class MarketSight:
    """State of one symbol's market.

    Attributes
    ----------
    book_at_ns : int
        Time of the book's last change known to be complete, ns UTC.
    book_valid : bool
        False while the book has a gap or is crossed.
    open_interest_at_ns : int
        When the open interest was read, ns UTC.
    spread_bps, median_spread_bps : float
        Now, and its rolling median; NaN where unknown.
    vpin_rank : float
        Share of the symbol's own past VPIN values below the present one (F3), 0 to 1; NaN where unknown.
    is_trend : bool
        Whether the sharper Hurst label (F14, on five times finer returns) says TRUE_TREND.
    sigma_minute : float
        Standard deviation of the mid's return over one minute, fraction; NaN where unknown.

    """

    book_at_ns: int
    book_valid: bool
    open_interest_at_ns: int
    spread_bps: float = math.nan
    median_spread_bps: float = math.nan
    vpin_rank: float = math.nan
    is_trend: bool = False
    sigma_minute: float = math.nan
