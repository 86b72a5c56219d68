"""The learning asset: trades in a mart, a registered matrix out."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import polars as pl

from hean_pipelines.defs.learning.regime_matrix import matrix_definitions, read_trades
from hean_pipelines.resources.products import Products
from hean_pipelines.resources.registry import Registry
from hean_pipelines.settings import PipelineSettings
from models.bundle import verify_bundle
from models.portfolio.regime_matrix import from_files
from tests.pipelines.training.lake_of_marts import settings_at

SCHEMA = {
    "strategy": pl.String,
    "regime": pl.String,
    "mode": pl.String,
    "exit_ns": pl.Int64,
    "pnl_usd": pl.Float64,
}


def trades(*rows: tuple[str, str | None, str, int, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def materialise(settings: PipelineSettings, frame: pl.DataFrame) -> dg.ExecuteInProcessResult:
    products = Products(settings.lake_root)
    products.write(products.mart("mart_hean__trades"), frame)
    registry = Registry.from_settings(settings)
    return dg.materialize(list(matrix_definitions(settings, registry).assets or []))


def test_trades_become_a_verified_bundle_under_the_alias(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    rows = [("S1", "RANGE", "shadow", n, 1.0 if n % 3 else -1.0) for n in range(20)]
    assert materialise(settings, trades(*rows)).success
    registry = Registry.from_settings(settings)
    version = registry.alias_version("hean-regime-matrix", "champion")
    assert version == 1
    files = registry.download_bundle("hean-regime-matrix", version)
    assert verify_bundle(files).kind == "regime_matrix"
    cell = from_files(files)[("S1", "RANGE")]
    assert cell.n == 20
    assert pl.read_parquet(Products(settings.lake_root).matrix).height == 1


def test_no_trades_registers_nothing(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    assert materialise(settings, trades()).success
    assert Registry.from_settings(settings).alias_version("hean-regime-matrix", "champion") is None


def test_live_trades_displace_shadow_trades_of_the_same_cell() -> None:
    frame = trades(
        ("S1", "RANGE", "shadow", 1, 5.0),
        ("S1", "RANGE", "live", 2, -1.0),
        ("S1", None, "shadow", 3, 2.0),
        ("S1", "RANGE", "live", 4, None),
    )
    kept = read_trades(frame)
    assert [(t.regime, t.pnl_usd) for t in kept] == [("RANGE", -1.0), ("UNKNOWN", 2.0)]
