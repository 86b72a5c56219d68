"""Asset `report_hean__page`: the HTML report, made again from the files it reads.

Here belongs the wiring; the page is `hean_pipelines.report`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

NAME = "report_hean__page"


def report_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the report asset."""
    from hean_pipelines.defs.learning.policy import NAME as POLICY
    from hean_pipelines.studies.catalogue import FIRST_STEPS

    drawn = (
        "model_funding__champion",
        "model_hean__regime_matrix",
        "mart_coverage__symbol_day",
        POLICY,
        *(study.asset for study in FIRST_STEPS.values()),
    )

    @dg.asset(
        name=NAME,
        group_name="report",
        kinds={"html"},
        deps=[dg.AssetKey(asset) for asset in drawn],
        description="One HTML page: forecast skill against baselines, forecast against realised, equity and trades, the "
        "regime-performance matrix, the policy in force, first steps of strategies, data coverage.",
    )
    def page(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.report.build import build_report

        path = build_report(settings.home)
        return dg.MaterializeResult(metadata={"page": dg.MetadataValue.path(str(path))})

    return dg.Definitions(assets=[page])
