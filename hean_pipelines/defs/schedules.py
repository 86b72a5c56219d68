"""When jobs beyond the venue's own market data run: other venues, retraining, learning from trades.

Here belongs when they run and which assets they hold. The hourly refresh of market data stands beside its assets, the watch
of new listings beside its sensor.
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
OTHER_VENUES_JOB = "other_venues"
SNAPSHOT_JOB = "snapshot_other_venues"

RETRAIN_CRON = "50 1,5,9,13,17,21 * * *"
"""Every four hours, 110 minutes after a four-hourly settlement and 40 before the earliest decision for the next one: the new
champion is loaded when it is asked, and no retrain runs while orders are placed."""

LEARN_CRON = "35 0,4,8,12,16,20 * * *"
"""Half an hour after settlements, when positions around them are closed."""

OTHER_VENUES_CRON = "20 4 * * *"
"""Yesterday's published files are out by then; what was fetched by REST before is replaced whole by what they hold."""

OTHER_VENUES_BACK_NS = 2 * 86_400_000_000_000
"""Two days back: a file published late is still found the next day."""

SNAPSHOT_CRON = "22 * * * *"
"""Hourly, away from the minutes in which market data are refreshed and models trained."""


def retrain_selection() -> dg.AssetSelection:
    """Return the SQL assets of market data and everything trained on them."""
    trained = dg.AssetSelection.assets("model_funding__champion").upstream()
    trained |= dg.AssetSelection.assets("model_cascade__champion", "model_regime_hmm__champion").upstream()
    raw = dg.AssetSelection.groups("market_data", "own_activity")
    return trained - raw


def learn_selection() -> dg.AssetSelection:
    """Return the journal's assets and everything learned from them."""
    from hean_pipelines.defs.learning.definitions import learning_selection

    return learning_selection()


def snapshot_selection() -> dg.AssetSelection:
    """Return what other venues say of the present: it has no past, so an hour missed is lost."""
    from hean_pipelines.defs.other_venues.posts import post_sources
    from hean_pipelines.defs.other_venues.snapshots import coinglass_snapshots, venue_snapshots

    said = (*venue_snapshots(), *coinglass_snapshots(), *post_sources())
    return dg.AssetSelection.assets(*(each.dataset for each in said))


def schedule_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the jobs with their schedules; stopped unless the settings say otherwise."""
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
        description="Ingest the executor's journal of one day, compute the regime-performance matrix, and make the next policy.",
    )

    @dg.schedule(
        job=learn,
        cron_schedule=LEARN_CRON,
        name="four_hourly_learning",
        execution_timezone="UTC",
        default_status=status,
        description="Ingest the newest days of the journal, compute the regime-performance matrix, make the next policy.",
    )
    def four_hourly_learning(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        from hean_pipelines.defs.market_data.schedules import runs_of_days

        # The journal is in the market's time, which may not be ours; a trade may have closed just before midnight.
        yield from runs_of_days(context, settings, _FOUR_HOURS_NS)

    return dg.Definitions.merge(
        _other_venues(settings, status),
        dg.Definitions(
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
        ),
    )


def _other_venues(settings: "PipelineSettings", status: dg.DefaultScheduleStatus) -> dg.Definitions:
    snapshots = dg.define_asset_job(
        SNAPSHOT_JOB,
        selection=snapshot_selection(),
        description="Add what Binance, OKX, CoinGlass, Reddit and X say right now to today's snapshots.",
    )

    @dg.schedule(
        job_name=OTHER_VENUES_JOB,
        cron_schedule=OTHER_VENUES_CRON,
        name="daily_other_venues",
        execution_timezone="UTC",
        default_status=status,
        description="The last three days of Binance, OKX and sentiment: published files where they are out, REST elsewhere.",
    )
    def daily_other_venues(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        from hean_pipelines.defs.market_data.schedules import runs_of_days

        yield from runs_of_days(context, settings, OTHER_VENUES_BACK_NS)

    @dg.schedule(
        job=snapshots,
        cron_schedule=SNAPSHOT_CRON,
        name="hourly_other_snapshots",
        execution_timezone="UTC",
        default_status=status,
        description="What other venues say right now: running funding, contracts, open interest.",
    )
    def hourly_other_snapshots(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        from hean_pipelines.defs.market_data.schedules import days_to_refresh, venue_now_ns

        [today] = days_to_refresh(venue_now_ns(settings), 0)
        at = context.scheduled_execution_time.isoformat()
        return dg.RunRequest(run_key=at, partition_key=today.isoformat())

    return dg.Definitions(jobs=[snapshots], schedules=[daily_other_venues, hourly_other_snapshots])
