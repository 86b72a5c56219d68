"""Marts of an executor's journal, written straight into a lake: what the learning assets read."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from hean_pipelines.defs.learning.definitions import learning_definitions
from hean_pipelines.defs.learning.regime_matrix import matrix_definitions
from hean_pipelines.resources.products import Products
from hean_pipelines.resources.registry import Registry
from hean_pipelines.settings import PipelineSettings, load_settings

DAY_NS = 86_400_000_000_000
NOW_NS = 20_000 * DAY_NS
LOCAL = "http://127.0.0.1:9"
SCHEMA = {
    "trade_id": pl.String,
    "strategy": pl.String,
    "symbol": pl.String,
    "regime": pl.String,
    "mode": pl.String,
    "blocked_by": pl.String,
    "entry_ns": pl.Int64,
    "exit_ns": pl.Int64,
    "pnl_usd": pl.Float64,
    "pnl_bps": pl.Float64,
}


def settings_of(home: Path, **changes: Any) -> PipelineSettings:
    return load_settings(home=home, partitions_start=date(2024, 1, 1), **changes)


def rows(
    pnl_bps: Any, mode: str = "shadow", strategy: str = "S5", blocked_by: str | None = None
) -> pl.DataFrame:
    """Trades over the last ten days."""
    results = np.asarray(pnl_bps, dtype=np.float64)
    n = len(results)
    exits = NOW_NS - (np.linspace(10.0, 0.01, n) * DAY_NS).astype(np.int64)
    columns = {
        "trade_id": [f"{strategy}-{mode}-{blocked_by}-{k}" for k in range(n)],
        "strategy": [strategy] * n,
        "symbol": ["BTCUSDT"] * n,
        "regime": ["RANGE" if k % 2 else "IMPULSE" for k in range(n)],
        "mode": [mode] * n,
        "blocked_by": [blocked_by] * n,
        "entry_ns": exits - 60_000_000_000,
        "exit_ns": exits,
        "pnl_usd": results / 100.0,
        "pnl_bps": results,
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def write_marts(
    settings: PipelineSettings, *trades: pl.DataFrame, now_ns: int = NOW_NS, equity_usd: float = 5000.0
) -> Products:
    products = Products(settings.lake_root)
    frame = pl.concat(trades) if trades else pl.DataFrame(schema=SCHEMA)
    products.write(products.mart("mart_hean__learning_trades"), frame)
    products.write(products.mart("mart_hean__trades"), frame)
    stamps = pl.DataFrame({"at_ns": [now_ns] if now_ns else []}, schema={"at_ns": pl.Int64})
    events = stamps.with_columns(kind=pl.lit("start"), body=pl.lit("{}"))
    products.write(products.mart("mart_hean__events"), events)
    products.write(products.mart("mart_hean__equity"), stamps.with_columns(equity_usd=pl.lit(equity_usd)))
    return products


def turn(settings: PipelineSettings, *, allow_synthetic_evidence: bool = False) -> dict[str, dict[str, Any]]:
    """One turn of all learning assets; returns their metadata by asset."""
    registry = Registry.from_settings(settings)
    definitions = dg.Definitions.merge(
        learning_definitions(settings, registry, allow_synthetic_evidence),
        matrix_definitions(settings, registry),
    )
    done = dg.materialize(list(definitions.assets or []))
    assert done.success
    return {
        event.materialization.asset_key.to_user_string(): {
            key: value.value for key, value in event.materialization.metadata.items()
        }
        for event in done.get_asset_materialization_events()
    }
