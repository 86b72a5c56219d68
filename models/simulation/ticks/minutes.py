"""Minutes of a live symbol, folded from its events as they come: prices, volume, mark, index, premium, open interest.

A minute opens at the close before it, as on the venue. The premium of a minute is what is reported at its end; before
that, mark over index as of now. Here belongs the fold; selection by range and limits is the market's.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.tape import INDEX, MARK, OPEN_INTEREST, PREMIUM, TRADE
from models.simulation.bars import MINUTE_MS

Floats = NDArray[np.float64]

# Rows of the minutes' table.
PERP: Final = 0  # open, high, low, close, then volume and turnover
VOLUME: Final = 4
TURNOVER: Final = 5
MARKS: Final = 6
INDICES: Final = 10
PREMIA: Final = 14
INTEREST: Final = 15
"""Open interest as the minute opens."""
COLUMNS: Final = 16

KEPT_TRADES: Final = 1024
"""The venue's REST shows at most a thousand."""
_MINUTE_NS: Final = MINUTE_MS * 1_000_000
_PREMIUM_SCALE: Final = 1e6  # the venue publishes six decimals

TICKS: Final = np.dtype(
    [
        ("first_ns", np.int64),
        ("minute", np.int64),
        ("last", np.float64),
        ("mark", np.float64),
        ("index", np.float64),
        ("premium", np.float64),
        ("open_interest", np.float64),
        ("direction", np.int64),
        ("trades", np.int64),
        ("rows", np.int64),
        ("newest_trade_ns", np.int64),
    ],
    align=True,
)
"""Opening of minute 0, the open minute, the newest values (not a number where there is none yet), direction of the last
price change (+1/−1/0), and how many trades and events there were."""

TRADE_ROW: Final = np.dtype(
    [
        ("ts_ns", np.int64),
        ("price", np.float64),
        ("size", np.float64),
        ("side", np.int64),
        ("number", np.int64),
        ("sequence", np.int64),
    ],
    align=True,
)
"""A remembered trade: its number among the symbol's, and the number of its event."""


@njit(cache=True)
def open_minutes(ticks: Any, table: Floats, minute: int) -> None:
    """Open all minutes up to `minute`, flat at the newest values; the table must have room."""
    for m in range(ticks.minute + 1, minute + 1):
        table[PERP : PERP + 4, m] = ticks.last
        table[VOLUME : TURNOVER + 1, m] = 0.0
        table[MARKS : MARKS + 4, m] = ticks.mark
        table[INDICES : INDICES + 4, m] = ticks.index
        table[PREMIA, m] = ticks.premium
        table[INTEREST, m] = ticks.open_interest
        ticks.minute = m


@njit(cache=True)
def _touch(table: Floats, first: int, m: int, price: float) -> None:
    if np.isnan(table[first, m]):
        table[first : first + 4, m] = price
        return
    table[first + 1, m] = max(table[first + 1, m], price)
    table[first + 2, m] = min(table[first + 2, m], price)
    table[first + 3, m] = price


@njit(cache=True)
def _trade(ticks: Any, table: Floats, kept: Any, e: Any) -> None:
    if e.price != ticks.last:
        ticks.direction = 1 if e.price > ticks.last else -1
    ticks.last = e.price
    _touch(table, PERP, ticks.minute, e.price)
    table[VOLUME, ticks.minute] += e.size
    table[TURNOVER, ticks.minute] += e.size * e.price
    row = kept[ticks.trades % KEPT_TRADES]
    row.ts_ns = e.exch_ts
    row.price = e.price
    row.size = e.size
    row.side = e.side
    row.number = ticks.trades
    row.sequence = ticks.rows
    ticks.trades += 1
    ticks.newest_trade_ns = e.exch_ts


@njit(cache=True)
def _running_premium(ticks: Any, table: Floats) -> None:
    if ticks.index > 0.0 and not np.isnan(ticks.mark):
        ticks.premium = np.round((ticks.mark / ticks.index - 1.0) * _PREMIUM_SCALE) / _PREMIUM_SCALE
        table[PREMIA, ticks.minute] = ticks.premium


@njit(cache=True)
def fold(ticks: Any, table: Floats, kept: Any, events: NDArray[np.void]) -> None:
    """Fold events into the minutes.

    Parameters
    ----------
    ticks : record of TICKS
        Changed in place.
    table : ndarray of float64, shape (COLUMNS, minutes)
        Changed in place; must have room for the last event's minute.
    kept : record array of TRADE_ROW, shape (KEPT_TRADES,)
        The newest trades, a ring by number.
    events : ndarray of EVENT
        In ascending venue time.

    """
    for i in range(events.shape[0]):
        e = events[i]
        ticks.rows += 1
        m = (e.exch_ts - ticks.first_ns) // _MINUTE_NS
        if m > ticks.minute:
            open_minutes(ticks, table, m)
        if e.kind == TRADE:
            _trade(ticks, table, kept, e)
        elif e.kind == MARK:
            ticks.mark = e.price
            _touch(table, MARKS, ticks.minute, e.price)
            _running_premium(ticks, table)
        elif e.kind == INDEX:
            ticks.index = e.price
            _touch(table, INDICES, ticks.minute, e.price)
            _running_premium(ticks, table)
        elif e.kind == PREMIUM:
            # What is reported as a minute ends belongs to that minute.
            ended = (e.exch_ts - 1 - ticks.first_ns) // _MINUTE_NS
            if 0 <= ended <= ticks.minute:
                table[PREMIA, ended] = np.round(e.price * _PREMIUM_SCALE) / _PREMIUM_SCALE
        elif e.kind == OPEN_INTEREST:
            ticks.open_interest = e.size


def new_table(minutes: int) -> Floats:
    """Return an empty table with room for so many minutes."""
    return np.full((COLUMNS, minutes), np.nan)


def new_ticks(first_ns: int) -> NDArray[np.void]:
    """Return the state before the first event, as an array of one; `first_ns` is the opening of minute 0."""
    ticks = np.zeros(1, dtype=TICKS).view(np.recarray)
    ticks["first_ns"] = first_ns
    ticks["minute"] = -1
    for name in ("last", "mark", "index", "premium", "open_interest"):
        ticks[name] = np.nan
    return ticks
