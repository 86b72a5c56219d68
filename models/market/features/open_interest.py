"""Open interest as it arrives: its fall over a lag, and whether it arrives often enough to be used.

dOI = (OI(t - lag) - OI(t)) / OI(t - lag): a fraction, positive when positions are being closed. Where reports are
farther apart than the lag, dOI is the last step between two reports, scaled to the lag by their distance (the fall is
taken as even), and the series counts as sparse.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

MOST_REPORTS: Final = 1024

OPEN_INTEREST_STATE: Final = record_dtype(
    [
        ("seen", np.int64),
        ("cursor", np.int64),  # newest report not younger than the lag, counted from the first one ever
        ("ts", np.int64, (MOST_REPORTS,)),
        ("value", np.float64, (MOST_REPORTS,)),
    ]
)


@njit(cache=True)
def report(state: np.record, ts_ns: int, open_interest: float) -> None:
    """Take a report; values that are not positive are passed over. Beyond `MOST_REPORTS` a lag the oldest are lost."""
    if not open_interest > 0.0:
        return
    slot = state.seen % MOST_REPORTS
    state.ts[slot] = ts_ns
    state.value[slot] = open_interest
    state.seen += 1


@njit(cache=True)
def is_sparse(state: np.record, now_ns: int, lag_ns: int) -> bool:
    """Say whether there are too few reports to see a change over the lag: under two, or farther apart than the lag."""
    if state.seen < 2:
        return True
    last = state.ts[(state.seen - 1) % MOST_REPORTS]
    before = state.ts[(state.seen - 2) % MOST_REPORTS]
    return bool(now_ns - last > lag_ns or last - before > lag_ns)


@njit(cache=True)
def fall(state: np.record, now_ns: int, lag_ns: int, stale_ns: int) -> float:
    """Return dOI over the lag; NaN with under two reports, or none within `stale_ns`.

    Parameters
    ----------
    state : record of OPEN_INTEREST_STATE
    now_ns : int
    lag_ns : int
        The same in every call.
    stale_ns : int
        Age at which the last report no longer counts.

    """
    if state.seen < 2:
        return math.nan
    newest = state.seen - 1
    last_ts = state.ts[newest % MOST_REPORTS]
    if now_ns - last_ts > stale_ns:
        return math.nan
    last = state.value[newest % MOST_REPORTS]
    gap = last_ts - state.ts[(newest - 1) % MOST_REPORTS]
    if gap > lag_ns:
        previous = state.value[(newest - 1) % MOST_REPORTS]
        return float((previous - last) / previous * (lag_ns / gap))
    cursor = max(state.cursor, state.seen - MOST_REPORTS)
    while cursor < newest and state.ts[(cursor + 1) % MOST_REPORTS] <= now_ns - lag_ns:
        cursor += 1
    state.cursor = cursor
    then = state.value[cursor % MOST_REPORTS]
    return float((then - last) / then)
