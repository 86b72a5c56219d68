"""The same perpetuals on another venue (Binance USD-M): funding under way and the touch, for S17 and the spread that is measured.

Here belongs asking, prices brought to our units: one venue may quote a coin by the thousand where the other does not.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence

from hean_live.other_markets.records import VenueSeen
from hean_live.venues.binance import BinanceMarket
from hean_live.venues.errors import RequestRefused
from models.market.binance_usdm import INTERVAL_H
from models.market.symbols import counterparts

log = logging.getLogger(__name__)

TERMS_S = 3600.0
"""How often listings and intervals are asked for."""


class OtherVenueSource:
    """Funding and touches of another venue; used by one thread, read from any.

    Parameters
    ----------
    market : BinanceMarket
    symbols : sequence of str
        As our venue names them.
    clock_ns : callable
        What is seen is stamped by.
    monotonic : callable
        Seconds that only grow.

    """

    def __init__(
        self,
        market: BinanceMarket,
        symbols: Sequence[str],
        clock_ns: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._market = market
        self._symbols = tuple(symbols)
        self._clock_ns = clock_ns
        self._monotonic = monotonic
        self._terms_due = -math.inf
        self._names: dict[str, tuple[str, float]] = {}
        self._intervals: dict[str, int] = {}
        self._seen: dict[str, VenueSeen] = {}

    def newest(self, symbol: str) -> VenueSeen | None:
        """Return what was seen last of a symbol, None before the first."""
        return self._seen.get(symbol)

    def poll(self) -> None:
        """Ask once for every symbol the venue lists, and now and then which these are.

        Raises
        ------
        Retryable
            When the venue could not be asked; what was read before is kept, with its age.

        """
        if self._monotonic() >= self._terms_due:
            self._names = counterparts(self._symbols, self._market.listed())
            self._intervals = self._market.intervals()
            self._terms_due = self._monotonic() + TERMS_S
        for symbol, (name, units) in self._names.items():
            try:
                funding, touch = self._market.running_funding(name), self._market.touch(name)
            except RequestRefused as error:
                log.warning("%s is refused: %s", name, error)  # it may be on its way out; the others are not
                continue
            interval_h = self._intervals.get(name, INTERVAL_H)
            rate = math.nan if funding.funding_rate is None else funding.funding_rate
            self._seen[symbol] = VenueSeen(
                bid=units * touch.bid,
                ask=units * touch.ask,
                rate_per_h=rate / interval_h,
                settlement_ns=funding.next_funding_ns or 0,
                interval_h=float(interval_h),
                at_ns=self._clock_ns(),  # when it came
            )
