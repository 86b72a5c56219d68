"""The assets of published files, made from the table of archives by one factory. Wiring only.

What an ingestion does is in `ingest.py`, where files come from in `specs.py`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.defs.archives.specs import Archive, archive_specs
from hean_pipelines.defs.listings.store import ingested_symbols
from hean_pipelines.defs.market_data.assets import (
    IngestConfig,
    column_schema,
    log_progress,
    partition_days,
    told_plainly,
)
from hean_pipelines.defs.market_data.check_assets import dataset_checks
from hean_pipelines.defs.other_venues.specs import venue_histories
from hean_pipelines.partitions import backfill_policy, beta_features, daily_partitions
from hean_pipelines.resources.lake_schemas import DATASETS, Dataset
from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from hean_pipelines.defs.archives.ingest import ArchiveReport
    from hean_pipelines.sources.archives import ArchiveFetcher

GROUP = "archives"
POOL = "archives"
"""One download at a time: the files are big, and the disk holds the one in use and the next."""
BOOKS = "raw_bybit__book_events"
_MOST_NAMED = 20
Ingest = Callable[["ArchiveFetcher", tuple[str, ...], date, date], "ArchiveReport"]


def archive_definitions(settings: PipelineSettings) -> dg.Definitions:
    """Return the assets of published files with their checks; does no I/O."""
    # Where REST continues a published history, the other venues' assets take both.
    continued = {spec.history.dataset.name for spec in venue_histories()}
    specs = [spec for spec in archive_specs(settings) if spec.dataset.name not in continued]
    partitions = daily_partitions(settings)
    # Days of trades are too big to be judged together: each file was, when it was stored.
    light = [spec.dataset for spec in specs if not spec.dataset.keeps_order]
    return dg.Definitions(
        assets=[
            *(archive_asset(spec, settings, partitions) for spec in specs),
            book_asset(settings, partitions),
        ],
        asset_checks=[dataset_checks(dataset, settings) for dataset in light],
        jobs=[
            dg.define_asset_job(
                "published_files",
                selection=dg.AssetSelection.assets(*(spec.dataset.name for spec in specs), BOOKS),
                description="Bring the days chosen from the venues' published files into the lake.",
            )
        ],
    )


def archive_asset(
    spec: Archive, settings: PipelineSettings, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """Return the asset of one kind of published file."""

    def ingest(
        fetcher: "ArchiveFetcher", symbols: tuple[str, ...], first: date, last: date
    ) -> "ArchiveReport":
        from hean_pipelines.defs.archives.ingest import ingest_archives
        from hean_pipelines.resources.lake import Lake

        lake, keep = Lake(settings.lake_root), settings.keep_archives
        return ingest_archives(spec, fetcher, lake, symbols, first, last, keep_files=keep)

    return _asset(spec.dataset, spec.period, ingest, settings, partitions)


def book_asset(settings: PipelineSettings, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset of Bybit's order-book files."""

    def ingest(
        fetcher: "ArchiveFetcher", symbols: tuple[str, ...], first: date, last: date
    ) -> "ArchiveReport":
        from hean_pipelines.defs.archives.books import ingest_books
        from hean_pipelines.resources.lake import Lake

        base, keep = settings.bybit_book_archive_url, settings.keep_archives
        return ingest_books(base, fetcher, Lake(settings.lake_root), symbols, first, last, keep_files=keep)

    return _asset(DATASETS[BOOKS], "day", ingest, settings, partitions)


def _asset(
    dataset: Dataset,
    period: str,
    ingest: Ingest,
    settings: PipelineSettings,
    partitions: dg.PartitionsDefinition,
) -> dg.AssetsDefinition:
    def compute(context: dg.AssetExecutionContext, config: IngestConfig) -> dg.MaterializeResult[None]:
        from hean_pipelines.sources.archives import ArchiveFetcher
        from hean_pipelines.sources.http import PoliteHttp

        first, last = partition_days(context)
        http = PoliteHttp(
            requests_per_5s=settings.requests_per_5s,
            max_attempts=settings.max_attempts,
            timeout_s=settings.timeout_s,
        )
        try:
            with told_plainly(), log_progress(context):
                fetcher = ArchiveFetcher(http, settings.home / "archives")
                report = ingest(fetcher, tuple(config.symbols) or ingested_symbols(settings), first, last)
        finally:
            http.close()
        return _result(context, report)

    with beta_features():
        return dg.asset(
            name=dataset.name,
            description=dataset.description,
            partitions_def=partitions,
            backfill_policy=backfill_policy(settings),
            group_name=GROUP,
            kinds={dataset.venue, "parquet"},
            pool=POOL,
            metadata={
                "folder": str(settings.lake_root / dataset.name),
                "key": ", ".join(dataset.key),
                "one_file_covers": period,
                "dagster/column_schema": column_schema(dataset),
            },
        )(compute)


def _result(context: dg.AssetExecutionContext, report: "ArchiveReport") -> dg.MaterializeResult[None]:
    if report.not_published:
        names = ", ".join(report.not_published[:_MOST_NAMED])
        context.log.info(f"{len(report.not_published)} files are not published: {names}")
    if report.findings.mended:
        context.log.warning(
            f"{report.dataset}: {', '.join(report.findings.mended)}; counts are in the metadata"
        )
    metadata = report_metadata(report)
    if report.failed:
        shown = list(report.failed.items())[:_MOST_NAMED]
        raise dg.Failure(
            f"{len(report.failed)} files failed: "
            + "; ".join(f"{name}: {reason}" for name, reason in shown)
            + ". What was stored is kept.",
            metadata=metadata,
        )
    return dg.MaterializeResult(metadata=metadata)


def report_metadata(report: "ArchiveReport") -> dict[str, Any]:
    """Return a report as the metadata of a materialization."""
    found = report.findings
    return {
        "rows": found.rows,
        "days_written": report.days_written,
        "files": report.files,
        "files_unchanged": report.unchanged,
        "files_not_published": len(report.not_published),
        "files_without_published_checksum": report.unverified,
        "mb": round(report.bytes / 1e6, 3),
        "out_of_order": found.out_of_order,
        "repeated": found.repeated,
        "outside_their_day": found.outside_day,
        "price_jumps": found.jumps,
        "holes": found.holes,
        "blank_cells": found.blanks,
        "mended": found.mended,
        "differs_from_rest": report.differs_from_rest,
        "seconds": round(report.seconds, 3),
        "waited_for_files_s": round(report.fetch_s, 3),
        "read_check_write_s": round(report.stream_s, 3),
        "parse_s": round(report.parse_s, 3),
        "check_s": round(report.check_s, 3),
        "write_s": round(report.write_s, 3),
    }
