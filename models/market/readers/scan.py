"""A compiled scanner of JSON lines: just enough of JSON to read venue messages without building objects.

Every function takes the bytes, a position, and returns the next position, -1 on malformed input. A line ends with a
newline, which cannot occur inside JSON text as venues send it, so no function ever looks past the line: the caller
must only see to it that the buffer ends with a newline.

Keys are compared by 64-bit FNV-1a hashes computed at import. What does not belong here: what a message means.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from models.market.tape import Events

Bytes = npt.NDArray[np.uint8]

NEWLINE: Final = 10
SPACE: Final = 32
QUOTE: Final = 34
COMMA: Final = 44
COLON: Final = 58
ARRAY: Final = 91
BACKSLASH: Final = 92
ARRAY_END: Final = 93
OBJECT: Final = 123
OBJECT_END: Final = 125
_MINUS: Final = 45
_PLUS: Final = 43
_POINT: Final = 46
_ZERO: Final = 48
_NINE: Final = 57
_UPPER_E: Final = 69
_LOWER_E: Final = 101

_FNV_START: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
_POWERS: Final = np.array([10.0**k for k in range(23)])
_MAX_MANTISSA: Final = 10**17
END_OF_OBJECT: Final = np.uint64(0)
"""What `next_key` returns instead of a key's hash after the last one."""


