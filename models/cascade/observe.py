"""From the market record to rows of features, and from a tape to rows with what was forced on it.

`cascade_row` reads one MARKET record and nothing else; `row_of` is the same by index into an array of SYMBOL, for the
executor. `CascadeFollower` drives a market record over a tape and samples it on a grid of time. Here belong the compiled
kernels, all in this file because Numba does not see a change in another one; labels are in `labels`.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.cascade.features import FEATURE_NAMES
from models.errors import DataError
from models.market.book import new_books
from models.market.feature_params import FeatureParams, params_record
from models.market.record import new_markets
from models.market.step import on_event, on_tick, tick_due
from models.market.tape import GAP, LIQUIDATION, Events

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WIDTH: Final = len(FEATURE_NAMES)
FORCED: Final = 0
ANOMALY: Final = 1
HOLE: Final = 2
_ROWS: Final = 4096
_MARKS: Final = 65_536
_MINUTE_NS: Final = 60_000_000_000
_STALE_NS: Final = 900_000_000_000

MARK: Final = np.dtype([("at_ns", np.int64), ("kind", np.int64), ("side", np.int64)], align=True)
"""Something that happened: a forced order, a cascade anomaly (F11), or a hole in the tape."""

_STATE: Final = np.dtype([("rows", np.int64), ("marks", np.int64), ("anomalies", np.int64)], align=True)


@njit(cache=True)
def _interest_change(interest: Any, now_ns: int, lag_ns: int) -> float:
    """Log change of open interest over a lag: the newest report against the newest one at least the lag old."""
    size = len(interest.ts)
    kept = min(interest.seen, size)
    if kept < 2 or now_ns - interest.ts[(interest.seen - 1) % size] > _STALE_NS:
        return math.nan
    newest = interest.value[(interest.seen - 1) % size]
    low, high = interest.seen - kept, interest.seen  # first report younger than the lag, by bisection
    while low < high:
        middle = (low + high) // 2
        if now_ns - interest.ts[middle % size] >= lag_ns:
            low = middle + 1
        else:
            high = middle
    if low == interest.seen - kept:
        return math.nan
    return math.log(newest / interest.value[(low - 1) % size])


@njit(cache=True)
def _momentum_bps(own: Any, mid: float, bars: int) -> float:
    if own.bars < bars:
        return math.nan
    return 1e4 * math.log(mid / own.closes[(own.bars - bars) % len(own.closes)])


@njit(cache=True)
def _volatility_bps(own: Any, bars: int) -> float:
    if own.bars < bars + 1:
        return math.nan
    size = len(own.closes)
    total = 0.0
    for back in range(1, bars + 1):
        step = math.log(own.closes[(own.bars - back) % size] / own.closes[(own.bars - back - 1) % size])
        total += step * step
    return 1e4 * math.sqrt(total / bars)


@njit(cache=True)
def _in_seconds(usd: float, usd_per_s: float) -> float:
    return usd / usd_per_s if usd_per_s > 0.0 else math.nan


@njit(cache=True)
def _nearer(market: Any, out: Floats) -> None:
    below, above = market.cluster_below_distance, market.cluster_above_distance
    out[6] = below
    out[7] = above
    is_below = not math.isnan(below) and not abs(above) < abs(below)
    out[8] = abs(below) if is_below else abs(above)
    out[9] = _in_seconds(market.cluster_below_usd if is_below else market.cluster_above_usd, market.usd_per_s)


@njit(cache=True)
def cascade_row(market: Any, out: Floats) -> None:
    """Write the features of a market record, as of its last tick.

    Parameters
    ----------
    market : record of MARKET
    out : ndarray of float64, shape (WIDTH,)
        In the order of `FEATURE_NAMES`; NaN where undefined.

    """
    own = market.internal
    now_ns = market.tick_at_ns
    out[0] = _interest_change(own.open_interest, now_ns, _MINUTE_NS)
    out[1] = _interest_change(own.open_interest, now_ns, 5 * _MINUTE_NS)
    out[2] = market.z_oi_fall
    out[3] = market.funding_rate
    out[4] = market.mark / market.index - 1.0 if market.index > 0.0 else math.nan
    out[5] = abs(out[4])
    _nearer(market, out)
    out[10] = market.depth_imbalance
    out[11] = abs(market.depth_imbalance)
    out[12] = market.queue_imbalance
    out[13] = _momentum_bps(own, market.mid, 1)
    out[14] = _momentum_bps(own, market.mid, 5)
    out[15] = _momentum_bps(own, market.mid, 15)
    out[16] = abs(out[15])
    out[17] = _volatility_bps(own, 15)
    out[18] = _volatility_bps(own, 60)
    out[19] = market.vpin
    out[20] = market.vpin_rank
    out[21] = market.flow_imbalance
    out[22] = market.spread_bps
    out[23] = market.z_ldr
    out[24] = market.kyle_lambda_z
    out[25] = _in_seconds(abs(market.liquidation_usd), market.usd_per_s)
    out[26] = 1.0 if market.cascade_side != 0.0 else 0.0
    for i in range(len(out)):
        if math.isinf(out[i]):
            out[i] = math.nan


@njit(cache=True)
def row_of(symbols: NDArray[np.void], symbol: int, out: Floats) -> None:
    """Write the features of one of the symbols of an array of SYMBOL; see `cascade_row`."""
    cascade_row(symbols[symbol].market, out)


@njit(cache=True)
def _mark(state: Any, marks: Any, at_ns: int, kind: int, side: int) -> None:
    marks[state.marks].at_ns = at_ns
    marks[state.marks].kind = kind
    marks[state.marks].side = side
    state.marks += 1


@njit(cache=True)
def _follow(
    markets: Any,
    books: Any,
    events: Events,
    start: int,
    params: Any,
    every_ns: int,
    states: Any,
    rows: Floats,
    times: Ints,
    marks: Any,
) -> int:
    """Take events from row `start` until the end or until a buffer is full; returns the row to go on from."""
    market, book, state = markets[0], books[0], states[0]
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(market, event.local_ts):
            if state.rows == len(rows):
                return i
            on_tick(market, book, params)
            if market.tick_at_ns % every_ns == 0:
                cascade_row(market, rows[state.rows])
                times[state.rows] = market.tick_at_ns
                state.rows += 1
        if state.marks + 2 > len(marks):
            return i
        on_event(market, book, event, params)
        if event.kind == LIQUIDATION:
            _mark(state, marks, event.local_ts, FORCED, event.side)
        elif event.kind == GAP:
            _mark(state, marks, event.local_ts, HOLE, 0)
        if market.internal.cascade.detected > state.anomalies:
            state.anomalies = market.internal.cascade.detected
            _mark(state, marks, event.local_ts, ANOMALY, market.internal.cascade.alive_side)
    return len(events)


class CascadeTape(NamedTuple):
    """A tape as the predictor sees it.

    Attributes
    ----------
    times : ndarray of int64, shape (n,)
        Ticks sampled, local time, ns UTC.
    features : ndarray of float64, shape (n, WIDTH)
    marks : ndarray of MARK
        Forced orders, anomalies and holes, by receive time.
    last_ns : int
        Receive time of the last event.

    """

    times: Ints
    features: Floats
    marks: NDArray[np.void]
    last_ns: int


class CascadeFollower:
    """Samples a tape chunk by chunk.

    Parameters
    ----------
    tick_size : float
        Price step of the instrument, quote.
    every_ns : int
        Distance of the samples; a multiple of the alpha tick.
    params : FeatureParams, optional

    Raises
    ------
    DataError
        When `every_ns` is not a multiple of the tick.

    """

    def __init__(self, tick_size: float, every_ns: int, params: FeatureParams | None = None) -> None:
        chosen = params or FeatureParams()
        if every_ns <= 0 or every_ns % chosen.tick_ns:
            raise DataError(f"cascade: expected samples at multiples of {chosen.tick_ns} ns, was {every_ns}")
        self._params, self._every_ns = params_record(chosen), every_ns
        self._markets, self._books = new_markets(1), new_books([tick_size])
        self._state: NDArray[Any] = np.zeros(1, _STATE)
        self._rows, self._times = np.empty((_ROWS, WIDTH)), np.empty(_ROWS, np.int64)
        self._marks: NDArray[np.void] = np.zeros(_MARKS, MARK)
        self._kept: tuple[list[Ints], list[Floats], list[NDArray[np.void]]] = ([], [], [])
        self._last_ns = 0

    def take(self, events: Events) -> None:
        """Take the next chunk of the tape."""
        row = 0
        while row < len(events):
            row = _follow(
                self._markets,
                self._books,
                events,
                row,
                self._params,
                self._every_ns,
                self._state,
                self._rows,
                self._times,
                self._marks,
            )
            n, m = int(self._state["rows"][0]), int(self._state["marks"][0])
            self._kept[0].append(self._times[:n].copy())
            self._kept[1].append(self._rows[:n].copy())
            self._kept[2].append(self._marks[:m].copy())
            self._state["rows"] = self._state["marks"] = 0
        if len(events):
            self._last_ns = int(events["local_ts"][-1])

    def tape(self) -> CascadeTape:
        """Return what was seen so far."""
        times, rows, marks = self._kept
        return CascadeTape(
            np.concatenate([np.empty(0, np.int64), *times]),
            np.concatenate([np.empty((0, WIDTH)), *rows]),
            np.concatenate([np.zeros(0, MARK), *marks]),
            self._last_ns,
        )
