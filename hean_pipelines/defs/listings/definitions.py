"""New listings in Dagster: the sensor that finds them, the schedule that watches them, sensors that alert. Wiring only."""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.defs.listings.failures import failure_sensors
from hean_pipelines.defs.market_data.assets import open_client, told_plainly
from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from hean_pipelines.defs.listings.contracts import ListingsClient
    from hean_pipelines.defs.listings.store import Listed
    from hean_pipelines.resources.alert_delivery import Alerts
    from models.alerts import Alert

GROUP = "listings"
WATCH = "report_bybit__listing_funding"
WATCH_JOB = "watch_new_listings"
WATCH_CRON = "*/15 * * * *"
LOOK_EVERY_S = 4 * 3600
RETRY_EVERY_S = 60


def listing_definitions(settings: PipelineSettings) -> dg.Definitions:
    """Return the watch with its job and schedule, and the sensors; does no I/O."""
    job = dg.define_asset_job(
        WATCH_JOB,
        selection=dg.AssetSelection.assets(WATCH),
        description="Look once at the funding of every contract that is in its first day.",
    )
    return dg.Definitions(
        assets=[_watch_asset(settings)],
        jobs=[job],
        schedules=[_watch_schedule(job, settings)],
        sensors=[_new_listings(settings), _pending_alerts(settings), *failure_sensors(settings)],
    )


def _new_listings(settings: PipelineSettings) -> dg.SensorDefinition:
    @dg.sensor(
        name="new_listings",
        minimum_interval_seconds=LOOK_EVERY_S,
        default_status=sensor_status(settings),
        description="Announce linear perpetuals launched within a day, pre-listings and ends of trading; open watches.",
    )
    def new_listings(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from hean_pipelines.defs.listings.discovery import discover
        from hean_pipelines.defs.listings.store import Listings

        last_look_ns = json.loads(context.cursor)["venue_time_ns"] if context.cursor else None
        with open_listings_client(settings, max_attempts=2) as client:
            now_ns, contracts = client.every_contract()
        store = Listings(settings.lake_root)
        found = discover(contracts, store, settings.universe, now_ns, last_look_ns, _once(settings))
        words = (
            f"{len(contracts)} contracts; new: {found.listed}, pre-listed: {found.pre_listed}, "
            f"ended: {found.delisted}"
        )
        return dg.SensorResult(cursor=json.dumps({"venue_time_ns": now_ns}), skip_reason=words)

    return new_listings


def _pending_alerts(settings: PipelineSettings) -> dg.SensorDefinition:
    @dg.sensor(
        name="pending_alerts",
        minimum_interval_seconds=RETRY_EVERY_S,
        default_status=sensor_status(settings),
        description="Send what a webhook or mail server did not take before.",
    )
    def pending_alerts() -> dg.SkipReason:
        waiting = _alerts(settings).deliver()
        return dg.SkipReason(f"{waiting} alerts wait for their channel")

    return pending_alerts


def _watch_schedule(job: Any, settings: PipelineSettings) -> dg.ScheduleDefinition:
    status = dg.DefaultScheduleStatus
    running = status.RUNNING if settings.schedules_running else status.STOPPED

    @dg.schedule(
        job=job,
        cron_schedule=WATCH_CRON,
        name="listing_watch",
        execution_timezone="UTC",
        default_status=running,
        description="Every quarter of an hour while a new contract is in its first day; nothing otherwise.",
    )
    def listing_watch(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from hean_pipelines.defs.listings.store import Listings
        from hean_pipelines.defs.listings.watch import awaiting
        from hean_pipelines.defs.market_data.schedules import venue_now_ns

        store = Listings(settings.lake_root)
        if not any(listed.watched and listed.summary is None for listed in store.all()):
            return dg.SkipReason("no watch is open")
        symbols = [listed.symbol for listed in awaiting(store, venue_now_ns(settings))]
        if not symbols:
            return dg.SkipReason("the contracts to be watched do not trade yet")
        return dg.RunRequest(
            run_key=context.scheduled_execution_time.isoformat(), tags={"symbols": ",".join(symbols)}
        )

    return listing_watch


def _watch_asset(settings: PipelineSettings) -> dg.AssetsDefinition:
    @dg.asset(
        name=WATCH,
        group_name=GROUP,
        kinds={"bybit", "parquet"},
        output_required=False,
        description="Funding of new contracts in their first day; materialised when a watch closes, with its summary.",
        metadata={"folder": str(settings.lake_root / "listings")},
    )
    def watch(context: dg.AssetExecutionContext) -> Iterator[dg.Output[None]]:
        from hean_pipelines.defs.listings.store import Listings
        from hean_pipelines.defs.listings.watch import poll

        with told_plainly(), open_listings_client(settings) as client:
            result = poll(client, Listings(settings.lake_root), _once(settings))
        if result is None:
            context.log.info("no watch is open")
            return
        context.log.info(f"seen: {result.rates}; without a rate: {result.without}; opened: {result.opened}")
        for listed in result.closed:
            context.log_event(dg.AssetMaterialization(context.asset_key, metadata=summary_metadata(listed)))
        yield from ()

    return watch


def summary_metadata(listed: "Listed") -> dict[str, Any]:
    """Return a closed watch as the metadata of its materialization."""
    from hean_pipelines.defs.listings.store import utc

    summary = listed.summary
    assert summary is not None  # noqa: S101 - closed watches only
    seen = {"max_rate": summary.max_rate, "mean_rate": summary.mean_rate}
    return {
        "symbol": listed.symbol,
        "count": summary.count,
        **{name: rate for name, rate in seen.items() if rate is not None},
        "from": utc(listed.trades_from_ns or 0),
        "until": utc(listed.watch_ends_ns or 0),
    }


def sensor_status(settings: PipelineSettings) -> dg.DefaultSensorStatus:
    """Return whether sensors run with the daemon."""
    return dg.DefaultSensorStatus.RUNNING if settings.schedules_running else dg.DefaultSensorStatus.STOPPED


@contextmanager
def open_listings_client(
    settings: PipelineSettings, *, max_attempts: int | None = None
) -> Iterator["ListingsClient"]:
    """Give a client of the configured venue; its connections are closed afterwards."""
    from hean_pipelines.defs.listings.contracts import ListingsClient

    with open_client(settings, max_attempts=max_attempts) as client:
        yield ListingsClient(client.base_url, client.http)


def _alerts(settings: PipelineSettings) -> "Alerts":
    from hean_pipelines.resources.alert_delivery import Alerts

    return Alerts.from_settings(settings)


def _once(settings: PipelineSettings) -> Any:
    from hean_pipelines.resources.alert_delivery import FOREVER_S

    alerts = _alerts(settings)

    def tell(alert: "Alert") -> bool:
        return alerts.tell(alert, FOREVER_S)

    return tell
