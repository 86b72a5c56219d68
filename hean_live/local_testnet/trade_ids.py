"""Ids of public trades: the same over REST and on sockets.

Here belongs how a trade's id follows from what and which it is.
"""

from __future__ import annotations

import zlib


def salt_of(category: str, symbol: str) -> int:
    """Return the number that tells the trades of one symbol from those of another."""
    return zlib.crc32(f"{category} {symbol}".encode()) << 32


def trade_id(category: str, symbol: str, number: int) -> str:
    """Return the id of a symbol's trade with that number."""
    from models.simulation.ticks.text import id_of  # compiled: imported where it is needed

    return id_of(salt_of(category, symbol), number)
