"""Trades made by hand or by chance for the tests of the loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.learning.trades import DAY_NS, TradeTable, table_of

NOW_NS = 1_000 * DAY_NS


def trades(
    pnl_bps: Any,
    *,
    strategy: str = "impulse_engine",
    symbol: str = "BTCUSDT",
    is_live: bool = False,
    blocked_by: str = "",
    days: float = 10.0,
    hold_s: int = 60,
    hour: int | None = None,
) -> TradeTable:
    """Trades spread evenly over the last days; `hour` puts every entry into that hour of its day."""
    results = np.asarray(pnl_bps, dtype=np.float64)
    n = len(results)
    exits = NOW_NS - (np.linspace(days, 0.01, n) * DAY_NS).astype(np.int64)
    entries = exits - hold_s * 1_000_000_000
    if hour is not None:
        entries = entries // DAY_NS * DAY_NS + hour * DAY_NS // 24 + np.arange(n) * 1_000_000
        exits = entries + hold_s * 1_000_000_000
    return table_of(
        {
            "strategy": [strategy] * n,
            "symbol": [symbol] * n,
            "is_live": [is_live] * n,
            "blocked_by": [blocked_by] * n,
            "entry_ns": entries,
            "exit_ns": exits,
            "pnl_bps": results,
            "pnl_usd": results / 100.0,
        }
    )


def together(*tables: TradeTable) -> TradeTable:
    columns = [name for name in TradeTable.__dataclass_fields__]
    return table_of({name: np.concatenate([getattr(each, name) for each in tables]) for name in columns})
