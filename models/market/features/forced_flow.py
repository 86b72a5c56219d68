"""F7 and F8: is the flow forced, and is it exhausted.

F7. FORCED when liquidations spike, or when z(FSI) and z(dOI) are both high. INFORMED otherwise. Where OI is too sparse
to tell, persistent signed flow means INFORMED, and strong one-sided flow that is not persistent stays UNKNOWN: nothing
may fade it. A fall of OI that is seen although reports are sparse still confirms.

F8. Exhausted when LPI is above its level, has fallen K ticks in a row, z(dOI) is high where OI exists, z(LDR) has not
risen for as many ticks (one tick of a falling series proves nothing: levels refill in steps), and price and pressure
diverge: the mid makes a new extreme in the direction of the flow within the last 1 s, beyond its extreme of the 2 s before,
while LPI's highest of that second lies under its highest of those 2 s.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

UNKNOWN: Final = 0
FORCED: Final = 1
INFORMED: Final = 2

FLOW_NAMES: Final = {UNKNOWN: "UNKNOWN", FORCED: "FORCED", INFORMED: "INFORMED"}

MOST_TICKS: Final = 64

EXHAUSTION: Final = record_dtype(
    [
        ("seen", np.int64),
        ("falling", np.int64),  # ticks in a row LPI has fallen
        ("last_lpi", np.float64),
        ("last_z_ldr", np.float64),
        ("settled", np.int64),  # ticks in a row z(LDR) has not risen
        ("ts", np.int64, (MOST_TICKS,)),
        ("mid", np.float64, (MOST_TICKS,)),
        ("lpi", np.float64, (MOST_TICKS,)),
    ]
)


@njit(cache=True)
def classify_flow(
    z_fsi: float,
    z_oi: float,
    oi_is_sparse: bool,
    liquidation_spike: bool,
    persistence: float,
    z_fsi_limit: float,
    z_oi_limit: float,
    persistent: float,
) -> int:
    """Return `FORCED`, `INFORMED` or `UNKNOWN`.

    Parameters
    ----------
    z_fsi, z_oi : float
        NaN where undefined.
    oi_is_sparse : bool
    liquidation_spike : bool
        Decides alone.
    persistence : float
        |buys - sells| / (buys + sells) of the takers over the trailing window, 0 to 1, NaN without trades.
    z_fsi_limit, z_oi_limit, persistent : float
        Limits of the three.

    """
    if liquidation_spike:
        return FORCED
    if math.isnan(z_fsi):
        return UNKNOWN
    if z_fsi > z_fsi_limit and z_oi > z_oi_limit:
        return FORCED
    if (oi_is_sparse or math.isnan(z_oi)) and z_fsi > z_fsi_limit and not persistence >= persistent:
        return UNKNOWN
    return INFORMED


@njit(cache=True)
def remember_tick(state: np.record, now_ns: int, mid: float, lpi: float) -> None:
    """Add a tick and count how often LPI has fallen in a row; an undefined LPI or mid starts anew."""
    if math.isnan(lpi) or math.isnan(mid):
        state.seen = 0
        state.falling = 0
        return
    if state.seen > 0 and lpi < state.last_lpi:
        state.falling += 1
    else:
        state.falling = 0
    slot = state.seen % MOST_TICKS
    state.ts[slot] = now_ns
    state.mid[slot] = mid
    state.lpi[slot] = lpi
    state.last_lpi = lpi
    state.seen += 1


@njit(cache=True)
def diverges(state: np.record, direction: int, short_ns: int, long_ns: int) -> bool:
    """Say whether the mid made a new extreme within `short_ns` that LPI did not, against the rest of `long_ns`.

    Parameters
    ----------
    state : record of EXHAUSTION
    direction : int
        -1: lows of the mid are looked at, +1: highs.
    short_ns, long_ns : int

    """
    if state.seen == 0 or direction == 0:
        return False
    now = state.ts[(state.seen - 1) % MOST_TICKS]
    new_mid, old_mid = -math.inf, -math.inf
    new_lpi, old_lpi = -math.inf, -math.inf
    for back in range(min(state.seen, MOST_TICKS)):
        slot = (state.seen - 1 - back) % MOST_TICKS
        age = now - state.ts[slot]
        if age > long_ns:
            break
        along = direction * state.mid[slot]
        if age < short_ns:
            new_mid = max(new_mid, along)
            new_lpi = max(new_lpi, state.lpi[slot])
        else:
            old_mid = max(old_mid, along)
            old_lpi = max(old_lpi, state.lpi[slot])
    return bool(old_mid > -math.inf and new_mid > old_mid and new_lpi < old_lpi)


@njit(cache=True)
def exhaustion_step(
    state: np.record,
    now_ns: int,
    mid: float,
    lpi: float,
    z_ldr: float,
    z_oi: float,
    direction: int,
    lpi_limit: float,
    z_oi_limit: float,
    falling_ticks: int,
    short_ns: int,
    long_ns: int,
) -> bool:
    """Take a tick and say whether the flow is exhausted at it.

    Parameters
    ----------
    state : record of EXHAUSTION
    now_ns : int
    mid, lpi, z_ldr : float
    z_oi : float
        NaN where OI does not exist: its condition is then left out.
    direction : int
        Of the flow: -1 selling, +1 buying, 0 unknown.
    lpi_limit, z_oi_limit : float
    falling_ticks : int
        K, of LPI and of z(LDR).
    short_ns, long_ns : int
        Shortest and longest tau of the divergence.

    """
    remember_tick(state, now_ns, mid, lpi)
    # Written so that an undefined z counts as rising: no verdict on what is not known.
    state.settled = state.settled + 1 if z_ldr <= state.last_z_ldr else 0
    state.last_z_ldr = z_ldr
    if not lpi > lpi_limit or state.falling < falling_ticks or state.settled < falling_ticks:
        return False
    if not (math.isnan(z_oi) or z_oi > z_oi_limit):
        return False
    return diverges(state, direction, short_ns, long_ns)
