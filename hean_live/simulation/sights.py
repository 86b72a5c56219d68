"""What the streams of a simulation let be seen of a market beyond its ticker: good, stale, broken or unknown, by the seed."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hean_live.simulation.clock import NANOSECONDS
from models.execution.sight import MarketSight

_SPAN_S: Final = 5
_SPREAD_BPS: Final = 10.0  # one tick of 0.1 at a price of 100


class SimulatedSights:
    """Sights of a few symbols, each a new one every five seconds.

    Parameters
    ----------
    symbols : tuple of str
    generator : numpy.random.Generator
    start_ns : int
    length_s : int
        Afterwards the last one stands.

    """

    def __init__(
        self, symbols: tuple[str, ...], generator: np.random.Generator, start_ns: int, length_s: int
    ) -> None:
        self._start_ns = start_ns
        count = length_s // _SPAN_S + 1
        self._columns = {
            symbol: {
                "book_age_s": generator.choice((0.1, 40.0), count, p=(0.93, 0.07)),
                "valid": generator.random(count) < 0.95,
                "interest_age_s": generator.choice((30.0, 900.0), count, p=(0.95, 0.05)),
                "widening": generator.choice((1.0, 5.0), count, p=(0.93, 0.07)),
                "rank": generator.choice((0.2, 0.98, math.nan), count, p=(0.8, 0.1, 0.1)),
                "trend": generator.random(count) < 0.3,
                "sigma": generator.choice((0.0005, math.nan), count, p=(0.8, 0.2)),
            }
            for symbol in symbols
        }

    def at(self, market_ns: int) -> dict[str, MarketSight]:
        """Return what is seen at a market time, by symbol."""
        place = max(0, (market_ns - self._start_ns) // (_SPAN_S * NANOSECONDS))
        return {symbol: _sight(columns, place, market_ns) for symbol, columns in self._columns.items()}


def _sight(columns: dict[str, NDArray[Any]], place: int, market_ns: int) -> MarketSight:
    seen = {name: values[min(place, len(values) - 1)].item() for name, values in columns.items()}
    return MarketSight(
        book_at_ns=market_ns - int(seen["book_age_s"] * NANOSECONDS),
        book_valid=seen["valid"],
        open_interest_at_ns=market_ns - int(seen["interest_age_s"] * NANOSECONDS),
        spread_bps=_SPREAD_BPS * seen["widening"],
        median_spread_bps=_SPREAD_BPS,
        vpin_rank=seen["rank"],
        is_trend=seen["trend"],
        sigma_minute=seen["sigma"],
    )
