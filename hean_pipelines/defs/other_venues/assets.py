"""The assets of the other venues, made from the tables by one factory each. Wiring only."""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.defs.archives.specs import archive_specs
from hean_pipelines.defs.listings.store import ingested_symbols
from hean_pipelines.defs.market_data.assets import (
    IngestConfig,
    column_schema,
    log_progress,
    partition_days,
    report_metadata,
    told_plainly,
)
from hean_pipelines.defs.market_data.check_assets import dataset_checks
from hean_pipelines.defs.market_data.specs import History
from hean_pipelines.defs.other_venues import clients
from hean_pipelines.defs.other_venues.posts import PostSource, ingest_posts, post_sources
from hean_pipelines.defs.other_venues.snapshots import Snapshot, coinglass_snapshots, venue_snapshots
from hean_pipelines.defs.other_venues.specs import VenueHistory, venue_histories
from hean_pipelines.partitions import backfill_policy, beta_features, daily_partitions
from hean_pipelines.resources.lake_schemas import DATASETS, Dataset
from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from hean_pipelines.defs.other_venues.history import VenueReport

GROUP = "other_venues"
FEAR_GREED = "raw_sentiment__fear_greed"
Compute = Callable[[dg.AssetExecutionContext, IngestConfig], dg.MaterializeResult[None]]


def other_venue_names() -> tuple[str, ...]:
    """Return the datasets of other venues that REST gives, which a backfill may choose."""
    return (*(spec.history.dataset.name for spec in venue_histories()), FEAR_GREED)


def other_venue_definitions(settings: PipelineSettings) -> dg.Definitions:
    """Return the assets of the other venues with their checks and job; does no I/O."""
    partitions = daily_partitions(settings)
    histories, snapshots = venue_histories(), (*venue_snapshots(), *coinglass_snapshots())
    computes: dict[str, Compute] = {spec.history.dataset.name: _history(spec, settings) for spec in histories}
    computes |= {spec.dataset: _snapshot(spec, settings) for spec in snapshots}
    computes |= {source.dataset: _posts(source, settings) for source in post_sources()}
    computes[FEAR_GREED] = _fear_greed(settings)
    assets = [_asset(DATASETS[name], compute, settings, partitions) for name, compute in computes.items()]
    return dg.Definitions(
        assets=assets,
        asset_checks=[dataset_checks(DATASETS[name], settings) for name in computes],
        jobs=[
            dg.define_asset_job(
                "other_venues",
                selection=dg.AssetSelection.groups(GROUP),
                description="Bring the days chosen of Binance, OKX, CoinGlass and sentiment into the lake.",
            )
        ],
    )


