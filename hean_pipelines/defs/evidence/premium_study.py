"""Asset `evidence_funding__premium_study`: study E1 with its picture and verdict.

Here belong storing and drawing; the study is `models.evidence.premium_study`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from models.evidence.verdict import PASSED

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings
    from models.evidence.premium_study import PremiumStudy
    from models.funding.table import FeatureTable

NAME = "evidence_funding__premium_study"


def study_figure(table: "FeatureTable", studies: "Sequence[PremiumStudy]", horizon_min: int) -> bytes:
    """Draw premium against rate, one panel a symbol, with R² and its interval in the title; PNG."""
    import numpy as np

    from hean_pipelines.plots import new_figure, png_bytes
    from models.funding.features import INDEX

    own = [s for s in studies if s.symbol != "ALL"]
    figure = new_figure(3.4 * max(len(own), 1), 3.4)
    axes = np.atleast_1d(figure.subplots(1, max(len(own), 1)))
    for axis, study in zip(axes, own, strict=False):
        rows = (table.symbol == study.symbol) & (table.horizon_min == horizon_min)
        premium = table.features[rows, INDEX["premium_now"]] * 1e4
        axis.scatter(premium, table.realised[rows] * 1e4, s=7, alpha=0.5)
        axis.set_title(
            f"{study.symbol}: R² {study.r2:.2f} [{study.low:.2f}, {study.high:.2f}], {study.verdict}",
            fontsize=8,
        )
        axis.set_xlabel(f"premium {horizon_min} min before, bps")
        axis.set_ylabel("rate at settlement, bps")
    return png_bytes(figure)


def study_body(studies: "Sequence[PremiumStudy]") -> dict[str, Any]:
    """Return the study as JSON: the pooled verdict on top, every symbol below; an unknown figure is null."""
    rows = [{k: None if v != v else v for k, v in asdict(s).items()} for s in studies]
    pooled = rows[-1]  # the study puts all symbols together last
    return {
        "study": "E1",
        "passed": pooled["verdict"] == PASSED,
        **{key: pooled[key] for key in ("r2", "low", "high", "n", "verdict")},
        "rows": rows,
    }


def premium_study_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the study's asset and its verdict as a check that warns."""

    @dg.asset(
        name=NAME,
        group_name="evidence",
        kinds={"numpy"},
        deps=[dg.AssetKey("feat_bybit__settlement_funding")],
        description="E1: squared correlation of the premium 90 minutes before a settlement with the rate at it; passes above "
        "0.25. S1 trades only on a bundle that carries a passed verdict, and shadows otherwise.",
        check_specs=[dg.AssetCheckSpec("verdict", asset=NAME, description="R² above 0.25 over all symbols.")],
    )
    def study(context: dg.AssetExecutionContext):
        from hean_pipelines.defs.features.load import load_table
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products
        from models.evidence.premium_study import premium_study
        from models.funding.table import HORIZONS_MIN

        products = Products(settings.lake_root)
        table = load_table(products)
        studies = premium_study(table, HORIZONS_MIN[0])
        body = study_body(studies)
        products.write_json(products.premium_study, body)
        picture = study_figure(table, studies, HORIZONS_MIN[0])
        yield dg.MaterializeResult(
            metadata={
                "verdict": str(body["verdict"]),
                "figures": dg.MetadataValue.json(body["rows"]),
                "picture": dg.MetadataValue.md(
                    markdown_image(picture, "premium against funding rate by symbol")
                ),
            }
        )
        yield dg.AssetCheckResult(
            check_name="verdict",
            passed=bool(body["passed"]),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"pooled": dg.MetadataValue.json(body["rows"][-1:]), "verdict": str(body["verdict"])},
        )

    return dg.Definitions(assets=[study])
