"""The fields of Binance messages, compiled: one pass over a message, its wrappings flattened.

Whole numbers, decimal values and levels land in fixed places; what a message means is decided afterwards. Keys are
never read by position. What does not belong here: meaning and sequence rules (`binance_frames.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.market.readers.scan import (
    ARRAY,
    END_OF_OBJECT,
    OBJECT,
    QUOTE,
    Bytes,
    decimal,
    name_hash,
    next_key,
    price_levels,
    skip_value,
    span_hash,
    whole_number,
)
from models.market.tape import DEPTH, Events

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

_STREAM: Final = name_hash("stream")
_DATA: Final = name_hash("data")
_ORDER: Final = name_hash("o")
_EVENT: Final = name_hash("e")
_SYMBOL: Final = name_hash("s")
_SIDE: Final = name_hash("S")
_MAKER: Final = name_hash("m")
_BIDS: Final = name_hash("b")
_ASKS: Final = name_hash("a")
_REST_BIDS: Final = name_hash("bids")
_REST_ASKS: Final = name_hash("asks")
DEPTH_UPDATE: Final = name_hash("depthUpdate")
BOOK_TICKER: Final = name_hash("bookTicker")
TRADE_EVENT: Final = name_hash("trade")
AGGREGATE_EVENT: Final = name_hash("aggTrade")
MARK_EVENT: Final = name_hash("markPriceUpdate")
FORCE_EVENT: Final = name_hash("forceOrder")
LAST_UPDATE: Final = name_hash("lastUpdateId")

_NUMBER_NAMES: Final = ("E", "T", "U", "u", "pu", "lastUpdateId")
_VALUE_NAMES: Final = ("b", "B", "a", "A", "p", "q", "i", "ap", "z")
VALUES: Final = len(_VALUE_NAMES)
_SLOTS: Final = 64


def _field_table() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], np.uint64]:
    """Find the bits of the hashes that tell all names apart: name and place by slot, and the shift to that slot."""
    names = [name_hash(name) for name in (*_NUMBER_NAMES, *_VALUE_NAMES)]
    for shift in range(58):
        slots = [(int(name) >> shift) % _SLOTS for name in names]
        if len(set(slots)) == len(names):
            keys, places = np.zeros(_SLOTS, dtype=np.uint64), np.full(_SLOTS, -1, dtype=np.int64)
            keys[slots], places[slots] = names, np.arange(len(names))
            return keys, places, np.uint64(shift)
    raise AssertionError(
        "expected 6 bits of the hashes that tell the field names apart, was none; enlarge the table"
    )


_FIELD_KEYS, _FIELD_PLACES, _FIELD_SHIFT = _field_table()
_FIELD_MASK: Final = np.uint64(_SLOTS - 1)
_FIRST_VALUE: Final = len(_NUMBER_NAMES)

# Places of the whole numbers; the last four are not numbers of the message but what else was seen.
_EVENT_MS: Final = 0
TIME_MS: Final = 1
FIRST: Final = 2
FINAL: Final = 3
PREVIOUS: Final = 4
REST_ID: Final = 5
SYMBOL_START: Final = 6
SYMBOL_STOP: Final = 7
SIGN: Final = 8
STREAM_NAME: Final = 9
NUMBERS: Final = 10
# Places of the decimal values.
BID: Final = 0
BID_SIZE: Final = 1
ASK: Final = 2
ASK_SIZE: Final = 3
PRICE: Final = 4
QUANTITY: Final = 5
INDEX_PRICE: Final = 6
AVERAGE_PRICE: Final = 7
FILLED: Final = 8

_T: Final = 116
_S: Final = 83
_AT: Final = 64
_D: Final = 100
_H: Final = 104
_DIGIT_ONE: Final = 49
_DIGIT_NINE: Final = 57
ABSENT: Final = -1
FROM_TRADE: Final = 1
FROM_AGGREGATE: Final = 2


@njit(cache=True)
def new_fields() -> tuple[Counts, Values]:
    """Return places for the whole numbers and the values of a message."""
    return np.empty(NUMBERS, dtype=np.int64), np.empty(VALUES, dtype=np.float64)


@njit(cache=True)
def reset_fields(numbers: Counts, values: Values) -> None:
    """Empty the places for the next message: numbers and values are -1 where absent."""
    for k in range(NUMBERS):
        numbers[k] = ABSENT if k < SYMBOL_START else 0
    for k in range(VALUES):
        values[k] = -1.0


@njit(cache=True)
def is_partial(buf: Bytes, numbers: Counts) -> bool:
    """Say whether the stream's name is one of partial depth: `…@depth` and a digit."""
    start = numbers[STREAM_NAME]
    if start <= 0:
        return False
    for i in range(start, skip_value(buf, start) - 6):
        if buf[i] == _AT and buf[i + 1] == _D and buf[i + 5] == _H:
            return bool(_DIGIT_ONE <= buf[i + 6] <= _DIGIT_NINE)
    return False


