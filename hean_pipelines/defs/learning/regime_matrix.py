"""Asset `model_hean__regime_matrix`: M3, computed from closed trades, registered, and handed back to the executor.

Here belong reading trades, registering and drawing; the matrix is `models.portfolio.regime_matrix`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.resources.registry import POOL, Registry

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.settings import PipelineSettings
    from models.portfolio.regime_matrix import Cell

NAME = "model_hean__regime_matrix"
REGISTERED = "hean-regime-matrix"
EXPERIMENT = "hean-regime-matrix"


def matrix_figure(cells: "Sequence[Cell]") -> bytes:
    """Draw expected value by strategy and regime with the number of trades and P(EV > 0); PNG."""
    import numpy as np

    from hean_pipelines.plots import new_figure, png_bytes

    strategies = sorted({c.strategy for c in cells})
    regimes = sorted({c.regime for c in cells})
    grid = np.full((max(len(strategies), 1), max(len(regimes), 1)), np.nan)
    figure = new_figure(2.0 + 1.6 * max(len(regimes), 1), 1.4 + 0.8 * max(len(strategies), 1))
    axis = figure.subplots()
    for c in cells:
        grid[strategies.index(c.strategy), regimes.index(c.regime)] = c.ev_shrunk_usd
    limit = float(np.nanmax(np.abs(grid))) if cells else 1.0
    axis.imshow(grid, cmap="RdYlGn", vmin=-limit or -1.0, vmax=limit or 1.0, aspect="auto")
    for c in cells:
        text = f"{c.ev_shrunk_usd:+.3f} $\nn={c.n}\nP(EV>0)={c.p_ev_positive:.2f}"
        axis.text(
            regimes.index(c.regime), strategies.index(c.strategy), text, ha="center", va="center", fontsize=7
        )
    axis.set_xticks(range(len(regimes)), regimes, fontsize=7, rotation=15)
    axis.set_yticks(range(len(strategies)), strategies, fontsize=7)
    return png_bytes(figure)


def cells_frame(cells: "Sequence[Cell]") -> "pl.DataFrame":
    """Return the matrix as a frame, one row a cell."""
    import polars as pl

    columns = [
        "strategy",
        "regime",
        "n",
        "win_rate",
        "mean_win_usd",
        "mean_loss_usd",
        "win_rate_low",
        "win_rate_high",
    ]
    columns += ["ev_usd", "ev_shrunk_usd", "ev_sd_usd", "p_ev_positive"]
    columns += ["win_rate_shrunk", "mean_win_shrunk_usd", "mean_loss_shrunk_usd"]
    kinds = {name: pl.Float64() for name in columns} | {
        "strategy": pl.String(),
        "regime": pl.String(),
        "n": pl.Int64(),
    }
    return pl.DataFrame([asdict(c) for c in cells], schema=kinds)


def matrix_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return the matrix asset."""

    @dg.asset(
        name=NAME,
        group_name="learning",
        kinds={"mlflow"},
        deps=[dg.AssetKey("mart_hean__trades")],
        pool=POOL,
        description="M3: win rate and expected value of each strategy in each regime over its last 50 trades, shrunk so that "
        "few trades do not look sure; live trades where a cell has any, shadow trades otherwise.",
    )
    def regime_matrix(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products
        from hean_pipelines.versions import code_version
        from models.portfolio.regime_matrix import build_matrix

        products = Products(settings.lake_root)
        trades = read_trades(products.read_mart("mart_hean__trades"))
        cells = build_matrix(trades)
        products.write(products.matrix, cells_frame(cells))
        if not cells:
            return dg.MaterializeResult(
                metadata={"cells": 0, "note": "no closed trades yet; nothing registered"}
            )
        picture = matrix_figure(cells)
        version = _register(
            registry, context.run.run_id, cells, max(t.exit_ns for t in trades), picture, code_version()
        )
        return dg.MaterializeResult(
            metadata={
                "cells": len(cells),
                "trades": len(trades),
                "version": version,
                "matrix": dg.MetadataValue.json([asdict(c) for c in cells]),
                "picture": dg.MetadataValue.md(
                    markdown_image(picture, "expected value by strategy and regime")
                ),
            }
        )

    return dg.Definitions(assets=[regime_matrix])


def read_trades(frame: "pl.DataFrame") -> list:  # type: ignore[type-arg]
    """Return the trades that count: a cell's live ones where it has any, else its shadow ones."""
    import polars as pl

    from models.portfolio.regime_matrix import Trade

    named = frame.with_columns(pl.col("regime").fill_null("UNKNOWN"))
    has_live = (pl.col("mode") == "live").any().over("strategy", "regime")
    counted = named.filter(pl.col("pnl_usd").is_not_null() & ((pl.col("mode") == "live") | ~has_live)).sort(
        "exit_ns"
    )
    return [Trade(*row) for row in counted.select("strategy", "regime", "exit_ns", "pnl_usd").iter_rows()]


def _register(
    registry: Registry, run_id: str, cells: "Sequence[Cell]", through_ns: int, picture: bytes, code: str
) -> int:
    import hashlib

    from models.bundle import build_bundle
    from models.portfolio.regime_matrix import to_files

    contents = to_files(cells)
    data = hashlib.sha256(contents["matrix.json"]).hexdigest()[:16]
    files = build_bundle(
        contents,
        name=REGISTERED,
        kind="regime_matrix",
        feature_spec_hash="",
        trained_through_ns=through_ns,
        expires_at_ns=2**62,  # past trades do not go stale; the next matrix replaces it
        code_version=code,
        data_version=data,
    )
    metrics = {f"ev_usd_{c.strategy}_{c.regime}": c.ev_shrunk_usd for c in cells}
    with registry.start_run(
        EXPERIMENT,
        "regime_matrix",
        data_version=data,
        code_version=code,
        dagster_run_id=run_id,
        params={"cells": len(cells)},
        metrics=metrics,
        figures={"matrix": picture},
    ) as run:
        version = registry.log_bundle(REGISTERED, files, run_id=run.run_id)
    registry.set_alias(REGISTERED, "champion", version)
    return version
