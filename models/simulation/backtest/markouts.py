"""X4: how far the mid moved after fills, by maker and taker, with intervals and what it says about our quotes.

Here belongs the reading of markouts; they are measured in `session.py`, before fees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.simulation.backtest.figures import Estimate, mean_of
from models.simulation.backtest.records import MARKOUTS_S

TOXIC_WITHIN_S: Final = 2.0

TOXIC: Final = "toxic"
"""A mean markout of maker fills within 2 s is below zero, interval and all: the market knows more than our quotes."""
SUSPECT: Final = "suspect"
"""Below zero, but the interval holds zero or there are too few fills for one."""
SOUND: Final = "sound"
"""Not below zero at any horizon within 2 s."""
UNKNOWN: Final = "unknown"
"""No maker fill was marked out."""


@dataclass(frozen=True)
class Markouts:
    """Mean markouts of a group of fills, bps of their price in their direction.

    Attributes
    ----------
    fills : int
    means : tuple of Estimate or None
        One a horizon of `MARKOUTS_S`; None where no fill was marked out.

    """

    fills: int
    means: tuple[Estimate | None, ...]


def markouts_of(fills: NDArray[np.void]) -> dict[str, Markouts]:
    """Return the markouts of all fills, of maker and of taker fills.

    Parameters
    ----------
    fills : array of FILL
        In order.

    """
    groups = {"all": fills, "maker": fills[fills["maker"] == 1], "taker": fills[fills["maker"] == 0]}
    return {name: _group(rows) for name, rows in groups.items()}


def _group(fills: NDArray[np.void]) -> Markouts:
    means: list[Estimate | None] = []
    for k, horizon_s in enumerate(MARKOUTS_S):
        marks = fills["markout_bps"][:, k]
        known = ~np.isnan(marks)
        # A venue clock that is set back may stamp a later fill earlier.
        times = np.sort(fills["exch_ns"][known])
        means.append(mean_of(marks[known], times, int(1e9 * horizon_s)))
    return Markouts(len(fills), tuple(means))


def quoting_verdict(maker: Markouts) -> str:
    """Say what the markouts of maker fills within 2 s mean: `TOXIC`, `SUSPECT`, `SOUND` or `UNKNOWN`."""
    early = [m for m, s in zip(maker.means, MARKOUTS_S, strict=True) if s <= TOXIC_WITHIN_S and m is not None]
    if not early:
        return UNKNOWN
    if any(m.high is not None and m.high < 0.0 for m in early):
        return TOXIC
    return SUSPECT if any(m.value < 0.0 for m in early) else SOUND
