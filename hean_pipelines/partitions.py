"""The one partitions definition every daily asset shares, and how a backfill is cut into runs.

Symbols are columns, never a partition dimension. What does not belong here: assets, jobs, schedules.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import dagster as dg

from hean_pipelines.settings import PipelineSettings

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


def daily_partitions(settings: PipelineSettings) -> dg.DailyPartitionsDefinition:
    """Return days (UTC) from `partitions_start` to `partitions_end`, or to today: the running day exists too."""
    end = settings.partitions_end
    return dg.DailyPartitionsDefinition(
        start_date=settings.partitions_start.isoformat(),
        end_date=None if end is None else (end + timedelta(days=1)).isoformat(),  # Dagster's end is exclusive
        end_offset=1,
    )


def backfill_policy(settings: PipelineSettings) -> dg.BackfillPolicy:
    """Return how Dagster cuts a backfill: one run, or runs of `days_per_run` days."""
    with beta_features():
        if settings.days_per_run:
            return dg.BackfillPolicy.multi_run(settings.days_per_run)
        return dg.BackfillPolicy.single_run()


@contextmanager
def beta_features() -> Iterator[None]:
    """Silence Dagster's notice that backfill policies are beta: the version is pinned, the notice is not news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield
