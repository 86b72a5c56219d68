"""What the demo leaves behind for machines: `summary.json` and `predictions.parquet`, and the table for people.

Here belongs reading results off the files and the journal the demo's commands made; nothing is computed anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_schemas import MARKET_DATASETS
from hean_pipelines.resources.products import Products

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from hean_pipelines.demo.children import Usage
    from hean_pipelines.demo.plan import Plan

PREDICTION_COLUMNS = (
    "symbol",
    "settlement_ts",
    "horizon_min",
    "made_at",
    "model",
    "predicted",
    "q05",
    "q50",
    "q95",
    "realised",
)


def write_predictions(home: Path) -> int:
    """Write `predictions.parquet`, out of sample only, and return its number of rows."""
    products = Products(home / "lake")
    frame = products.read(products.out_of_sample, "the train stage makes it").select(PREDICTION_COLUMNS)
    products.write(home / "predictions.parquet", frame)
    return frame.height


def summarise(home: Path, plan: Plan, stages: dict[str, Usage], report: Path) -> dict[str, Any]:
    """Collect the demo's results.

    Parameters
    ----------
    home : Path
        The demo's own home folder.
    plan : Plan
    stages : dict of str to Usage
        Time and memory by stage.
    report : Path
        The HTML page.

    Returns
    -------
    dict
        JSON-ready; R² of a candidate that has too few forecasts is absent.

    """
    import polars as pl

    products = Products(home / "lake")
    lake = Lake(home / "lake")
    scores = products.read(products.scores, "the train stage makes it")
    r2: dict[str, dict[str, dict[str, float]]] = {}
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for row in scores.filter(pl.col("r2").is_finite()).iter_rows(named=True):
        horizon = str(row["horizon_min"])
        r2.setdefault(row["symbol"], {}).setdefault(horizon, {})[row["model"]] = round(row["r2"], 6)
        counts.setdefault(row["symbol"], {}).setdefault(horizon, {})[row["model"]] = row["n"]
    champion = products.read_json(products.champion) or {}
    own_rows = _on_own_settlements(
        products.read(products.out_of_sample, "the train stage makes it"), champion.get("name")
    )
    return {
        "market": plan.market,
        "symbols": list(plan.symbols),
        "first_day": plan.first_day.isoformat(),
        "market_now": plan.now.isoformat(),
        "rows_ingested": {name: lake.row_count(name) for name in MARKET_DATASETS},
        "r2_out_of_sample": r2,
        "r2_on_champions_settlements": own_rows,
        "settlements_out_of_sample": counts,
        "champion": {
            "name": champion.get("name"),
            "version": champion.get("version"),
            "registered_model": champion.get("registered_model"),
            "reason": champion.get("promotion", {}).get("reason"),
        },
        "evidence": {
            "E1": {k: v for k, v in (products.read_json(products.premium_study) or {}).items() if k != "rows"}
        },
        **trading(home / "journal.sqlite"),
        "seconds": {name: round(usage.seconds, 2) for name, usage in stages.items()},
        "seconds_total": round(sum(usage.seconds for usage in stages.values()), 2),
        "peak_memory_mb": {name: round(usage.peak_mb, 1) for name, usage in stages.items()},
        "report": str(report),
    }


def _on_own_settlements(predictions: pl.DataFrame, champion: str | None) -> dict[str, dict[str, float]]:
    """R² at 90 minutes of every model on the settlements the champion forecast: one symbol, one set of rows."""
    import polars as pl

    key = ["symbol", "settlement_ts"]
    at_90 = predictions.filter(pl.col("horizon_min") == 90)
    rows = at_90.filter(pl.col("model") == champion).select(key)
    error, deviation = (
        pl.col("realised") - pl.col("predicted"),
        pl.col("realised") - pl.col("realised").mean(),
    )
    scored = (
        at_90.join(rows, on=key, how="semi")
        .group_by("symbol", "model")
        .agg((1.0 - (error**2).sum() / (deviation**2).sum()).alias("r2"), pl.len().alias("n"))
        .join(rows.group_by("symbol").agg(pl.len().alias("all")), on="symbol")
        # A model that forecast fewer of them would be judged on easier or harder ones.
        .filter(pl.col("n") == pl.col("all"))
        .sort("symbol", "model")
    )
    out: dict[str, dict[str, float]] = {}
    for row in scored.filter(pl.col("r2").is_finite()).iter_rows(named=True):
        out.setdefault(row["symbol"], {})[row["model"]] = round(row["r2"], 6)
    return out


def trading(journal: Path) -> dict[str, Any]:
    """Count what the executor did, from its journal."""
    if not journal.is_file():
        return {"orders": 0, "fills": 0, "live_trades": 0, "shadow_trades": 0, "signals": 0, "blocks": {}}
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:

        def count(query: str) -> int:
            return int(connection.execute(query).fetchone()[0])

        blocks = connection.execute(
            "select json_extract(body, '$.reason'), count(*) from events where kind = 'block' group by 1 order by 2 desc"
        ).fetchall()
        return {
            "orders": count("select count(*) from orders"),
            "fills": count("select count(*) from fills where kind = 'trade'"),
            "funding_payments": count("select count(*) from fills where kind = 'funding'"),
            "live_trades": count("select count(*) from trades where mode = 'live'"),
            "shadow_trades": count("select count(*) from trades where mode = 'shadow'"),
            "signals": count("select count(*) from events where kind = 'signal'"),
            "forecasts": count("select count(*) from forecasts"),
            "blocks": {str(reason): number for reason, number in blocks},
        }


def people_table(summary: dict[str, Any]) -> Table:
    """Return the short table the demo ends with."""
    from rich.table import Table

    champion = summary["champion"]["name"]
    table = Table(
        title=f"R² of the funding rate, out of sample, 90 minutes before settlement (champion: {champion})"
    )
    shown = ("last_rate", "ewma", "indicative", "structural", "structural_offset", champion)
    models: Sequence[str] = list(dict.fromkeys(m for m in shown if m))
    for column in ("symbol", "settlements", *models):
        table.add_column(column, justify="left" if column == "symbol" else "right", no_wrap=True)
    for symbol, at_90 in summary["r2_on_champions_settlements"].items():
        number = summary["settlements_out_of_sample"].get(symbol, {}).get("90", {}).get(champion, 0)
        cells = [f"{at_90[m]:.3f}" if m in at_90 else "-" for m in models]
        table.add_row(symbol, str(number), *cells)
    return table
