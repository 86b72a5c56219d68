"""What is true of a synthetic tape: a label beside every event, and a row for every planted episode.

Here belong dtypes and their constants. Detectors are scored against these; nothing a strategy may read is here.
"""

from __future__ import annotations

from typing import Final

import numpy as np

MAKER: Final = 0
"""Quotes, reports and settlements: nobody took anything."""
BACKGROUND: Final = 1
"""A self-exciting order of the crowd."""
WHALE: Final = 2
"""A whale's order."""
FORCED: Final = 3
"""An order of a liquidation cascade."""
INFORMED: Final = 4
"""An order of an informed trend."""

LABEL: Final = np.dtype(
    [
        ("fair", np.float64),
        ("displacement", np.float64),
        ("episode", np.int32),
        ("cause", np.uint8),
        ("regime", np.uint8),
        ("cascade", np.int8),
        ("trend", np.int8),
    ],
    align=True,
)
"""Truth after an event: fair price without and displacement with what will revert (quote), number of the episode the event
belongs to (−1 none), who caused it, the spread/depth regime, and the side of the cascade and trend under way (0 none)."""

EPISODE: Final = np.dtype(
    [
        ("start_ns", np.int64),
        ("end_ns", np.int64),
        ("extreme_ns", np.int64),
        ("number", np.int32),
        ("orders", np.int32),
        ("cause", np.uint8),
        ("side", np.int8),
        ("size", np.float64),
        ("permanent_bps", np.float64),
        ("transient_bps", np.float64),
        ("open_interest_change", np.float64),
        ("mid_before", np.float64),
        ("mid_after", np.float64),
    ],
    align=True,
)
"""A whale, cascade or trend that has ended: venue times of its first and last order and of the order that took price
farthest along its side, side of its orders, base executed,
planted impacts in the direction of `side`, change of open interest (base), and the mid before and after."""
