"""Small records a simulated market answers with: books, trades, quotes, paths.

Here belong shapes only; numbers on a wire, and how a market finds them, do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Level = tuple[Decimal, Decimal]  # price in USD, quantity in base coin


@dataclass(frozen=True, slots=True)
class Book:
    """Order book of one symbol at one instant; best level first on both sides."""

    symbol: str
    at_ms: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade; `side` is the taker's, +1 bought."""

    ts_ms: int
    price: Decimal
    qty: Decimal
    side: int
    number: int


@dataclass(frozen=True, slots=True)
class Path:
    """What traded after an instant, in ascending time.

    `low` and `high` bound the trades up to `ts_ms` since the point before; `mark` is the mark price at `ts_ms`. USD.
    """

    ts_ms: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mark: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Settlement:
    """One funding settlement: instant and rate (fraction; positive means longs pay)."""

    ts_ms: int
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """State of a symbol at one instant; None where the market does not know.

    Prices in USD, volumes over the last 24 hours, `funding_rate` is the running estimate for `next_funding_ms`.
    """

    last: Decimal
    bid: Level | None
    ask: Level | None
    mark: Decimal | None
    index: Decimal | None
    previous_24h: Decimal
    previous_1h: Decimal
    high_24h: Decimal
    low_24h: Decimal
    volume_24h: float
    turnover_24h: float
    open_interest: float | None
    funding_rate: Decimal | None
    next_funding_ms: int | None
    interval_h: int | None
