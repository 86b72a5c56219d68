"""How often a strategy may signal: a cooldown and a cap per UTC day, in its own state record.

A strategy embeds `CADENCE` in its `STATE`, asks `may_signal` and tells `note_signal`. What does not belong here: what
a signal is.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

_DAY_NS: Final = 86_400_000_000_000

CADENCE: Final = record_dtype(
    [
        ("last_ns", np.int64),  # of the newest signal; 0 before the first
        ("day", np.int64),  # UTC day, since the epoch, that `signals` counts
        ("signals", np.int64),
    ]
)


@njit(cache=True)
def may_signal(cadence: Any, at_ns: int, cooldown_ns: int, most_per_day: int) -> bool:
    """Return whether a signal may be given now: the cooldown is over and the day's cap not reached.

    Parameters
    ----------
    cadence : record of CADENCE
    at_ns : int
        UTC.
    cooldown_ns : int
    most_per_day : int

    """
    if cadence.last_ns != 0 and at_ns - cadence.last_ns < cooldown_ns:
        return False
    return bool(cadence.day != at_ns // _DAY_NS or cadence.signals < most_per_day)


@njit(cache=True)
def note_signal(cadence: Any, at_ns: int) -> None:
    """Count a signal."""
    day = at_ns // _DAY_NS
    if cadence.day != day:
        cadence.day = day
        cadence.signals = 0
    cadence.signals += 1
    cadence.last_ns = at_ns
