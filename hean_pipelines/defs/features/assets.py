"""Asset `feat_bybit__settlement_funding`: F1 and F2 at 90, 60 and 30 minutes before every settlement.

Made whole from the marts each time: a year of one symbol takes about a second, and a table made whole cannot disagree with
itself. What does not belong here: the features themselves (`models.funding.features`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
import time
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

NAME = "feat_bybit__settlement_funding"
INPUT_MARTS = (
    "mart_bybit__settlement_funding",
    "mart_bybit__bar_premium",
    "mart_bybit__5m_open_interest",
    "mart_bybit__account_ratio",
    "mart_bybit__funding_caps",
)


def feature_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the feature asset with its two blocking checks."""

    @dg.asset(
        name=NAME,
        group_name="features",
        kinds={"polars", "numpy"},
        deps=[dg.AssetKey(name) for name in INPUT_MARTS],
        description="Funding features F1 and the funding-formula state F2, one row per symbol, settlement and horizon, "
        "each from what was known at `available_at` alone.",
        check_specs=[
            dg.AssetCheckSpec(
                "causal",
                asset=NAME,
                blocking=True,
                description="Rows recomputed from inputs cut at their instant.",
            ),
            dg.AssetCheckSpec(
                "complete", asset=NAME, blocking=True, description="Structural columns are never missing."
            ),
        ],
    )
    def features(context: dg.AssetExecutionContext):
        from hean_pipelines.defs.features import checks
        from hean_pipelines.defs.features.load import load_inputs, table_to_frame
        from hean_pipelines.resources.products import Products
        from models.funding.features import FEATURE_SPEC_HASH
        from models.funding.table import build_table

        products = Products(settings.lake_root)
        started = time.monotonic()
        inputs = load_inputs(products)
        loaded = time.monotonic()
        table = build_table(inputs, on_symbol=lambda s, n: context.log.info(f"{s}: {n} feature rows"))
        products.write(products.features, table_to_frame(table))
        complete = checks.finite_where_required(table)
        causal = checks.causal(table, {i.symbol: i for i in inputs})
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(table),
                "symbols": sorted({str(s) for s in table.symbol}),
                "feature_spec_hash": FEATURE_SPEC_HASH[:16],
                "missing_share": dg.MetadataValue.json(checks.missing_shares(table)),
                "seconds_loading": round(loaded - started, 2),
                "seconds_computing": round(time.monotonic() - loaded, 2),
                "path": dg.MetadataValue.path(str(products.features)),
            },
        )
        yield dg.AssetCheckResult(
            check_name="causal", passed=causal.passed, metadata={"seen": dg.MetadataValue.json(causal.seen)}
        )
        yield dg.AssetCheckResult(
            check_name="complete",
            passed=complete.passed,
            metadata={"seen": dg.MetadataValue.json(complete.seen)},
        )

    return dg.Definitions(assets=[features])
