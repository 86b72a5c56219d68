"""The spot market of each symbol's coin on the market-data venue, by its ticker.

Here belong names and prices per unit: a perpetual of a thousand coins is held against a thousand coins of spot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hean_live.other_markets.records import SpotSeen
from hean_live.venues.errors import RequestRefused
from hean_live.venues.public import PublicMarket
from models.errors import DataError
from models.market.symbols import contract_of


def spot_pair(symbol: str) -> tuple[str, int]:
    """Return the name of a perpetual's coin on the spot market, and how many coins a unit of the perpetual is.

    Raises
    ------
    DataError
        When the symbol is no name of a perpetual.

    """
    contract = contract_of("bybit", symbol)
    return f"{contract.coin}{contract.quote}", contract.multiplier


class SpotSource:
    """Spot touches; used by one thread, read from any.

    Parameters
    ----------
    market : PublicMarket
    symbols : sequence of str
    clock_ns : callable
        What touches are stamped by.

    """

    def __init__(self, market: PublicMarket, symbols: Sequence[str], clock_ns: Callable[[], int]) -> None:
        self._market = market
        self._clock_ns = clock_ns
        self.absent: dict[str, str] = {}
        self._pairs: dict[str, tuple[str, int]] = {}
        for symbol in symbols:
            try:
                self._pairs[symbol] = spot_pair(symbol)
            except DataError as error:
                self.absent[symbol] = str(error)
        self._seen: dict[str, SpotSeen] = {}

    def newest(self, symbol: str) -> SpotSeen | None:
        """Return what was seen last of a symbol, None before the first."""
        return self._seen.get(symbol)

    def poll(self) -> None:
        """Ask once for every symbol that has a spot market.

        Raises
        ------
        Retryable
            When the venue could not be asked; what was read before is kept, with its age.

        """
        for symbol, (pair, coins) in self._pairs.items():
            if symbol in self.absent:
                continue
            try:
                ticker = self._market.spot_ticker(pair)
            except RequestRefused as error:
                self.absent[symbol] = f"{pair}: {error}"
                continue
            if ticker.bid1_price and ticker.ask1_price:
                # Stamped when it came: it may not be known earlier than that.
                at_ns = self._clock_ns()
                self._seen[symbol] = SpotSeen(coins * ticker.bid1_price, coins * ticker.ask1_price, at_ns)
