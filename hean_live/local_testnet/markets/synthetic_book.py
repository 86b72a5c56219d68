"""Order book and trades of the synthetic market at an instant.

Here belongs how a book is laid around the last trade. Its sizes change once a minute; orders of the account do not change it.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from hean_live.local_testnet.markets.base import BarKind
from hean_live.local_testnet.markets.synthetic_bars import minute_bars, moment, trade_paths
from models.simulation.bars import MINUTE_MS
from models.simulation.funding_market import Prices, SymbolHistory
from models.simulation.intraminute import STEP_MS, TRADES_PER_MINUTE, VOLUME_SHARES
from models.simulation.processes import stream
from models.simulation.quotes import Book, Level, Trade

LEVEL_GAP = 0.3e-4  # distance of levels as a fraction of the price, at least one tick
GROWTH = 0.15  # each level is this much larger than the touch, times its distance


def last_units(history: SymbolHistory, prices: Prices, at_ms: int) -> int:
    """Price of the last trade in whole price units."""
    minute, done = moment(history, at_ms)
    return int(trade_paths(history, prices, minute, minute + 1)[0, done - 1])


def book_at(history: SymbolHistory, prices: Prices, at_ms: int, levels: int) -> Book:
    """Book one tick wide: the last trade was at the bid.

    Parameters
    ----------
    history : SymbolHistory
    prices : Prices
        Perpetual or spot prices of the history.
    at_ms : int
        Instant.
    levels : int
        Levels of each side, at most 1000.

    """
    listing = history.symbol.listing
    last = last_units(history, prices, at_ms)
    gap = max(1, round(LEVEL_GAP * last))
    minute = (at_ms - history.start_ms) // MINUTE_MS
    rng = stream(minute, listing.symbol, "book")
    touch = history.symbol.touch_depth_usd / (last * prices.unit)
    steps = np.arange(levels)
    draws = rng.random((1000, 2))[:levels]
    sizes = touch * (1.0 + GROWTH * steps[:, None]) * (0.5 + draws)
    sides: list[tuple[Level, ...]] = []
    for column, touch_price, direction in ((0, last, -1), (1, last + 1, 1)):
        side = []
        for step in range(levels):
            units = touch_price + direction * gap * step
            if units <= 0:
                break
            qty = round(Decimal(float(sizes[step, column])), listing.qty_decimals)
            side.append((listing.tick_size * units, max(qty, listing.qty_step)))
        sides.append(tuple(side))
    return Book(listing.symbol, at_ms, sides[0], sides[1])


def trades_before(history: SymbolHistory, kind: BarKind, limit: int, now_ms: int) -> list[Trade]:
    """Newest trades first, at most `limit`; their sizes add up to the bars' volumes."""
    prices = history.perp if kind is BarKind.PERP else history.spot
    minute, done = moment(history, now_ms)
    first = max(0, minute - limit // TRADES_PER_MINUTE - 1)
    paths = trade_paths(history, prices, first, minute + 1)
    volume = minute_bars(
        history, kind, first, minute + 1, history.start_ms + (minute + 1) * MINUTE_MS - 1
    ).volume
    if volume is None:
        return []
    listing = history.symbol.listing
    done_by = np.round(volume[:, None] * np.cumsum(VOLUME_SHARES), listing.qty_decimals)
    sizes = np.diff(done_by, axis=1, prepend=0.0)
    out: list[Trade] = []
    flat_prices, flat_sizes = paths.ravel(), sizes.ravel()
    for k in range((minute - first) * TRADES_PER_MINUTE + done - 1, -1, -1):
        qty = round(Decimal(float(flat_sizes[k])), listing.qty_decimals)
        if qty <= 0:
            continue
        move = flat_prices[k] - flat_prices[k - 1] if k else 0.0
        side = int(np.sign(move)) or (1 if k % 2 else -1)
        ts = history.start_ms + first * MINUTE_MS + k * STEP_MS
        out.append(
            Trade(ts, listing.tick_size * int(flat_prices[k]), qty, side, first * TRADES_PER_MINUTE + k)
        )
        if len(out) == limit:
            break
    return out
