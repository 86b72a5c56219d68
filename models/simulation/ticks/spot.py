"""The spot market beside a live perpetual: it follows the index, a second at a time.

With every index price of the perpetual, spot's book is laid anew around it, and what the perpetual traded since is traded
here in a share of its size. Here belongs that rule. The perpetual's own events come from elsewhere.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.market.tape import END_OF_MESSAGE, EVENT, INDEX, SNAPSHOT, SNAPSHOT_START, TRADE

VOLUME_SHARE: Final = 0.35
LEVELS: Final = 50
LEVEL_GAP: Final = 0.3e-4
"""Levels are this far apart as a share of the price, or one tick where that is more."""
GROWTH: Final = 0.15
"""Each level is so much larger than the touch, times its distance."""


class SpotSource:
    """Events of a spot symbol, made from those of its perpetual.

    Parameters
    ----------
    tick_size, lot_size : float
        Steps of price and quantity.
    bias : float
        Spot over index, as a fraction.
    touch : float
        Size at the best level, base.

    """

    def __init__(self, tick_size: float, lot_size: float, bias: float, touch: float) -> None:
        self._tick = tick_size
        self._lot = lot_size
        self._bias = bias
        lots = np.maximum(np.round(touch * (1.0 + GROWTH * np.arange(LEVELS)) / lot_size), 1.0)
        self._sizes = np.round(lots * lot_size, 8)
        self._ready: list[NDArray[np.void]] = []
        self._bought = self._sold = 0.0

    def follow(self, events: NDArray[np.void]) -> None:
        """Take note of what happened to the perpetual, in ascending venue time."""
        for at in np.flatnonzero((events["kind"] == INDEX) | (events["kind"] == TRADE)):
            row = events[at]
            if row["kind"] == INDEX:
                self._lay(int(row["exch_ts"]), float(row["price"]))
            elif row["side"] > 0:
                self._bought += float(row["size"]) * VOLUME_SHARE
            else:
                self._sold += float(row["size"]) * VOLUME_SHARE

    def _lay(self, at_ns: int, index: float) -> None:
        units = max(round(index * (1.0 + self._bias) / self._tick), LEVELS + 1)
        gap = max(1, round(units * LEVEL_GAP))
        rows = np.zeros(2 * LEVELS + 5, dtype=EVENT)
        rows["exch_ts"] = rows["local_ts"] = at_ns
        n = self._trades(rows, units)
        rows["kind"][n] = INDEX
        rows["price"][n] = index
        rows["kind"][n + 1] = SNAPSHOT_START
        n += 2
        for side, touch in ((1, units), (-1, units + 1)):
            prices = (touch - side * gap * np.arange(LEVELS)) * self._tick
            level = rows[n : n + LEVELS]
            level["kind"], level["side"] = SNAPSHOT, side
            level["price"], level["size"] = np.round(prices, 8), self._sizes
            n += int(np.count_nonzero(prices > 0.0))
        rows["kind"][n] = END_OF_MESSAGE
        self._ready.append(rows[: n + 1])

    def _trades(self, rows: NDArray[np.void], units: int) -> int:
        n = 0
        for side, size in ((1, self._bought), (-1, self._sold)):
            lots = round(size / self._lot)
            if lots:
                rows[n] = (rows["local_ts"][0], rows["exch_ts"][0], TRADE, side, round((units + (side > 0)) * self._tick, 8),
                           round(lots * self._lot, 8))  # fmt: skip
                n += 1
        self._bought = self._sold = 0.0
        return n

    def read(self, until_ns: int) -> NDArray[np.void]:
        """Return the events made since the last call."""
        ready, self._ready = self._ready, []
        if not ready:
            return np.empty(0, dtype=EVENT)
        return np.concatenate([rows.view(np.uint8) for rows in ready]).view(EVENT)