def _history(spec: VenueHistory, settings: PipelineSettings) -> Compute:
    name = spec.history.dataset.name
    archive = next((each for each in archive_specs(settings) if each.dataset.name == name), None)

    def compute(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.other_venues.history import ingest_venue
        from hean_pipelines.resources.lake import Lake
        from hean_pipelines.sources.archives import ArchiveFetcher

        first, last = partition_days(context)
        symbols = tuple(config.symbols) or ingested_symbols(settings)
        with told_plainly(), log_progress(context), spec.open(settings) as client:
            fetcher = ArchiveFetcher(client.http, settings.home / "archives")
            report = ingest_venue(
                spec,
                client,
                Lake(settings.lake_root),
                symbols,
                first,
                last,
                archive=None if archive is None else (archive, fetcher),
            )
        return _result(context, report, symbols)

    return compute


def _snapshot(spec: Snapshot, settings: PipelineSettings) -> Compute:
    def compute(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.other_venues.snapshots import ingest_venue_snapshot
        from hean_pipelines.resources.lake import Lake
        from hean_pipelines.sources.coinglass import NO_KEY

        first, last = partition_days(context)
        symbols = tuple(config.symbols) or ingested_symbols(settings)
        if spec.open is clients.coinglass and not settings.coinglass_key.get_secret_value():
            context.log.info(NO_KEY)
            return dg.MaterializeResult(metadata={"rows": 0, "not_asked": NO_KEY})
        with told_plainly(), spec.open(settings) as client:
            report = ingest_venue_snapshot(spec, client, Lake(settings.lake_root), symbols, first, last)
        for symbol, reason in report.skipped.items():
            context.log.info(f"{symbol}: {reason}")
        return dg.MaterializeResult(metadata=report_metadata(report))

    return compute


def _posts(source: PostSource, settings: PipelineSettings) -> Compute:
    def compute(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        if not source.has_key(settings):
            context.log.info(source.no_key)
            return dg.MaterializeResult(metadata={"rows": 0, "not_asked": source.no_key})
        first, last = partition_days(context)
        symbols = tuple(config.symbols) or ingested_symbols(settings)
        with told_plainly(), source.open(settings) as client:
            report = ingest_posts(source, client, settings, symbols, first, last)
        return dg.MaterializeResult(metadata=report_metadata(report))

    return compute


def _fear_greed(settings: PipelineSettings) -> Compute:
    def compute(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        import time

        from hean_pipelines.defs.market_data.ingest import ingest_history
        from hean_pipelines.resources.lake import Lake
        from hean_pipelines.sources.fear_greed import SYMBOL

        first, last = partition_days(context)
        history = History(
            DATASETS[FEAR_GREED], lambda client, symbol, a, b: client.history(symbol, a, b), 10_000
        )
        with told_plainly(), clients.fear_greed(settings) as client:
            # The index tells no time of its own; a day's number is known from its beginning.
            report = ingest_history(
                history,
                client,
                Lake(settings.lake_root),
                [SYMBOL],
                first,
                last,
                now_ns=time.time_ns(),
                connections=1,
            )
        return dg.MaterializeResult(metadata=report_metadata(report))

    return compute


def _asset(
    dataset: Dataset, compute: Compute, settings: PipelineSettings, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    def wrapped(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        return compute(context, config)

    with beta_features():
        return dg.asset(
            name=dataset.name,
            description=dataset.description,
            partitions_def=partitions,
            backfill_policy=backfill_policy(settings),
            group_name=GROUP,
            kinds={dataset.venue, "parquet"},
            pool=dataset.venue,
            metadata={
                "folder": str(settings.lake_root / dataset.name),
                "key": ", ".join(dataset.key),
                "dagster/column_schema": column_schema(dataset),
            },
        )(wrapped)


def _result(
    context: dg.AssetExecutionContext, report: "VenueReport", symbols: tuple[str, ...]
) -> dg.MaterializeResult[None]:
    for symbol, reason in report.absent.items():
        context.log.info(f"{symbol}: {reason}")
    rest, differs = report.rest, report.files.differs_from_rest if report.files else {}
    for name, words in differs.items():
        context.log.warning(f"{name}: file and REST differ: {words}")
    metadata: dict[str, Any] = {
        "rows": sum(sum(each.rows.values()) for each in rest)
        + (report.files.findings.rows if report.files else 0),
        "days_written": sum(each.days_written for each in rest)
        + (report.files.days_written if report.files else 0),
        "files": report.files.files if report.files else 0,
        "files_unchanged": report.files.unchanged if report.files else 0,
        "ranges_by_rest": len(rest),
        "requests": sum(each.requests for each in rest),
        "retries": sum(each.retries for each in rest),
        "symbols_not_listed": report.absent,
        "differs_from_rest": differs,
        "seconds": round(
            sum(each.seconds for each in rest) + (report.files.seconds if report.files else 0.0), 3
        ),
        "network_s": round(sum(each.network_s for each in rest), 3),
    }
    if rest:
        metadata["venue_time_ns"] = rest[-1].venue_now_ns
    if report.failed:
        words = "; ".join(f"{name}: {reason}" for name, reason in list(report.failed.items())[:20])
        raise dg.Failure(
            f"{len(report.failed)} of {len(symbols)} failed: {words}. What was stored is kept.",
            metadata=metadata,
        )
    return dg.MaterializeResult(metadata=metadata)
