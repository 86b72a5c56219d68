"""Messages of a small market for the latency benchmark: books, trades, and whales that move the price.

Ten symbols, each with a book of 50 levels a side that only changes in size, small trades, and every 2.5 s a whale
whose trade is followed by a new book three basis points on: what S5 answers half a second later. Every message
carries its number at the end (``"k"``), a trade also as its id. A client without a strategy shall answer the whales: no
other trade has the size ``WHALE``, which is all that an adapter with a parser of its own can know them by.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

SYMBOLS = tuple(f"S{k}USDT" for k in range(10))
TICK = 0.01
DEPTH = 50
_START_MS = 1_760_000_000_000
_SHIFT_TICKS = 30
WHALE = "2000.0"
_OTHERS = "1.0"


class Market:
    """Makes message after message.

    Parameters
    ----------
    rate : int
        Messages a second, by which whales are placed.
    seed : int

    """

    def __init__(self, rate: int, seed: int = 1) -> None:
        self._rate = rate
        self._random = np.random.default_rng(seed)
        self._mid_ticks = [100_000] * len(SYMBOLS)
        self._update = [1] * len(SYMBOLS)
        self._away = [False] * len(SYMBOLS)
        self._shift_at = [-1] * len(SYMBOLS)

    def snapshot(self, place: int, k: int) -> bytes:
        """Return a symbol's whole book."""
        mid = self._mid_ticks[place]
        bids = [[f"{(mid - 1 - n) * TICK:.2f}", "5.0"] for n in range(DEPTH)]
        asks = [[f"{(mid + n) * TICK:.2f}", "5.0"] for n in range(DEPTH)]
        return self._book(place, k, "snapshot", bids, asks)

    def message(self, k: int) -> bytes:
        """Return message number `k`."""
        place = k % len(SYMBOLS)
        if self._shift_at[place] >= 0 and k >= self._shift_at[place]:
            self._shift_at[place] = -1
            self._away[place] = not self._away[place]
            self._mid_ticks[place] += _SHIFT_TICKS if self._away[place] else -_SHIFT_TICKS
            return self.snapshot(place, k)
        if self._is_whale_due(place, k):
            self._shift_at[place] = k + self._rate // 50
            return self._trade(place, k, not self._away[place], WHALE)
        if self._random.random() < 0.4:
            return self._trade(place, k, bool(self._random.random() < 0.5), _OTHERS)
        return self._delta(place, k)

    def _is_whale_due(self, place: int, k: int) -> bool:
        # Every symbol once in ten ticks, one after the other: one answer a tick.
        step = self._rate // 4
        return k % (len(SYMBOLS) * step) == place * step + place

    def _delta(self, place: int, k: int) -> bytes:
        level, size = int(self._random.integers(DEPTH)), f"{self._random.integers(1, 100) / 10:.1f}"
        mid = self._mid_ticks[place]
        bids = [[f"{(mid - 1 - level) * TICK:.2f}", size]]
        asks = [[f"{(mid + level) * TICK:.2f}", size]]
        return self._book(place, k, "delta", bids, asks)

    def _book(self, place: int, k: int, kind: str, bids: Any, asks: Any) -> bytes:
        self._update[place] += 1
        update, ts = self._update[place], _START_MS + k
        data = {"s": SYMBOLS[place], "b": bids, "a": asks, "u": update, "seq": 10 * update}
        body = {"topic": f"orderbook.{DEPTH}.{SYMBOLS[place]}", "type": kind, "ts": ts, "data": data}
        return _dumps({**body, "cts": ts, "k": k})

    def _trade(self, place: int, k: int, buys: bool, size: str) -> bytes:
        mid, ts = self._mid_ticks[place], _START_MS + k
        trade = {
            "T": ts,
            "s": SYMBOLS[place],
            "S": "Buy" if buys else "Sell",
            "v": size,
            "p": f"{(mid if buys else mid - 1) * TICK:.2f}",
            "L": "PlusTick",
            "i": f"{k:036d}",
            "BT": False,
            "RPI": False,
            "seq": 10 * self._update[place],
        }
        body = {"topic": f"publicTrade.{SYMBOLS[place]}", "type": "snapshot", "ts": ts, "data": [trade]}
        return _dumps({**body, "k": k})


def _dumps(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