def name_hash(name: str) -> np.uint64:
    """Return the hash by which the scanner knows a key or a word."""
    value = int(_FNV_START)
    for byte in name.encode():
        value = ((value ^ byte) * int(_FNV_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return np.uint64(value)


@njit(cache=True)
def span_hash(buf: Bytes, start: int, stop: int) -> np.uint64:
    """Return the hash of `buf[start:stop]`."""
    value = _FNV_START
    for i in range(start, stop):
        value = (value ^ np.uint64(buf[i])) * _FNV_PRIME
    return value


@njit(cache=True)
def skip_space(buf: Bytes, i: int) -> int:
    """Return the position of the next byte that is no blank."""
    while buf[i] == SPACE or buf[i] == 9 or buf[i] == 13:
        i += 1
    return i


@njit(cache=True)
def string_end(buf: Bytes, i: int) -> int:
    """Return the position of the quote that closes the string whose first byte is at `i`."""
    while True:
        byte = buf[i]
        if byte == QUOTE:
            return i
        if byte == NEWLINE:
            return -1
        if byte == BACKSLASH:
            i += 1
            if buf[i] == NEWLINE:
                return -1
        i += 1


@njit(cache=True)
def _skip_scalar(buf: Bytes, i: int) -> int:
    start = i
    while True:
        byte = buf[i]
        if byte == NEWLINE or byte == COMMA or byte == OBJECT_END or byte == ARRAY_END:  # noqa: SIM109
            return i if i > start else -1
        i += 1


@njit(cache=True)
def skip_value(buf: Bytes, i: int) -> int:
    """Return the position after the JSON value at `i`."""
    byte = buf[i]
    if byte != OBJECT and byte != ARRAY:
        if byte != QUOTE:
            return _skip_scalar(buf, i)
        end = string_end(buf, i + 1)
        return end + 1 if end >= 0 else -1
    depth = 0
    while True:
        byte = buf[i]
        if byte == QUOTE:
            i = string_end(buf, i + 1)
            if i < 0:
                return -1
        elif byte == OBJECT or byte == ARRAY:  # noqa: SIM109
            depth += 1
        elif byte == OBJECT_END or byte == ARRAY_END:  # noqa: SIM109
            depth -= 1
            if depth == 0:
                return i + 1
        elif byte == NEWLINE:
            return -1
        i += 1


@njit(cache=True)
def next_key(buf: Bytes, i: int) -> tuple[np.uint64, int]:
    """Read the next key of an object; `i` is after its brace or after a value.

    Returns
    -------
    tuple of hash and position
        Position of the key's value; after the closing brace with `END_OF_OBJECT`.

    """
    i = skip_space(buf, i)
    if buf[i] == COMMA:
        i = skip_space(buf, i + 1)
    if buf[i] == OBJECT_END:
        return END_OF_OBJECT, i + 1
    if buf[i] != QUOTE:
        return END_OF_OBJECT, -1
    value = _FNV_START
    i += 1
    while buf[i] != QUOTE:
        if buf[i] == NEWLINE:
            return END_OF_OBJECT, -1
        value = (value ^ np.uint64(buf[i])) * _FNV_PRIME
        i += 1
    i = skip_space(buf, i + 1)
    if buf[i] != COLON:
        return END_OF_OBJECT, -1
    return value, skip_space(buf, i + 1)


@njit(cache=True)
def whole_number(buf: Bytes, i: int) -> tuple[int, int]:
    """Read an integer, quoted or not."""
    if buf[i] == QUOTE:
        i += 1
    negative = buf[i] == _MINUS
    if negative:
        i += 1
    start = i
    value = 0
    while _ZERO <= buf[i] <= _NINE:
        value = value * 10 + int(np.int64(buf[i]) - _ZERO)
        i += 1
    if i == start:
        return 0, -1
    if buf[i] == QUOTE:
        i += 1
    return (-value if negative else value), i


@njit(cache=True)
def _scaled(mantissa: int, exponent: int) -> float:
    # Exact for a mantissa below 2**53 and |exponent| <= 22, which is every price a venue quotes; else within 2 ulp.
    value = float(mantissa)
    while exponent < -22:
        value /= 1e22
        exponent += 22
    while exponent > 22:
        value *= 1e22
        exponent -= 22
    if exponent < 0:
        return float(value / _POWERS[-exponent])
    return float(value * _POWERS[exponent])


@njit(cache=True)
def _exponent(buf: Bytes, i: int) -> tuple[int, int]:
    """Read what follows an `e`."""
    if buf[i] == _PLUS:
        i += 1
    value, after = whole_number(buf, i)
    if value > 400 or value < -400:
        return 0, -1
    return value, after


@njit(cache=True)
def _digits(buf: Bytes, i: int) -> tuple[int, int, int, int]:
    """Read digits with at most one point: mantissa, exponent, number of digits, position after them."""
    mantissa = 0
    exponent = 0
    seen = 0
    point = 0
    while True:
        byte = buf[i]
        if _ZERO <= byte <= _NINE:
            seen += 1
            if mantissa < _MAX_MANTISSA:
                mantissa = mantissa * 10 + int(np.int64(byte) - _ZERO)
                exponent -= point
            else:
                exponent += 1 - point
        elif byte == _POINT and point == 0:
            point = 1
        else:
            return mantissa, exponent, seen, i
        i += 1


@njit(cache=True)
def decimal(buf: Bytes, i: int) -> tuple[float, int]:
    """Read a decimal number, quoted or not; an empty string is malformed."""
    quoted = buf[i] == QUOTE
    if quoted:
        i += 1
    negative = buf[i] == _MINUS
    if negative:
        i += 1
    mantissa, exponent, seen, i = _digits(buf, i)
    if seen == 0:
        return np.nan, -1
    if buf[i] == _LOWER_E or buf[i] == _UPPER_E:
        power, i = _exponent(buf, i + 1)
        if i < 0:
            return np.nan, -1
        # An exponent read from a quoted number has taken the closing quote with it.
        exponent += power
        quoted = False
    value = _scaled(mantissa, exponent)
    if quoted:
        if buf[i] != QUOTE:
            return np.nan, -1
        i += 1
    return (-value if negative else value), i


@njit(cache=True)
def put(
    out: Events, n: int, local_ts: int, exch_ts: int, kind: int, side: int, price: float, size: float
) -> int:
    """Write one event at row `n`; returns the next row."""
    row = out[n]
    row.local_ts = local_ts
    row.exch_ts = exch_ts
    row.kind = kind
    row.side = side
    row.price = price
    row.size = size
    return n + 1


@njit(cache=True)
def price_levels(
    buf: Bytes, i: int, out: Events, n: int, local_ts: int, kind: int, side: int
) -> tuple[int, int]:
    """Read `[["price","size"],…]` into rows; returns next position and next row. The caller sets `exch_ts`."""
    if buf[i] != ARRAY:
        return -1, n
    i = skip_space(buf, i + 1)
    while buf[i] != ARRAY_END:
        if buf[i] != ARRAY:
            return -1, n
        price, i = decimal(buf, skip_space(buf, i + 1))
        if i < 0 or buf[i] != COMMA:
            return -1, n
        size, i = decimal(buf, skip_space(buf, i + 1))
        if i < 0 or buf[i] != ARRAY_END:
            return -1, n
        n = put(out, n, local_ts, 0, kind, side, price, size)
        i = skip_space(buf, i + 1)
        if buf[i] == COMMA:
            i = skip_space(buf, i + 1)
    return i + 1, n
