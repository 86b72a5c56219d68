"""How an order meets a book, and when the market's path reaches a waiting order.

Here belong pure functions of books, paths and orders. Nothing here changes a state.

The rules are those of a small account in a market it does not move: an aggressive order takes the levels of the book
one by one; in a market of bars a resting order fills whole, at its price, once a trade goes beyond its price by a tick
(a trade at its price may have gone to the queue before it). In a market of events places in the queue and partial fills
are `queues`' business.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from models.simulation.exchange.orders import ZERO, Order, OrderStatus
from models.simulation.quotes import Book, Level, Path

SLIPPAGE_BOUND = Decimal("0.05")  # a market order never trades further from the mark than this


def takeable(book: Book, side: int, qty: Decimal, limit: Decimal | None) -> list[Level]:
    """Return fills an aggressive order would get.

    Parameters
    ----------
    book : Book
    side : int
        +1 buys from the asks, -1 sells to the bids.
    qty : Decimal
    limit : Decimal or None
        Worst price accepted; None takes any.

    Returns
    -------
    list of (price, qty)
        Best first; their quantities may add up to less than `qty`.

    """
    fills: list[Level] = []
    left = qty
    for price, size in book.asks if side > 0 else book.bids:
        if left <= 0 or (limit is not None and (price - limit) * side > 0):
            break
        taken = min(left, size)
        fills.append((price, taken))
        left -= taken
    return fills


def would_take(book: Book, side: int, price: Decimal) -> bool:
    """Whether a limit order at `price` would trade at once."""
    return bool(takeable(book, side, Decimal(1), price))


def market_limit(mark: Decimal, side: int) -> Decimal:
    """Worst price of a market order."""
    return mark * (1 + side * SLIPPAGE_BOUND)


def total(fills: list[Level]) -> tuple[Decimal, Decimal]:
    """Quantity and value of fills."""
    return sum((qty for _, qty in fills), ZERO), sum((price * qty for price, qty in fills), ZERO)


def first_reached(path: Path, order: Order, tick: Decimal) -> int | None:
    """Index of the first point of a path at which a waiting order trades or triggers; None where it does not."""
    if not len(path.ts_ms):
        return None
    reached = _reached(path, order, float(tick))
    at = int(np.argmax(reached))
    return at if reached[at] else None


def trail(path: Path, order: Order, tick: Decimal) -> tuple[int | None, NDArray[np.float64]]:
    """Follow the market with a trailing stop.

    Parameters
    ----------
    path : Path
    order : Order
        Waiting, with a distance; `peak` is the best price so far, None while the price it starts at has not been reached.
    tick : Decimal

    Returns
    -------
    int or None
        First point at which the market has come back by the distance.
    array of float64, shape (n + 1,)
        Best price before the path and after each of its points; minus infinity times the side while not active. Within a point
        the market is taken to come back before it goes on: the stop never profits from an order of prices nobody saw.

    """
    request = order.request
    held = -request.side
    best, worst = (path.high, path.low) if held > 0 else (-path.low, -path.high)
    if order.peak is not None:
        start, follows = held * float(order.peak), np.ones(len(best), dtype=np.bool_)
    else:
        start = -np.inf
        follows = np.logical_or.accumulate(best >= held * float(request.active_price or 0))
    peaks = np.maximum.accumulate(np.concatenate(([start], np.where(follows, best, -np.inf))))
    back = worst <= peaks[:-1] - float(request.trailing or 0) + float(tick) / 2000.0
    at = int(np.argmax(back)) if back.any() else None
    return at, held * peaks


def _reached(path: Path, order: Order, tick: float) -> NDArray[np.bool_]:
    request = order.request
    if order.status is OrderStatus.UNTRIGGERED:
        level = float(request.trigger_price or 0)
        by_mark = request.trigger_by == "MarkPrice"
        # Half a thousandth of a tick absorbs the float representation of prices that are equal on the wire.
        if request.trigger_direction == 1:
            return np.asarray((path.mark if by_mark else path.high) >= level - tick / 2000.0)
        return np.asarray((path.mark if by_mark else path.low) <= level + tick / 2000.0)
    price = float(request.price or 0)
    if request.side > 0:
        return np.asarray(path.low <= price - tick / 2.0)
    return np.asarray(path.high >= price + tick / 2.0)
