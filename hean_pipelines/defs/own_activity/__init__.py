"""What we did ourselves, from the executor's journal into the lake: orders, fills, trades, events, equity, forecasts.

`own_activity_definitions(settings)` assembles the assets. Reading the journal is `journal.py`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
import dagster as dg

from hean_pipelines.partitions import backfill_policy, beta_features, daily_partitions
from hean_pipelines.resources.lake_schemas import DATASETS, OWN_DATASETS, Dataset
from hean_pipelines.settings import PipelineSettings

GROUP = "own_activity"
JOB = "refresh_own_activity"


def own_activity_definitions(settings: PipelineSettings) -> dg.Definitions:
    """Return one daily asset per table of the journal and the job that refreshes them; does no I/O."""
    partitions = daily_partitions(settings)
    assets = [_journal_asset(DATASETS[name], settings, partitions) for name in OWN_DATASETS]
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*OWN_DATASETS),
        description="Copy days of the executor's journal into the lake.",
    )
    return dg.Definitions(assets=assets, jobs=[job])


def _journal_asset(
    dataset: Dataset, settings: PipelineSettings, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    from hean_pipelines.defs.market_data.assets import column_schema, partition_days, told_plainly

    def compute(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from hean_pipelines.defs.own_activity.journal import ingest_journal
        from hean_pipelines.resources.lake import Lake

        first, last = partition_days(context)
        with told_plainly():
            report = ingest_journal(dataset, settings.journal_path, Lake(settings.lake_root), first, last)
        state = "read" if report.exists else f"no journal yet at {settings.journal_path}"
        context.log.info(f"{dataset.name}: {report.rows} rows, journal {state}")
        return dg.MaterializeResult(
            metadata={"rows": report.rows, "days_written": report.days_written, "journal": state}
        )

    with beta_features():
        return dg.asset(
            name=dataset.name,
            description=dataset.description,
            partitions_def=partitions,
            backfill_policy=backfill_policy(settings),
            group_name=GROUP,
            kinds={"sqlite", "parquet"},
            metadata={
                "folder": str(settings.lake_root / dataset.name),
                "key": ", ".join(dataset.key),
                "dagster/column_schema": column_schema(dataset),
            },
        )(compute)
