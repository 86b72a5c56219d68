"""Which trades a stream has brought already: a message that comes twice must not count twice.

The ids of the newest trades of a symbol are kept as hashes in a ring. Only a trade no newer than the newest seen can
be a repetition, so a stream in order is never searched. Ids of a message count once it has been read whole.

What does not belong here: reading messages (`bybit_data.py`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

KEPT: Final = 2048
"""Trades of a symbol that are remembered: more than the venue gives out at once (1 024) or again (1 000)."""

SEEN: Final = np.dtype(
    [
        ("ids", np.uint64, (KEPT,)),
        ("kept", np.int64),
        ("pending", np.int64),  # of the message being read
        ("newest_ms", np.int64),
        ("pending_ms", np.int64),
    ],
    align=True,
)
"""Trades seen of one symbol. `kept` counts them; the newest lies at ``(kept - 1) % KEPT``."""


def new_seen(streams: int) -> npt.NDArray[Any]:
    """Return records of `streams` symbols of which no trade was seen."""
    return np.zeros(streams, dtype=SEEN)


@njit(cache=True)
def begin(seen: Any) -> None:
    """Start a message; what a broken one left behind is forgotten."""
    seen.pending = 0
    seen.pending_ms = seen.newest_ms


@njit(cache=True)
def is_known(seen: Any, trade_id: np.uint64, time_ms: int) -> bool:
    """Say whether a trade was seen before, and remember it if not; an id of 0 is none and never known."""
    if trade_id == 0:
        return False
    count = seen.kept + seen.pending
    if time_ms <= seen.pending_ms:
        for k in range(max(0, count - KEPT), count):
            if seen.ids[k % KEPT] == trade_id:
                return True
    seen.ids[count % KEPT] = trade_id
    seen.pending += 1
    seen.pending_ms = max(seen.pending_ms, time_ms)
    return False


@njit(cache=True)
def commit(seen: Any) -> None:
    """End a message that was read whole."""
    seen.kept += seen.pending
    seen.pending = 0
    seen.newest_ms = seen.pending_ms
