"""E4 on closed trades: counting, verdict and what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import polars as pl

from hean_pipelines.defs.evidence.regime_claim import cell_records, regime_claim_definitions
from hean_pipelines.resources.products import Products
from tests.pipelines.learning.marts import LOCAL, SCHEMA, settings_of, write_marts

MINUTE_NS = 60_000_000_000


def trade(
    n: int,
    regime: str | None,
    pnl_usd: float,
    mode: str = "shadow",
    minutes: float = 1.0,
    strategy: str = "S1",
) -> dict:
    entry_ns = n * 10 * MINUTE_NS
    return {
        "trade_id": f"{strategy}{n}{mode}{regime}",
        "strategy": strategy,
        "symbol": "BTCUSDT",
        "regime": regime,
        "mode": mode,
        "blocked_by": None,
        "entry_ns": entry_ns,
        "exit_ns": entry_ns + int(minutes * MINUTE_NS),
        "pnl_usd": pnl_usd,
        "pnl_bps": pnl_usd,
    }


def frame(*trades: dict) -> pl.DataFrame:
    return pl.DataFrame(list(trades), schema=SCHEMA)


def test_cells_count_live_before_shadow_and_overlaps_once() -> None:
    found = cell_records(
        frame(
            trade(1, "RANGE", 1.0),
            trade(2, "RANGE", 2.0, minutes=15.0),
            trade(3, "IMPULSE", -3.0),  # overlaps the one before: together they lost
            trade(5, None, 1.0, mode="live"),
            trade(6, None, 9.0),
        )
    )
    cells = {(c.strategy, c.regime): (c.wins, c.trades) for c in found}
    assert cells == {("funding_pressure", "RANGE"): (1, 2), ("funding_pressure", "UNKNOWN"): (1, 1)}


def run(home: Path, trades: pl.DataFrame, **changes: object) -> dict:
    settings = settings_of(home, **changes)
    write_marts(settings, trades)
    done = dg.materialize(list(regime_claim_definitions(settings).assets or []))
    assert done.success
    assert all(check.passed for check in done.get_asset_check_evaluations())
    [event] = done.get_asset_materialization_events()
    assert "data:image/png" in str(event.materialization.metadata["picture"].value)
    return json.loads(Products(settings.lake_root).study("E4").read_text())


def test_a_plain_difference_passes_and_names_its_market(tmp_path: Path) -> None:
    wins = [trade(n, "RANGE", 1.0 if n % 10 < 8 else -1.0) for n in range(200)]
    losses = [trade(n + 200, "IMPULSE", 1.0 if n % 10 < 2 else -1.0) for n in range(200)]
    body = run(tmp_path / "a", frame(*wins, *losses))
    assert (body["verdict"], body["n"], body["market"]["kind"]) == ("passed", 400, "recorded")
    assert body["estimate"] > 0.99
    assert run(tmp_path / "b", frame(*wins, *losses), venue_url=LOCAL)["market"]["kind"] == "synthetic"


def test_no_trades_are_not_enough(tmp_path: Path) -> None:
    body = run(tmp_path, frame())
    assert (body["verdict"], body["estimate"], body["passed"]) == ("not enough data", None, False)
