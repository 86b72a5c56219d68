"""When market data are refreshed: every hour, today's partition by the venue's own clock. Plain schedules.

The venue's clock decides what "today" is, so the same schedule works against a market whose time is not ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from datetime import date

JOB = "refresh_market_data"
CRON = "7 * * * *"
"""Seven minutes past: the last bar of the hour and a settlement on the hour are then final."""
_NS_PER_H = 3_600_000_000_000


def refresh_job(names: list[str]) -> dg.UnresolvedAssetJobDefinition | dg.JobDefinition:
    """Return the job that refreshes every market-data asset of one day."""
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*names),
        description="Fetch one day of every market-data set again, take in what was recorded of it, and replace its partition.",
    )


def hourly_refresh(
    job: dg.UnresolvedAssetJobDefinition | dg.JobDefinition, settings: PipelineSettings
) -> dg.ScheduleDefinition:
    """Return the hourly schedule; stopped unless the settings say otherwise."""
    running = (
        dg.DefaultScheduleStatus.RUNNING if settings.schedules_running else dg.DefaultScheduleStatus.STOPPED
    )

    @dg.schedule(
        job=job,
        cron_schedule=CRON,
        name="hourly_market_data",
        execution_timezone="UTC",
        default_status=running,
        description="Refresh today's partitions; just after midnight yesterday's too, for its last hour.",
    )
    def hourly_market_data(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        yield from runs_of_days(context, settings)

    return hourly_market_data


def runs_of_days(
    context: dg.ScheduleEvaluationContext, settings: PipelineSettings, back_ns: int = _NS_PER_H
) -> Iterator[dg.RunRequest]:
    """Ask for one run for each day that gained rows within the last `back_ns` by the venue's clock."""
    at = context.scheduled_execution_time.isoformat()
    for day in days_to_refresh(venue_now_ns(settings), back_ns):
        yield dg.RunRequest(run_key=f"{at}/{day}", partition_key=day.isoformat())


def days_to_refresh(now_ns: int, back_ns: int = _NS_PER_H) -> list[date]:
    """Return the days that gained rows within the last `back_ns`, an hour by default, ascending."""
    from hean_pipelines.defs.market_data.ingest import day_of

    first, last = day_of(now_ns - back_ns), day_of(now_ns)
    return [first + timedelta(days) for days in range((last - first).days + 1)]


def venue_now_ns(settings: PipelineSettings) -> int:
    """Ask the venue for its market time, briefly: a schedule's tick has a minute in all."""
    from hean_pipelines.defs.market_data.assets import open_client

    with open_client(settings, max_attempts=2) as client:
        return client.market_time_ns(settings.universe[0])
