"""Events of a market without ticks, so that its sockets work as those of one with ticks.

Each full second of market time the book is laid anew from the market's depth, and the trades since the last look are passed on
with their own numbers. Here belongs that cadence; prices are the market's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hean_live.local_testnet.markets.base import Market
from models.market.tape import END_OF_MESSAGE, EVENT, SNAPSHOT, SNAPSHOT_START, TRADE
from models.simulation.quotes import Trade

CADENCE_MS: Final = 1_000
LEVELS: Final = 50
LOOK_BACK: Final = 60
"""Most seconds that are made up for: after a longer jump of the clock the stream goes on from the present."""
_NS_PER_MS: Final = 1_000_000


class QuoteSource:
    """Events of one symbol of a bar market.

    Parameters
    ----------
    market : Market
    category, symbol : str
    start_ms : int
        The first book is that of this instant.

    """

    def __init__(self, market: Market, category: str, symbol: str, start_ms: int) -> None:
        self._market = market
        self._category = category
        self._symbol = symbol
        self._done = start_ms // CADENCE_MS - 1
        self._number = max((t.number for t in market.trades(category, symbol, 1, start_ms)), default=-1)

    def read(self, until_ns: int) -> NDArray[np.void]:
        """Return the events of the full seconds up to `until_ns` that have not been looked at."""
        last = until_ns // _NS_PER_MS // CADENCE_MS
        seconds = range(max(self._done + 1, last - LOOK_BACK + 1), last + 1)
        self._done = max(self._done, last)
        parts = [part for second in seconds for part in self._look(second * CADENCE_MS)]
        if not parts:
            return np.empty(0, dtype=EVENT)
        return np.concatenate([part.view(np.uint8) for part in parts]).view(EVENT)

    def _look(self, at_ms: int) -> list[NDArray[np.void]]:
        newest = self._market.trades(self._category, self._symbol, 60, at_ms)
        fresh = sorted((t for t in newest if t.number > self._number), key=lambda t: t.number)
        if fresh:
            self._number = fresh[-1].number
        # A trade is passed on by the look after it, at the look's instant at the earliest.
        parts = [self._trade_row(trade, at_ms) for trade in fresh]
        book = self._market.depth(self._category, self._symbol, at_ms, LEVELS)
        if book is not None:
            levels = [(1, p, q) for p, q in book.bids] + [(-1, p, q) for p, q in book.asks]
            rows = np.zeros(len(levels) + 2, dtype=EVENT)
            rows["exch_ts"] = at_ms * _NS_PER_MS
            rows["kind"] = SNAPSHOT
            rows["kind"][0], rows["kind"][-1] = SNAPSHOT_START, END_OF_MESSAGE
            rows["side"][1:-1] = [side for side, _, _ in levels]
            rows["price"][1:-1] = [float(price) for _, price, _ in levels]
            rows["size"][1:-1] = [float(size) for _, _, size in levels]
            parts.append(rows)
        return parts

    @staticmethod
    def _trade_row(trade: Trade, at_ms: int) -> NDArray[np.void]:
        row = np.zeros(1, dtype=EVENT)
        row["exch_ts"] = at_ms * _NS_PER_MS
        row["local_ts"] = trade.number
        row["kind"], row["side"] = TRADE, trade.side
        row["price"], row["size"] = float(trade.price), float(trade.qty)
        return row
