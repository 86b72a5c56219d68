"""F12, the synthetic liquidation heatmap: where positions opened by large trades would be liquidated.

A large trade at price p opens longs (taker buys) or shorts (taker sells). For each common leverage L they are liquidated
at p * (1 - 1/L + m) and p * (1 + 1/L - m), m the maintenance margin; the notional is spread evenly over the leverages and
kept in bins of 5 bps of log price, fading with a half-life. A price that touches a bin empties it. The counterpart of
each trade is left out: who of the two was leveraged cannot be seen. An estimate from public prints, no venue data.

The map is a ring of bins: those more than 25 % away give way to those nearby. A cluster is the nearest bin on a side
whose mass is at least a multiple of that side's mean over the bins in reach. Which bin that is changes only when a mass or the
price's bin does, for all of them fade alike: between such changes it is remembered.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from models.market.features.records import record_dtype

BINS: Final = 1024
WIDTH: Final = 0.0005
"""Log price per bin."""
LEVERAGES: Final = (5.0, 10.0, 25.0, 50.0, 100.0)
LONGS: Final = 0
SHORTS: Final = 1
_GROWN: Final = 1e12

HEATMAP: Final = record_dtype(
    [
        ("last_ns", np.int64),
        ("growth", np.float64),  # present worth of a unit; masses are divided by it when read
        ("price_bin", np.int64),
        ("priced", np.int64),
        ("settled", np.int64, (2,)),  # 1 while the bin remembered is the nearest cluster
        ("cluster", np.int64, (2,)),  # how many bins it is away, 0 for none
        ("owner", np.int64, (2, BINS)),  # which price bin a slot holds
        ("mass", np.float64, (2, BINS)),
    ]
)


@njit(cache=True)
def bin_of_price(price: float) -> int:
    """Return the number of the price bin a price falls into."""
    return math.floor(math.log(price) / WIDTH)


@njit(cache=True)
def _fade(state: np.record, now_ns: int, half_life_s: float) -> None:
    growth = float(state.growth)
    if growth == 0.0:
        growth = 1.0
    else:
        growth *= 2.0 ** (1e-9 * (now_ns - state.last_ns) / half_life_s)
    state.last_ns = now_ns
    if growth > _GROWN:
        for side in range(2):
            for slot in range(BINS):
                state.mass[side, slot] /= growth
            state.settled[side] = 0
        growth = 1.0
    state.growth = growth


@njit(cache=True)
def _put(state: np.record, kind: int, price: float, mass: float) -> None:
    number = bin_of_price(price)
    slot = number % BINS
    if state.owner[kind, slot] != number:
        state.owner[kind, slot] = number
        state.mass[kind, slot] = 0.0
    state.mass[kind, slot] += mass
    state.settled[kind] = 0


@njit(cache=True)
def add_entry(
    state: np.record,
    now_ns: int,
    side: int,
    price: float,
    notional: float,
    maintenance: float,
    half_life_s: float,
) -> None:
    """Add the positions a large trade opens.

    Parameters
    ----------
    state : record of HEATMAP
    now_ns : int
    side : int
        The taker's.
    price, notional : float
    maintenance : float
        Maintenance margin, fraction of notional.
    half_life_s : float
        The same in every call.

    """
    _fade(state, now_ns, half_life_s)
    share = notional * state.growth / len(LEVERAGES)
    for leverage in LEVERAGES:
        distance = max(1.0 / leverage - maintenance, 0.0)
        _put(state, LONGS if side > 0 else SHORTS, price * (1.0 - side * distance), share)


@njit(cache=True)
def mass_at(state: np.record, kind: int, number: int) -> float:
    """Return the notional to be liquidated in a price bin (`LONGS` or `SHORTS`), as of the last update."""
    slot = number % BINS
    if state.owner[kind, slot] != number or state.growth == 0.0:
        return 0.0
    return float(state.mass[kind, slot] / state.growth)


@njit(cache=True)
def _empty(state: np.record, kind: int, number: int) -> None:
    slot = number % BINS
    if state.owner[kind, slot] == number and state.mass[kind, slot] > 0.0:
        state.mass[kind, slot] = 0.0
        state.settled[kind] = 0


@njit(cache=True)
def on_price(state: np.record, now_ns: int, price: float, half_life_s: float) -> None:
    """Let time pass and empty the bins the price has touched since the last call: longs falling, shorts rising."""
    _fade(state, now_ns, half_life_s)
    number = bin_of_price(price)
    previous = state.price_bin if state.priced != 0 else number
    for passed in range(number + 1, min(previous, number + BINS) + 1):
        _empty(state, LONGS, passed)
    for passed in range(max(previous, number - BINS), number):
        _empty(state, SHORTS, passed)
    _empty(state, LONGS, number)
    _empty(state, SHORTS, number)
    if number != state.price_bin or state.priced == 0:
        state.price_bin = number
        state.priced = 1
        state.settled[LONGS] = 0
        state.settled[SHORTS] = 0


@njit(cache=True)
def _worth(state: np.record, kind: int, number: int) -> float:
    """Mass of a bin before it is divided by the growth, which is common to all."""
    slot = number % BINS
    return float(state.mass[kind, slot]) if state.owner[kind, slot] == number else 0.0


@njit(cache=True)
def _find_cluster(state: np.record, kind: int, reach: int, multiple: float) -> int:
    step = -1 if kind == LONGS else 1
    total = 0.0
    for i in range(1, reach + 1):
        total += _worth(state, kind, state.price_bin + step * i)
    for i in range(1, reach + 1):
        worth = _worth(state, kind, state.price_bin + step * i)
        if worth > 0.0 and worth * reach >= multiple * total:
            return i
    return 0


@njit(cache=True)
def nearest_cluster(state: np.record, kind: int, reach: int, multiple: float) -> tuple[float, float]:
    """Return the distance (fraction of price, not negative) and the notional of the nearest cluster.

    Parameters
    ----------
    state : record of HEATMAP
    kind : int
        `LONGS` looks below the price, `SHORTS` above.
    reach : int
        Bins looked at; the same in every call.
    multiple : float
        Of the mean mass of those bins, from which one is a cluster; the same in every call.

    Returns
    -------
    tuple of float
        Both NaN where there is none or no price was seen.

    """
    if state.priced == 0:
        return math.nan, math.nan
    if state.settled[kind] == 0:
        state.cluster[kind] = _find_cluster(state, kind, reach, multiple)
        state.settled[kind] = 1
    bins = state.cluster[kind]
    if bins == 0:
        return math.nan, math.nan
    step = -1 if kind == LONGS else 1
    return abs(math.expm1(step * bins * WIDTH)), mass_at(state, kind, state.price_bin + step * bins)


@njit(cache=True)
def round_number_distance(price: float) -> float:
    """Return (nearest round price - price) / price; round are multiples of a tenth of the price's power of ten."""
    step = math.pow(10.0, math.floor(math.log10(price)) - 1.0)
    return (math.floor(price / step + 0.5) * step - price) / price
