"""Public market data of the venue: raw assets, their checks, the hourly refresh.

`market_data_definitions(settings)` assembles them. The work itself is in `ingest.py` and `snapshots.py`.
"""

from __future__ import annotations

import dagster as dg

from hean_pipelines.defs.market_data.assets import history_asset, snapshot_asset
from hean_pipelines.defs.market_data.check_assets import dataset_checks
from hean_pipelines.defs.market_data.schedules import hourly_refresh, refresh_job
from hean_pipelines.defs.market_data.specs import SNAPSHOTS, history_specs
from hean_pipelines.defs.market_data.tape_extracts import EXTRACTS, TAPE, extract_asset
from hean_pipelines.defs.market_data.tapes import tape_asset
from hean_pipelines.partitions import daily_partitions
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.settings import PipelineSettings


def market_data_definitions(settings: PipelineSettings) -> dg.Definitions:
    """Return the raw market-data assets with checks, job and schedule; does no I/O."""
    partitions = daily_partitions(settings)
    specs = history_specs(settings)
    assets = [history_asset(spec, settings, partitions) for spec in specs]
    assets += [snapshot_asset(name, settings, partitions) for name in SNAPSHOTS]
    datasets = [spec.dataset for spec in specs] + [DATASETS[name] for name in SNAPSHOTS]
    job = refresh_job([*(dataset.name for dataset in datasets), TAPE, *EXTRACTS])
    return dg.Definitions(
        assets=[
            *assets,
            tape_asset(settings, partitions),
            *(extract_asset(name, settings, partitions) for name in EXTRACTS),
        ],
        asset_checks=[dataset_checks(dataset, settings) for dataset in datasets],
        jobs=[job],
        schedules=[hourly_refresh(job, settings)],
    )
