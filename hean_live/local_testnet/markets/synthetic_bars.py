"""Reads a generated history as bars and trade paths up to an instant.

Here belongs the step from minute arrays to what is visible at a moment, the open minute included. Rules of the venue's endpoints
do not belong here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hean_live.local_testnet.markets.base import BarKind
from models.simulation.bars import MINUTE_MS, Bars
from models.simulation.funding_market import PREMIUM_UNIT, Prices, SymbolHistory
from models.simulation.intraminute import STEP_MS, VOLUME_SHARES, minute_paths

Floats = NDArray[np.float64]

MARK_SHARE = 0.7  # mark = index + 0.7·(perp − index): always between the two
SPOT_VOLUME_SHARE = 0.35


def moment(history: SymbolHistory, at_ms: int) -> tuple[int, int]:
    """Minute that is open at an instant and how many of its trades have happened (1 to 12)."""
    since = at_ms - history.start_ms
    return since // MINUTE_MS, since % MINUTE_MS // STEP_MS + 1


def opens(prices: Prices, first: int, last: int) -> Floats:
    """Return opening prices of minutes ``first <= m < last`` in price units: the close before each."""
    closes = prices.close
    if first > 0:
        return closes[first - 1 : last - 1].astype(np.float64)
    head = np.clip(closes[:1], prices.low[:1], prices.high[:1])
    return np.concatenate((head, closes[: max(last - 1, 0)])).astype(np.float64)[: last - first]


def trade_paths(history: SymbolHistory, prices: Prices, first: int, last: int) -> Floats:
    """Trade prices of minutes ``first <= m < last``, shape (minutes, 12), in price units.

    All prices of a symbol take the same turns inside a minute, so spreads between them stay sane.
    """
    index = history.index
    up_first = index.close[first:last] < opens(index, first, last)
    cut = slice(first, last)
    return minute_paths(
        opens(prices, first, last),
        prices.high[cut].astype(np.float64),
        prices.low[cut].astype(np.float64),
        prices.close[cut].astype(np.float64),
        up_first,
    )


def premium_prices(history: SymbolHistory, first: int, last: int) -> Prices:
    """Premium index of a stretch as prices; inside a minute it moves straight from the value before to its own."""
    close = history.premium[max(first - 1, 0) : last]
    before = np.concatenate((close[:1], close[:-1]))
    return Prices(PREMIUM_UNIT, close, np.maximum(before, close), np.minimum(before, close))


def minute_bars(history: SymbolHistory, kind: BarKind, first: int, last: int, now_ms: int) -> Bars:
    """Minute bars ``first <= m < last``; the minute open at `now_ms` holds only what has traded so far.

    Parameters
    ----------
    history : SymbolHistory
    kind : BarKind
    first, last : int
        Minutes since the start of the history.
    now_ms : int
        Nothing later is shown.

    """
    open_minute, done = moment(history, now_ms)
    last = min(last, open_minute + 1, history.minutes)
    if kind is BarKind.MARK:
        return _mark_bars(history, first, last, now_ms)
    ts = history.start_ms + np.arange(first, last, dtype=np.int64) * MINUTE_MS
    if kind is BarKind.PREMIUM:
        prices = premium_prices(history, first, last)
        offset = first - max(first - 1, 0)
        columns = _columns(prices, offset, offset + last - first)
    else:
        prices = {BarKind.PERP: history.perp, BarKind.SPOT: history.spot, BarKind.INDEX: history.index}[kind]
        columns = _columns(prices, first, last)
    volume = _volume(history, kind, first, last)
    if last == open_minute + 1 and last > first:
        _cut_open_minute(history, prices, columns, (open_minute, done), kind)
        if volume is not None:
            volume[-1] = round(volume[-1] * VOLUME_SHARES[:done].sum(), history.symbol.listing.qty_decimals)
    o, h, low, c = (column * prices.unit for column in columns)
    turnover = None if volume is None else volume * (o + h + low + c) / 4.0
    return Bars(ts, o, h, low, c, volume, turnover)


def _columns(prices: Prices, first: int, last: int) -> list[Floats]:
    cut = slice(first, last)
    return [
        opens(prices, first, last),
        prices.high[cut].astype(np.float64),
        prices.low[cut].astype(np.float64),
        prices.close[cut].astype(np.float64),
    ]


def _cut_open_minute(
    history: SymbolHistory, prices: Prices, columns: list[Floats], open_at: tuple[int, int], kind: BarKind
) -> None:
    minute, done = open_at
    if kind is BarKind.PREMIUM:
        start, end = columns[0][-1], columns[3][-1]
        path = np.rint(start + (end - start) * np.arange(1, 13) / 12.0)[:done]
    else:
        path = trade_paths(history, prices, minute, minute + 1)[0, :done]
    columns[1][-1], columns[2][-1] = max(columns[0][-1], path.max()), min(columns[0][-1], path.min())
    columns[3][-1] = path[-1]


def _volume(history: SymbolHistory, kind: BarKind, first: int, last: int) -> Floats | None:
    if not kind.traded:
        return None
    share = 1.0 if kind is BarKind.PERP else SPOT_VOLUME_SHARE
    return np.round(
        history.volume[first:last].astype(np.float64) * share, history.symbol.listing.qty_decimals
    )


def _mark_bars(history: SymbolHistory, first: int, last: int, now_ms: int) -> Bars:
    index = minute_bars(history, BarKind.INDEX, first, last, now_ms)
    perp = minute_bars(history, BarKind.PERP, first, last, now_ms)
    return Bars(
        index.ts_ms,
        mark_of(index.open, perp.open),
        mark_of(index.high, perp.high),
        mark_of(index.low, perp.low),
        mark_of(index.close, perp.close),
    )


def mark_of(index: Floats, perp: Floats) -> Floats:
    """Mark price from index and perpetual price."""
    return index * (1.0 - MARK_SHARE) + perp * MARK_SHARE
