"""What happens inside a minute bar: a path of trades that visits its open, high, low and close.

Here belongs the fixed shape of that path; it needs no random numbers, so bars and trades agree by construction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TRADES_PER_MINUTE = 12
STEP_MS = 60_000 // TRADES_PER_MINUTE
_FIRST_EXTREME, _SECOND_EXTREME = 4, 8
# Share of the minute's volume done by each trade: more at the extremes and at the close.
VOLUME_SHARES: Floats = np.array([6, 5, 6, 8, 14, 7, 6, 7, 14, 8, 7, 12], dtype=np.float64) / 100.0


def minute_paths(
    opens: Floats, high: Floats, low: Floats, close: Floats, up_first: NDArray[np.bool_]
) -> Floats:
    """Prices of the trades of each minute, in whole price units.

    Parameters
    ----------
    opens, high, low, close : ndarray of float64, shape (n,)
        Bars in whole price units.
    up_first : ndarray of bool, shape (n,)
        Whether the high is visited before the low.

    Returns
    -------
    ndarray of float64, shape (n, 12)
        Trade k of a minute happens ``5 s · k`` after its start; the last one is the close.

    """
    first = np.where(up_first, high, low)
    second = np.where(up_first, low, high)
    knots = np.stack([opens, first, second, close], axis=1)
    at = np.array([0, _FIRST_EXTREME, _SECOND_EXTREME, TRADES_PER_MINUTE - 1])
    slots = np.arange(TRADES_PER_MINUTE)
    piece = np.clip(np.searchsorted(at, slots, side="right") - 1, 0, 2)
    share = (slots - at[piece]) / (at[piece + 1] - at[piece])
    return np.asarray(
        np.rint(knots[:, piece] * (1.0 - share) + knots[:, piece + 1] * share), dtype=np.float64
    )
