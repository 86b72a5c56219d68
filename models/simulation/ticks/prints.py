"""Trades and liquidations as Bybit v5 messages, written by compiled code.

Here belongs what such a message says; frames and order books are in `messages`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.simulation.ticks.messages import put_head, put_price, put_size, put_symbol
from models.simulation.ticks.text import Bytes, put, put_id, put_whole, text

_MS: Final = 1_000_000

_TRADE: Final = text('{"topic":"publicTrade.')
_LIQUIDATION: Final = text('{"topic":"allLiquidation.')
_T: Final = text('{"T":')
_NAME: Final = text(',"s":"')
_SIDE: Final = text('","S":"')
_BUY: Final = text("Buy")
_SELL: Final = text("Sell")
_V: Final = text('","v":"')
_P: Final = text('","p":"')
_L: Final = text('","L":"')
_PLUS: Final = text("PlusTick")
_ZERO_PLUS: Final = text("ZeroPlusTick")
_MINUS: Final = text("MinusTick")
_ZERO_MINUS: Final = text("ZeroMinusTick")
_I: Final = text('","i":"')
_FLAGS: Final = text('","BT":false,"RPI":false,"seq":')
_COMMA: Final = 44
_BRACE: Final = 125
_BRACKET: Final = 93
_LIST: Final = 91
_QUOTE: Final = 34


@njit(cache=True)
def _put_print(feed: Any, buf: Bytes, n: int, time_ns: int, side: int, size: float, price: float) -> int:
    n = put(buf, n, _T)
    n = put_whole(buf, n, time_ns // _MS)
    n = put(buf, n, _NAME)
    n = put_symbol(feed, buf, n)
    n = put(buf, n, _SIDE)
    n = put(buf, n, _BUY if side > 0 else _SELL)
    n = put(buf, n, _V)
    n = put_size(feed, buf, n, size)
    n = put(buf, n, _P)
    return put_price(feed, buf, n, price)


@njit(cache=True)
def _direction(feed: Any) -> Bytes:
    return _ZERO_PLUS if feed.direction >= 0 else _ZERO_MINUS


@njit(cache=True)
def put_trades(
    feed: Any, events: NDArray[np.void], which: NDArray[np.int64], count: int, buf: Bytes, n: int
) -> int:
    """Write trades of one instant as one message; the feed follows their number, price and direction."""
    n = put_head(feed, buf, n, _TRADE, 0, False, events[which[0]].exch_ts // _MS)
    buf[n] = _LIST
    n += 1
    for k in range(count):
        e = events[which[k]]
        tick = _direction(feed)
        if e.price != feed.last:
            feed.direction = 1 if e.price > feed.last else -1
            tick = _PLUS if e.price > feed.last else _MINUS
        feed.last = e.price
        n = _put_print(feed, buf, n, e.exch_ts, e.side, e.size, e.price)
        n = put(buf, n, _L)
        n = put(buf, n, tick)
        n = put(buf, n, _I)
        n = put_id(buf, n, feed.salt, e.local_ts if feed.numbered != 0 else feed.trades)
        n = put(buf, n, _FLAGS)
        n = put_whole(buf, n, feed.sequence)
        buf[n] = _BRACE
        buf[n + 1] = _COMMA
        n += 2
        feed.trades += 1
    buf[n - 1] = _BRACKET
    buf[n] = _BRACE
    return n + 1


@njit(cache=True)
def put_liquidations(feed: Any, buf: Bytes, n: int, ts_ms: int) -> int:
    """Write the liquidations that wait; `S` is the side of the position, the opposite of the forced order's."""
    n = put_head(feed, buf, n, _LIQUIDATION, 0, False, ts_ms)
    buf[n] = _LIST
    n += 1
    for k in range(feed.waiting):
        side = -feed.waiting_side[k]
        n = _put_print(feed, buf, n, feed.waiting_ts[k], side, feed.waiting_size[k], feed.waiting_price[k])
        buf[n] = _QUOTE
        buf[n + 1] = _BRACE
        buf[n + 2] = _COMMA
        n += 3
    feed.waiting = 0
    buf[n - 1] = _BRACKET
    buf[n] = _BRACE
    return n + 1
