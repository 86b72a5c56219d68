"""A small market for simulations: seeded price paths on a half-second grid, thin books, one settlement.

It is both what the exchange matches against and what the executor reads tickers from. Realism is not its aim:
prices move every few steps so that quotes are replaced, and levels are thin so that crossing orders fill in part.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from models.market.bybit_v5_market import Ticker
from models.market.instruments import Instrument
from models.simulation.listing import Listing
from models.simulation.quotes import Book, Path, Settlement

STEP_MS = 500
TICK = Decimal("0.1")
QTY_STEP = Decimal("0.01")
MIN_NOTIONAL_USD = Decimal(5)
INTERVAL_H = 8
_LEVELS = 3


class SimulatedMarket:
    """Prices of a few symbols from `start_ms` on.

    Parameters
    ----------
    symbols : sequence of str
    generator : numpy.random.Generator
    start_ms, settlement_ms : int
        Beginning of the paths and the one settlement, ms UTC.
    length_s : int
        How long the paths are; afterwards the last price stands.

    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        generator: np.random.Generator,
        start_ms: int,
        settlement_ms: int,
        length_s: int,
    ) -> None:
        self.symbols = symbols
        self.settlement_ms = settlement_ms
        self._start_ms = start_ms
        count = length_s * 1000 // STEP_MS + 1
        self._times = start_ms + STEP_MS * np.arange(count, dtype=np.int64)
        self._middle: dict[str, NDArray[np.int64]] = {}
        self._sizes: dict[str, NDArray[np.int64]] = {}
        for symbol in symbols:
            moves = generator.choice((-1, 0, 1), size=count, p=(0.12, 0.76, 0.12))
            self._middle[symbol] = np.maximum(1000 + np.cumsum(moves), 500)
            self._sizes[symbol] = generator.integers(20, 600, size=(count, _LEVELS))
        self.rate = Decimal(int(generator.integers(-30, 31))) / 100_000

    # --- what the exchange matches against

    def listing(self, symbol: str) -> Listing | None:
        """Return the contract, None for a symbol that is not listed."""
        if symbol not in self._middle:
            return None
        return Listing(
            symbol=symbol,
            base_coin=symbol.removesuffix("USDT"),
            tick_size=TICK,
            qty_step=QTY_STEP,
            min_order_qty=QTY_STEP,
            max_order_qty=Decimal(10_000),
            max_market_qty=Decimal(1_000),
            min_notional_usd=MIN_NOTIONAL_USD,
            max_leverage=Decimal(50),
            interval_h=INTERVAL_H,
            funding_cap=Decimal("0.005"),
            index_decimals=2,
            launch_ms=0,
        )

    def book(self, symbol: str, at_ms: int) -> Book | None:
        """Return three levels on each side."""
        if symbol not in self._middle:
            return None
        at = self._index(at_ms)
        bid = int(self._middle[symbol][at])
        sizes = [Decimal(int(size)) * QTY_STEP for size in self._sizes[symbol][at]]
        bids = tuple((TICK * (bid - n), size) for n, size in enumerate(sizes))
        asks = tuple((TICK * (bid + 1 + n), size) for n, size in enumerate(sizes))
        return Book(symbol, at_ms, bids, asks)

    def mark_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Return the bid, which stands for the mark."""
        return TICK * int(self._middle[symbol][self._index(at_ms)]) if symbol in self._middle else None

    def last_price(self, symbol: str, at_ms: int) -> Decimal | None:
        """Return the bid, which stands for the last trade."""
        return self.mark_price(symbol, at_ms)

    def path(self, symbol: str, after_ms: int, until_ms: int) -> Path:
        """Return the points after one instant and up to another."""
        first, last = np.searchsorted(self._times, (after_ms, until_ms), side="right")
        bid = np.asarray(self._middle[symbol][first:last] * float(TICK), dtype=np.float64)
        before = self._middle[symbol][max(first - 1, 0) : max(last - 1, 0)] * float(TICK)
        if len(before) < len(bid):
            before = bid
        low: NDArray[np.float64] = np.minimum(bid, before)
        high: NDArray[np.float64] = np.maximum(bid, before) + float(TICK)
        return Path(self._times[first:last], low, high, bid)

    def next_settlement(self, symbol: str, after_ms: int, until_ms: int) -> Settlement | None:
        """Return the one settlement if it lies in the span."""
        if after_ms < self.settlement_ms <= until_ms and symbol in self._middle:
            return Settlement(self.settlement_ms, self.rate)
        return None

    # --- what the executor reads

    def ticker(self, symbol: str, at_ms: int) -> Ticker:
        """Return what the tickers page says of a symbol."""
        bid = float(TICK) * int(self._middle[symbol][self._index(at_ms)])
        bid = round(bid, 1)
        next_ms = self.settlement_ms
        if at_ms >= next_ms:
            next_ms += INTERVAL_H * 3_600_000
        return Ticker(
            symbol=symbol,
            last_price=bid,
            mark_price=bid,
            index_price=bid,
            bid1_price=bid,
            bid1_size=1.0,
            ask1_price=round(bid + float(TICK), 1),
            ask1_size=1.0,
            funding_rate=float(self.rate),
            next_funding_ns=next_ms * 1_000_000,
            funding_interval_h=INTERVAL_H,
            funding_cap=0.005,
            open_interest=1.0,
        )

    def instrument(self, symbol: str) -> Instrument:
        """Return the contract as the venue's instruments page says it."""
        return Instrument(
            symbol=symbol,
            status="Trading",
            base_coin=symbol.removesuffix("USDT"),
            quote_coin="USDT",
            settle_coin="USDT",
            tick_size=TICK,
            qty_step=QTY_STEP,
            min_order_qty=QTY_STEP,
            max_order_qty=Decimal(10_000),
            min_notional_usd=MIN_NOTIONAL_USD,
            max_leverage=Decimal(50),
            price_scale=1,
            funding_interval_min=INTERVAL_H * 60,
            upper_funding_rate=Decimal("0.005"),
            lower_funding_rate=Decimal("-0.005"),
            launch_ns=0,
        )

    def _index(self, at_ms: int) -> int:
        return min(max((at_ms - self._start_ms) // STEP_MS, 0), len(self._times) - 1)
