"""The record of a symbol's feed: which of its topics are wanted, what was pushed last, what waits to be pushed.

What does not belong here: writing messages (`messages`), deciding when (`feed`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.simulation.ticks.text import text

DEPTHS: Final = (1, 50, 200, 1000)
PUSH_MS: Final = (10, 20, 100, 200)
"""How often a book of each depth is pushed at most, ms, as the venue documents it."""
MAX_DEPTH: Final = 1000
TRADES: Final = 4
LIQUIDATIONS: Final = 5
SLOTS: Final = 6
"""Slots 0 to 3 are the books of `DEPTHS`."""
LIQUIDATION_PUSH_MS: Final = 500
REPEAT_NS: Final = 3_000_000_000
"""Level 1 is pushed again, `u` unchanged, when it has not changed for so long."""
MAX_WAITING: Final = 256
NEVER: Final = 1 << 62
SYMBOL_BYTES: Final = 32

FEED: Final = np.dtype(
    [
        ("symbol", np.uint8, (SYMBOL_BYTES,)),
        ("symbol_bytes", np.int64),
        ("salt", np.uint64),
        ("price_decimals", np.int64),
        ("size_decimals", np.int64),
        ("tick_units", np.int64),
        ("spot", np.uint8),
        ("numbered", np.uint8),
        ("wanted", np.uint8, (SLOTS,)),
        ("dirty", np.uint8, (4,)),
        ("due", np.int64, (4,)),
        ("pushed_ns", np.int64, (4,)),
        ("update", np.int64, (4,)),
        ("liquidations_due", np.int64),
        ("waiting", np.int64),
        ("waiting_ts", np.int64, (MAX_WAITING,)),
        ("waiting_side", np.int64, (MAX_WAITING,)),
        ("waiting_price", np.float64, (MAX_WAITING,)),
        ("waiting_size", np.float64, (MAX_WAITING,)),
        ("sequence", np.int64),
        ("trades", np.int64),
        ("last", np.float64),
        ("direction", np.int64),
        ("levels", np.int64, (4, 2)),
        ("keys", np.int64, (4, 2, MAX_DEPTH)),
        ("sizes", np.float64, (4, 2, MAX_DEPTH)),
    ],
    align=True,
)
"""One feed. `levels`, `keys` and `sizes` are the books as last pushed, best first; a key is the tick of a bid, minus the
tick of an ask. `tick_units` is the price step in units of the last decimal. `waiting_*` are liquidations until their push,
sides those of the forced orders. `sequence`, `trades`, `last`, `direction` follow the symbol's own counters; where
`numbered`, a trade's number is in its event's `local_ts` instead."""


def new_feed(
    symbol: str,
    *,
    salt: int,
    price_decimals: int,
    size_decimals: int,
    tick_units: int,
    spot: bool,
    numbered: bool,
) -> NDArray[np.void]:
    """Return a feed nobody wants anything of, as an array of one."""
    feed = np.zeros(1, dtype=FEED).view(np.recarray)
    name = text(symbol)
    feed["symbol"][0, : name.size] = name
    feed["symbol_bytes"] = name.size
    feed["salt"] = np.uint64(salt)
    feed["price_decimals"] = price_decimals
    feed["size_decimals"] = size_decimals
    feed["tick_units"] = tick_units
    feed["spot"] = spot
    feed["numbered"] = numbered
    feed["due"] = NEVER
    feed["liquidations_due"] = NEVER
    return feed