@njit(cache=True)
def _field_place(key: np.uint64) -> int:
    """Place of a number or value by its name's hash, -1 for other names."""
    slot = np.int64((key >> _FIELD_SHIFT) & _FIELD_MASK)
    return int(_FIELD_PLACES[slot]) if _FIELD_KEYS[slot] == key else -1


@njit(cache=True)
def _number_field(buf: Bytes, i: int, place: int, numbers: Counts, values: Values) -> int:
    """Read a number or value into its place; returns the next position."""
    if place < _FIRST_VALUE:
        numbers[place], i = whole_number(buf, i)
    else:
        values[place - _FIRST_VALUE], i = decimal(buf, i)
    return i


@njit(cache=True)
def _text_field(buf: Bytes, i: int, key: np.uint64, numbers: Counts) -> None:
    """Note a text or truth value if it is one that is wanted; the caller skips it either way."""
    if key == _SYMBOL and buf[i] == QUOTE:
        numbers[SYMBOL_START] = i + 1
        numbers[SYMBOL_STOP] = skip_value(buf, i) - 1
    elif key == _MAKER:
        numbers[SIGN] = -1 if buf[i] == _T else 1
    elif key == _SIDE:
        numbers[SIGN] = -1 if buf[i + 1] == _S else 1
    elif key == _STREAM:
        numbers[STREAM_NAME] = i


@njit(cache=True)
def _levels(buf: Bytes, i: int, key: np.uint64, out: Events, n: int, local_ts: int) -> tuple[int, int]:
    """Read the levels of a side into rows, skip any other array or object."""
    if key == _BIDS or key == _REST_BIDS:  # noqa: SIM109
        return price_levels(buf, i, out, n, local_ts, DEPTH, 1)
    if key == _ASKS or key == _REST_ASKS:  # noqa: SIM109
        return price_levels(buf, i, out, n, local_ts, DEPTH, -1)
    return skip_value(buf, i), n


@njit(cache=True)
def read_fields(
    buf: Bytes, i: int, out: Events, n: int, local_ts: int, numbers: Counts, values: Values
) -> tuple[int, int, np.uint64]:
    """Read a message with its wrappings flattened: next position, next row, hash of the event's name."""
    event = END_OF_OBJECT
    nested = 1
    i = i + 1 if buf[i] == OBJECT else -1
    while i >= 0:
        key, i = next_key(buf, i)
        if i < 0:
            break
        if key == END_OF_OBJECT:
            nested -= 1
            if nested == 0:
                break
        elif buf[i] == ARRAY or buf[i] == OBJECT:
            if buf[i] == OBJECT and (key == _DATA or key == _ORDER):  # noqa: SIM109
                nested += 1
                i += 1
            else:
                i, n = _levels(buf, i, key, out, n, local_ts)
        elif key == _EVENT:
            end = skip_value(buf, i)
            event = span_hash(buf, i + 1, end - 1)
            i = end
        else:
            place = _field_place(key)
            if place >= 0:
                i = _number_field(buf, i, place, numbers, values)
            else:
                _text_field(buf, i, key, numbers)
                i = skip_value(buf, i)
    return i, n, event


@njit(cache=True)
def venue_time_ns(numbers: Counts) -> int:
    """Venue time in nanoseconds from milliseconds or microseconds, 0 where there is none."""
    stamp = numbers[TIME_MS] if numbers[TIME_MS] > 0 else numbers[_EVENT_MS]
    if stamp <= 0:
        return 0
    return int(stamp * 1_000_000) if stamp < 100_000_000_000_000 else int(stamp * 1000)


@njit(cache=True)
def name_event(event: np.uint64, numbers: Counts, values: Values) -> np.uint64:
    """Name the events that do not name themselves: REST snapshots, partial depth and ticks of the spot market."""
    if event == END_OF_OBJECT:
        if numbers[REST_ID] >= 0:
            return LAST_UPDATE
        if values[BID_SIZE] >= 0.0 and values[ASK_SIZE] >= 0.0:
            return BOOK_TICKER
    return event


@njit(cache=True)
def is_whole(event: np.uint64, numbers: Counts, values: Values) -> bool:
    """Say whether a message has the fields its event needs."""
    if event == DEPTH_UPDATE:
        return bool(numbers[FINAL] >= 0 and (numbers[FIRST] >= 0 or numbers[PREVIOUS] >= 0))
    if event == BOOK_TICKER:
        return bool(numbers[FINAL] >= 0 and values[BID] >= 0.0 and values[ASK] >= 0.0)
    if event == TRADE_EVENT or event == AGGREGATE_EVENT:  # noqa: SIM109
        return bool(numbers[SIGN] != 0 and values[PRICE] >= 0.0 and values[QUANTITY] >= 0.0)
    if event == FORCE_EVENT:
        return bool(numbers[SIGN] != 0 and values[PRICE] > 0.0 and values[QUANTITY] > 0.0)
    return True
