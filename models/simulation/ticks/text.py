"""Compiled writing of JSON and of WebSocket frames into a buffer of bytes.

Here belong digits, quotes and frame heads. What a message says is `messages`'.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_ZERO: Final = 48
_MINUS: Final = 45
_POINT: Final = 46
_DASH: Final = 45
HEAD: Final = 10
"""Bytes kept free before a payload for the longest frame head."""


def text(value: str) -> Bytes:
    """Return ASCII text as the array the compiled functions put."""
    return np.frombuffer(value.encode("ascii"), dtype=np.uint8).copy()


_HEX: Final = text("0123456789abcdef")


@njit(cache=True)
def put(buf: Bytes, n: int, words: Bytes) -> int:
    """Write text at `n`; returns the position after it, as all functions here do."""
    for i in range(words.shape[0]):
        buf[n + i] = words[i]
    return n + int(words.shape[0])


@njit(cache=True)
def put_whole(buf: Bytes, n: int, value: int) -> int:
    """Write a whole number."""
    if value < 0:
        buf[n] = _MINUS
        n += 1
        value = -value
    digits = 1
    rest = value // 10
    while rest > 0:
        rest //= 10
        digits += 1
    for i in range(n + digits - 1, n - 1, -1):
        buf[i] = _ZERO + value % 10
        value //= 10
    return n + digits


@njit(cache=True)
def put_decimal(buf: Bytes, n: int, units: int, decimals: int, strip: bool) -> int:
    """Write ``units / 10**decimals``, not negative, with all its decimals or without zeros at their end."""
    if strip:
        while decimals > 0 and units % 10 == 0:
            units //= 10
            decimals -= 1
    scale = 1
    for _ in range(decimals):
        scale *= 10
    n = put_whole(buf, n, units // scale)
    if decimals == 0:
        return n
    buf[n] = _POINT
    rest = units % scale
    for i in range(n + decimals, n, -1):
        buf[i] = _ZERO + rest % 10
        rest //= 10
    return n + 1 + decimals


@njit(cache=True)
def _mixed(z: np.uint64) -> np.uint64:
    # SplitMix64's mixer (Steele, Lea & Flood 2014): every number gives another id, and the same one always the same.
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def put_id(buf: Bytes, n: int, salt: np.uint64, number: int) -> int:
    """Write a UUID-shaped id of 36 characters that depends on `salt` and `number` only."""
    step = np.uint64(0x9E3779B97F4A7C15)
    counter = salt + np.uint64(2 * number + 1) * step
    words = (_mixed(counter), _mixed(counter + step))
    for k in range(32):
        word = words[0] if k < 16 else words[1]
        if k == 8 or k == 12 or k == 16 or k == 20:
            buf[n] = _DASH
            n += 1
        buf[n] = _HEX[np.int64((word >> np.uint64(60 - 4 * (k % 16))) & np.uint64(15))]
        n += 1
    return n


@njit(cache=True)
def frame_start(buf: Bytes, payload: int, end: int) -> int:
    """Write the head of an unmasked text frame right before its payload; returns where the frame starts."""
    size = end - payload
    if size < 126:
        start = payload - 2
        buf[start + 1] = size
    elif size < 65536:
        start = payload - 4
        buf[start + 1] = 126
        buf[start + 2] = size >> 8
        buf[start + 3] = size & 255
    else:
        start = payload - 10
        buf[start + 1] = 127
        for i in range(8):
            buf[start + 2 + i] = (size >> (8 * (7 - i))) & 255
    buf[start] = 0x81
    return start


def id_of(salt: int, number: int) -> str:
    """Return the id that `put_id` writes."""
    buf = np.empty(36, dtype=np.uint8)
    put_id(buf, 0, np.uint64(salt), number)
    return buf.tobytes().decode()
