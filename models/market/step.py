"""From tape to market record: one compiled step per event, one per alpha tick, the same in batch and live.

    while tick_due(market, event.local_ts):   # or, live, a timer at market.next_tick_ns
        on_tick(market, book, params)
        ...strategies step here...
    on_event(market, book, event, params)

Ticks lie on the grid of `tick_ns` since the epoch. A tick at T comes before every event received at T or later, so in
batch and live it sees the same events; between messages only, because the rows of a message share their time.
`run` is that loop for a stretch of tape. From Python, once per event, `event_of` and `tick_of` are the same steps by
index into one array of SYMBOL.

What does not belong here: what a trade changes (`trades.py`), what a tick computes (`tick.py`), fills, strategies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.errors import DataError
from models.market.book import Book, apply, best_ask, best_bid, is_valid, new_books, size_at
from models.market.feature_params import PARAMS
from models.market.feature_spec import FEATURE_NAMES
from models.market.features import open_interest, order_flow
from models.market.record import feature_view, new_markets
from models.market.tape import (
    END_OF_MESSAGE,
    FUNDING,
    GAP,
    INDEX,
    LIQUIDATION,
    MARK,
    OPEN_INTEREST,
    PREMIUM,
    TRADE,
    Events,
)
from models.market.tick import on_tick, publish_no_touch, publish_touch
from models.market.trades import on_trade

__all__ = ["event_of", "features_of", "follow", "on_event", "on_tick", "run", "tick_due", "tick_of"]


@njit(cache=True)
def tick_due(market: np.record, now_ns: int) -> bool:
    """Say whether a tick has to come before an event received at `now_ns`; never before the first event."""
    return bool(market.next_tick_ns > 0 and now_ns >= market.next_tick_ns)


@njit(cache=True)
def _on_book(market: np.record, book: Book) -> None:
    if not is_valid(book):
        if market.valid != 0:
            publish_no_touch(market)
        return
    bid_tick, ask_tick = best_bid(book), best_ask(book)
    bid_size, ask_size = size_at(book, 1, bid_tick), size_at(book, -1, ask_tick)
    bid, ask = bid_tick * book.tick_size, ask_tick * book.tick_size
    own = market.internal
    own.tick_ofi += order_flow.ofi_step(own.touch, bid, bid_size, ask, ask_size)
    publish_touch(market, bid, bid_size, ask, ask_size)
    market.valid = 1
    market.book_at_ns = book.local_ts


@njit(cache=True)
def _on_report(market: np.record, event: Any) -> None:
    """Take what is neither a trade nor a book."""
    own = market.internal
    kind = event.kind
    if kind == LIQUIDATION:
        if event.side > 0:
            own.tick_forced_buys += event.price * event.size
        else:
            own.tick_forced_sells += event.price * event.size
    elif kind == OPEN_INTEREST:
        market.open_interest = event.size
        market.open_interest_at_ns = event.local_ts
        open_interest.report(own.open_interest, event.local_ts, event.size)
    elif kind == MARK:
        market.mark = event.price
    elif kind == INDEX:
        market.index = event.price
    elif kind == PREMIUM:
        market.premium = event.price
    elif kind == FUNDING:
        market.funding_rate = event.price


@njit(cache=True)
def follow(market: np.record, book: Book, event: Any, params: np.record) -> None:
    """Bring the market record up to an event that is in the book already: for a book someone else keeps; see `on_event`."""
    now_ns = event.local_ts
    market.now_ns = now_ns
    if market.next_tick_ns == 0:
        market.next_tick_ns = (now_ns // params.tick_ns + 1) * params.tick_ns
    kind = event.kind
    if kind == TRADE:
        on_trade(market, now_ns, event.exch_ts, event.side, event.price, event.size, params)
    elif kind == END_OF_MESSAGE:
        _on_book(market, book)
    elif kind == GAP:
        publish_no_touch(market)
    elif kind >= LIQUIDATION:
        _on_report(market, event)


@njit(cache=True)
def on_event(market: np.record, book: Book, event: Any, params: np.record) -> None:
    """Bring market record and book up to one event; every tick due before it must have been taken.

    Parameters
    ----------
    market : record of MARKET
        Changed in place.
    book : record of BOOK
        Changed in place.
    event : record of EVENT
    params : record of PARAMS

    """
    apply(book, event)
    follow(market, book, event, params)


@njit(cache=True)
def event_of(symbols: NDArray[np.void], symbol: int, events: Events, row: int) -> None:
    """Take one row of `events` for a symbol: `on_event`, to be called from Python.

    Parameters
    ----------
    symbols : array of SYMBOL
        From `new_symbols`; changed in place.
    symbol : int
        Its place in `symbols`.
    events : array of EVENT
    row : int

    """
    own = symbols[symbol]
    on_event(own.market, own.book, events[row], own.params)


@njit(cache=True)
def tick_of(symbols: NDArray[np.void], symbol: int, now_ns: int) -> bool:
    """Take the next tick of a symbol if it is due by `now_ns`, and say whether it was; see `event_of`."""
    own = symbols[symbol]
    if not tick_due(own.market, now_ns):
        return False
    on_tick(own.market, own.book, own.params)
    return True


@njit(cache=True)
def run(
    market: np.record,
    book: Book,
    events: Events,
    params: np.record,
    vector: NDArray[np.float64],
    rows: NDArray[np.float64],
    times: NDArray[np.int64],
) -> int:
    """Drive a market over a stretch of tape and keep the feature vector of every tick.

    Parameters
    ----------
    market, book, params : records
        `market` and `book` go on from where they are, so a tape may come in chunks.
    events : array of EVENT
        Sorted.
    vector : ndarray of float64, shape (features,)
        `feature_view` of `market`.
    rows : ndarray of float64, shape (at least ticks, features)
        Gets a row a tick; of length 0 nothing is kept.
    times : ndarray of int64, shape (as rows,)

    Returns
    -------
    int
        Ticks taken.

    """
    ticks = 0
    keep = len(rows) > 0
    for i in range(len(events)):
        event = events[i]
        while tick_due(market, event.local_ts):
            on_tick(market, book, params)
            if keep:
                rows[ticks] = vector
                times[ticks] = market.tick_at_ns
            ticks += 1
        on_event(market, book, event, params)
    return ticks


def features_of(
    events: Events, tick_size: float, params: np.record
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the features of a tape at every tick of it.

    Parameters
    ----------
    events : array of EVENT
        Sorted by `local_ts`.
    tick_size : float
        Price step of the instrument.
    params : record of PARAMS
        From `feature_params.params_record`.

    Returns
    -------
    times : ndarray of int64, shape (ticks,)
        The ticks, ns UTC.
    features : ndarray of float64, shape (ticks, features)
        Columns in the order of `FEATURE_NAMES`.

    Raises
    ------
    DataError
        When the parameters are not a record of `PARAMS`.

    """
    if params.dtype != PARAMS:
        raise DataError("features: expected parameters from params_record(), was another dtype")
    if len(events) == 0:
        return np.empty(0, dtype=np.int64), np.empty((0, len(FEATURE_NAMES)))
    step_ns = int(params["tick_ns"])
    ticks = int(events["local_ts"][-1]) // step_ns - int(events["local_ts"][0]) // step_ns
    markets, books = new_markets(1), new_books([tick_size])
    rows, times = np.empty((ticks, len(FEATURE_NAMES))), np.empty(ticks, dtype=np.int64)
    taken = run(markets[0], books[0], events, params, feature_view(markets)[0], rows, times)
    return times[:taken], rows[:taken]
