"""Asset `evidence_hean__regime_claim`: study E4 on the executor's own closed trades, with its picture and verdict.

Here belongs counting trades, storing and drawing; the statistic is `models.evidence.regime_claim`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from models.evidence.verdict import PASSED

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.settings import PipelineSettings
    from models.evidence.regime_claim import CellRecord, RegimeClaim

NAME = "evidence_hean__regime_claim"
MART = "mart_hean__learning_trades"


def cell_records(frame: "pl.DataFrame") -> "list[CellRecord]":
    """Count trades and wins of each cell; trades of a strategy that overlap in time count as one.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns strategy, regime (null counts as UNKNOWN), mode, entry_ns, exit_ns, pnl_usd.

    Returns
    -------
    list of CellRecord
        A cell counts its live trades where it has any, else its shadow trades, as the matrix does. A group of overlapping trades
        belongs to the regime its first trade was entered in, and wins where it earned in all.

    """
    import polars as pl

    from models.evidence.regime_claim import CellRecord
    from models.learning.roster import canonical

    counts: dict[tuple[str, str], list[int]] = {}
    named = frame.with_columns(
        pl.col("strategy").map_elements(canonical, return_dtype=pl.String),
        pl.col("regime").fill_null("UNKNOWN"),
    )
    has_live = (pl.col("mode") == "live").any().over("strategy", "regime")
    own = named.filter((pl.col("mode") == "live") == has_live)
    for (strategy,), rows in own.sort("entry_ns").group_by("strategy", maintain_order=True):
        for regime, pnl_usd in _groups(rows):
            cell = counts.setdefault((str(strategy), regime), [0, 0])
            cell[0] += pnl_usd > 0.0
            cell[1] += 1
    return [CellRecord(*key, wins, trades) for key, (wins, trades) in sorted(counts.items())]


def _groups(rows: "pl.DataFrame") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    ends_ns = -1
    for regime, entry_ns, exit_ns, pnl_usd in rows.select(
        "regime", "entry_ns", "exit_ns", "pnl_usd"
    ).iter_rows():
        if entry_ns < ends_ns:
            found[-1] = (found[-1][0], found[-1][1] + pnl_usd)
        else:
            found.append((regime, pnl_usd))
        ends_ns = max(ends_ns, exit_ns)
    return found


def claim_body(cells: "Sequence[CellRecord]", claim: "RegimeClaim", kind: str) -> dict[str, Any]:
    """Return the study as JSON, in the form of the others."""
    from hean_pipelines.studies.outcome import without_nan

    known = claim.probability == claim.probability
    words = f"{claim.probability:.3f}" if known else "not known: no strategy has traded in two regimes"
    body = {
        "study": "E4",
        "asks": "some strategy wins more than 60 % in one regime and less than 40 % in another",
        "passed": claim.verdict == PASSED,
        "verdict": claim.verdict,
        "reason": f"probability of the claim {words}, from {claim.trades} trades in {len(cells)} cells",
        "market": {"kind": kind, "name": "the executor's closed trades"},
        "estimate": claim.probability,
        "low": None,
        "high": None,
        "n": claim.trades,
        "rows": [vars(cell) for cell in cells],
        "by_strategy": claim.by_strategy,
    }
    return dict(without_nan(body))


def claim_figure(cells: "Sequence[CellRecord]", claim: "RegimeClaim") -> bytes:
    """Draw each cell's win rate with its 90 % interval; PNG."""
    from scipy.stats import beta

    from hean_pipelines.plots import new_figure, png_bytes
    from models.evidence.regime_claim import OFTEN, SELDOM

    figure = new_figure(7.0, max(1.6, 0.28 * len(cells) + 1.0))
    axis = figure.subplots()
    for place, cell in enumerate(cells):
        posterior = beta(1 + cell.wins, 1 + cell.trades - cell.wins)
        axis.plot(posterior.ppf([0.05, 0.95]), [place, place], color="#8a8a8a", linewidth=2.0)
        axis.plot([cell.wins / cell.trades], [place], "o", color="black", markersize=4)
    axis.set_yticks(range(len(cells)), [f"{c.strategy} {c.regime} ({c.trades})" for c in cells], fontsize=7)
    axis.tick_params(labelsize=7)
    axis.invert_yaxis()
    for limit in (SELDOM, OFTEN):
        axis.axvline(limit, color="black", linestyle=":", linewidth=1.0)
    axis.set_xlim(0.0, 1.0)
    axis.set_xlabel("share of winning trades, 90 % interval", fontsize=8)
    known = f"P = {claim.probability:.2f}, " if claim.probability == claim.probability else ""
    axis.set_title(f"E4: {known}{claim.verdict}", fontsize=9)
    return png_bytes(figure)


def regime_claim_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the study's asset and its verdict as a check that warns."""

    @dg.asset(
        name=NAME,
        group_name="evidence",
        kinds={"numpy"},
        deps=[dg.AssetKey(MART)],
        description="E4: posterior probability that some strategy wins more than 60 % in one regime and less than 40 % in "
        "another, over the executor's closed trades; passes from 0.95 on.",
        check_specs=[
            dg.AssetCheckSpec(
                "counts_add_up", asset=NAME, description="The cells hold every group of trades once."
            )
        ],
    )
    def study(context: dg.AssetExecutionContext):
        from hean_pipelines.defs.promotion.facts import is_local
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products
        from models.evidence.regime_claim import regime_claim
        from models.learning.promotion import RECORDED, SYNTHETIC

        products = Products(settings.lake_root)
        frame = products.read_mart(MART)
        cells = cell_records(frame)
        claim = regime_claim(cells)
        # Trades made on this machine's testnet are real trades in a market that is not.
        body = claim_body(cells, claim, SYNTHETIC if is_local(settings.venue_url) else RECORDED)
        products.write_json(products.study("E4"), body)
        yield dg.MaterializeResult(
            metadata={
                "verdict": claim.verdict,
                "reason": str(body["reason"]),
                "cells": dg.MetadataValue.json(body["rows"]),
                "by_strategy": dg.MetadataValue.json(body["by_strategy"]),
                "picture": dg.MetadataValue.md(
                    markdown_image(claim_figure(cells, claim), "win rate by strategy and regime")
                ),
            }
        )
        yield dg.AssetCheckResult(
            check_name="counts_add_up",
            passed=claim.trades == sum(cell.trades for cell in cells) <= len(frame),
            metadata={"groups": claim.trades, "trades": len(frame)},
        )

    return dg.Definitions(assets=[study])
