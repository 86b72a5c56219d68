"""Hand-made markets for the tests of strategies' rules: one valid record, changed by name."""

from __future__ import annotations

import numpy as np

from models.market.record import new_market

START_NS = 1_736_000_000 * 1_000_000_000


def market(at_s: float, mid: float = 100.0, spread_bps: float = 1.0, **fields: float) -> np.record:
    """Return a market with a valid book about `mid` at `at_s` seconds; anything else by the name of its field."""
    row = new_market()
    row.tick_at_ns = row.now_ns = START_NS + round(at_s * 1e9)
    row.mid, row.spread_bps, row.valid = mid, spread_bps, 1
    row.best_bid, row.best_ask = mid * (1 - 0.5e-4 * spread_bps), mid * (1 + 0.5e-4 * spread_bps)
    for name, value in fields.items():
        setattr(row, name, value)
    return row
