"""The raw market-data assets, made from the tables of datasets by one factory each. Wiring only.

What an ingestion does is in `ingest.py` and `snapshots.py`, where it comes from in `specs.py`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from hean_pipelines.partitions import backfill_policy, beta_features
from hean_pipelines.resources.lake_schemas import DATASETS, Dataset
from hean_pipelines.settings import PipelineSettings
from models.errors import HeanError

if TYPE_CHECKING:
    from hean_pipelines.defs.market_data.ingest import Report
    from hean_pipelines.defs.market_data.progress import Progress
    from hean_pipelines.defs.market_data.specs import History
    from hean_pipelines.sources.bybit import BybitPublicClient

GROUP = "market_data"
POOL = "bybit"
"""One ingestion at a time: the venue's limit is per address, our budget per process."""


class IngestConfig(dg.Config):
    """What a run may choose."""

    symbols: list[str] = Field(default_factory=list)
    """Symbols to fetch; none means the universe of the settings and what was listed since."""


def history_asset(
    spec: "History", settings: PipelineSettings, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """Return the asset of one history dataset."""

    def compute(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.listings.store import ingested_symbols
        from hean_pipelines.defs.market_data.ingest import ingest_history
        from hean_pipelines.resources.lake import Lake

        first, last = partition_days(context)
        symbols = tuple(config.symbols) or ingested_symbols(settings)
        with told_plainly(), open_client(settings) as client, log_progress(context):
            report = ingest_history(
                spec,
                client,
                Lake(settings.lake_root),
                symbols,
                first,
                last,
                connections=settings.connections,
            )
            report = closed_told(report, settings)
        return _result(context, report, symbols)

    return _asset(spec.dataset, compute, settings, partitions)


def snapshot_asset(
    name: str, settings: PipelineSettings, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """Return the asset of one snapshot dataset."""

    def compute(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.listings.store import ingested_symbols
        from hean_pipelines.defs.market_data.snapshots import ingest_snapshot
        from hean_pipelines.resources.lake import Lake

        first, last = partition_days(context)
        symbols = tuple(config.symbols) or ingested_symbols(settings)
        with told_plainly(), open_client(settings) as client:
            report = ingest_snapshot(name, client, Lake(settings.lake_root), symbols, first, last)
            report = closed_told(report, settings)
        return _result(context, report, symbols)

    return _asset(DATASETS[name], compute, settings, partitions)


@contextmanager
def open_client(
    settings: PipelineSettings, *, max_attempts: int | None = None
) -> Iterator["BybitPublicClient"]:
    """Give a client of the configured venue; its connections are closed afterwards."""
    from hean_pipelines.sources.budget import SharedBudget
    from hean_pipelines.sources.bybit import BybitPublicClient
    from hean_pipelines.sources.http import PoliteHttp

    http = PoliteHttp(
        requests_per_5s=settings.requests_per_5s,
        # Each asset opens a client of its own, and so does every other process: the venue counts them together.
        shared=SharedBudget(settings.home / "budget", settings.requests_per_5s),
        max_attempts=max_attempts or settings.max_attempts,
        timeout_s=settings.timeout_s,
    )
    try:
        yield BybitPublicClient(settings.venue_url, http)
    finally:
        http.close()


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn an error of ours into a Dagster failure that says what happened and what to do, first thing in the UI."""
    try:
        yield
    except HeanError as error:
        told: dict[str, Any] = {
            "error": type(error).__name__,
            "exit_code": error.exit_code,
            "remedy": error.remedy,
        }
        raise dg.Failure(
            f"{error} Remedy: {error.remedy}" if error.remedy else str(error), metadata=told
        ) from error


def closed_told(report: "Report", settings: PipelineSettings) -> "Report":
    """Say of delisted symbols that they are closed, where the venue only does not know them any more or has nothing."""
    from hean_pipelines.defs.listings.store import closed_symbols

    closed = closed_symbols(settings.lake_root)
    for symbol, words in closed.items():
        if symbol in report.skipped or symbol in report.without_history:
            report.skipped[symbol] = words
    report.without_history = [symbol for symbol in report.without_history if symbol not in closed]
    return report


def _asset(
    dataset: Dataset, compute: Any, settings: PipelineSettings, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    with beta_features():
        return dg.asset(
            name=dataset.name,
            description=dataset.description,
            partitions_def=partitions,
            backfill_policy=backfill_policy(settings),
            group_name=GROUP,
            kinds={"bybit", "parquet"},
            pool=POOL,
            metadata={
                "folder": str(settings.lake_root / dataset.name),
                "key": ", ".join(dataset.key),
                "dagster/column_schema": column_schema(dataset),
            },
        )(compute)


def column_schema(dataset: Dataset) -> dg.TableSchema:
    """Return a dataset's columns for Dagster's UI."""
    return dg.TableSchema([dg.TableColumn(name, kind) for name, kind in dataset.columns.items()])


def partition_days(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """Return the first and last day (both included) of the partitions being made."""
    keys = context.partition_key_range
    return date.fromisoformat(keys.start), date.fromisoformat(keys.end)


@contextmanager
def log_progress(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Say in the event log how far an ingestion is, each tenth of those that take long."""
    from hean_pipelines.defs.market_data.progress import listening

    tenths = 0

    def log(progress: "Progress") -> None:
        nonlocal tenths
        # Only what takes long is worth lines in the event log.
        if progress.total >= 20 and progress.done * 10 // progress.total > tenths:
            tenths = progress.done * 10 // progress.total
            context.log.info(f"{progress.done} of {progress.total} parts, {progress.rows} rows")

    with listening(log):
        yield


def _result(
    context: dg.AssetExecutionContext, report: "Report", symbols: tuple[str, ...]
) -> dg.MaterializeResult[None]:
    for symbol, reason in report.skipped.items():
        context.log.warning(f"skipped {symbol}: {reason}")
    for symbol in report.without_history:
        context.log.info(f"{symbol}: the venue has no {report.dataset} in these days")
    metadata = report_metadata(report)
    if report.failed:
        raise dg.Failure(
            f"{len(report.failed)} of {len(symbols)} symbols failed: "
            + "; ".join(f"{symbol}: {reason}" for symbol, reason in report.failed.items())
            + ". What was written for the others is kept.",
            metadata=metadata,
        )
    return dg.MaterializeResult(metadata=metadata)


def report_metadata(report: "Report") -> dict[str, Any]:
    """Return a report as the metadata of a materialization."""
    return {
        "rows": sum(report.rows.values()),
        "rows_by_symbol": report.rows,
        "days_written": report.days_written,
        "days_kept": report.days_kept,
        "symbols_without_history": report.without_history,
        "symbols_skipped": report.skipped,
        "symbols_failed": report.failed,
        "venue_time_ns": report.venue_now_ns,
        "venue_time": datetime.fromtimestamp(report.venue_now_ns / 1e9, UTC).isoformat(),
        "requests": report.requests,
        "retries": report.retries,
        "seconds": round(report.seconds, 3),
        "network_s": round(report.network_s, 3),
        "parse_s": round(report.parse_s, 3),
        "write_s": round(report.write_s, 3),
    }
