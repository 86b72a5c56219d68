"""The two recurring jobs beyond ingestion: retrain every four hours, learn from trades every four hours.

Here belongs when jobs run and which assets they hold. The hourly refresh of market data stands beside its assets.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

_FOUR_HOURS_NS = 4 * 3_600_000_000_000
RETRAIN_JOB = "retrain_funding"
LEARN_JOB = "learn_from_trades"

RETRAIN_CRON = "50 1,5,9,13,17,21 * * *"
"""Every four hours, 110 minutes after a four-hourly settlement and 40 before the earliest decision for the next one: the new
champion is loaded when it is asked, and no retrain runs while orders are placed."""

LEARN_CRON = "35 0,4,8,12,16,20 * * *"
"""Half an hour after settlements, when positions around them are closed."""


def retrain_selection() -> dg.AssetSelection:
    """Return the SQL assets of market data and everything trained on them."""
    trained = dg.AssetSelection.assets("model_funding__champion").upstream()
    raw = dg.AssetSelection.groups("market_data", "own_activity")
    return trained - raw


def learn_selection() -> dg.AssetSelection:
    """Return the journal's assets and everything learned from them."""
    return dg.AssetSelection.assets("model_hean__regime_matrix").upstream() | dg.AssetSelection.groups(
        "own_activity"
    )


def schedule_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the retrain and learning jobs with their schedules; stopped unless the settings say otherwise."""
    status = (
        dg.DefaultScheduleStatus.RUNNING if settings.schedules_running else dg.DefaultScheduleStatus.STOPPED
    )
    retrain = dg.define_asset_job(
        RETRAIN_JOB,
        selection=retrain_selection(),
        description="Rebuild the marts, features and out-of-sample forecasts, run the studies, register a challenger and let "
        "it become champion if it earned it.",
    )
    learn = dg.define_asset_job(
        LEARN_JOB,
        selection=learn_selection(),
        description="Ingest the executor's journal of one day and compute the regime-performance matrix.",
    )

    @dg.schedule(
        job=learn,
        cron_schedule=LEARN_CRON,
        name="four_hourly_learning",
        execution_timezone="UTC",
        default_status=status,
        description="Ingest the newest days of the journal and compute the regime-performance matrix again.",
    )
    def four_hourly_learning(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        from hean_pipelines.defs.market_data.schedules import days_to_refresh, venue_now_ns

        # The journal is in the market's time, which may not be ours; a trade may have closed just before midnight.
        at = context.scheduled_execution_time.isoformat()
        for day in days_to_refresh(venue_now_ns(settings), _FOUR_HOURS_NS):
            yield dg.RunRequest(run_key=f"{at}/{day}", partition_key=day.isoformat())

    return dg.Definitions(
        jobs=[retrain, learn],
        schedules=[
            dg.ScheduleDefinition(
                job=retrain,
                cron_schedule=RETRAIN_CRON,
                name="four_hourly_retrain",
                execution_timezone="UTC",
                default_status=status,
                description="Retrain between settlements, away from the minutes in which orders are placed.",
            ),
            four_hourly_learning,
        ],
    )
