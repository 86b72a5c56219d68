"""The asset of recorded tape, with its checks: what the executor's recorder kept, one file a symbol and day.

Wiring only: the work is in `tape_ingest.py`, the segments in `hean_pipelines.sources.recorded_tape`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.defs.market_data.assets import GROUP, partition_days, told_plainly
from hean_pipelines.partitions import backfill_policy, beta_features
from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from hean_pipelines.defs.market_data.tape_ingest import TapeReport

NAME = "raw_bybit__tape"
FOLDER = "tape"
_WORDS = {
    "segments_whole": "Every segment's bytes are those its index vouches for.",
    "nothing_dropped": "The recorder kept every message it was given.",
    "no_holes": "Recording was never interrupted for more than a minute.",
    "readable": "Every line of the recording could be read.",
    "no_gaps": "The order books' sequences never broke.",
}
_COLUMNS = {
    "local_ts": "i64",
    "exch_ts": "i64",
    "kind": "u8",
    "side": "i8",
    "price": "f64",
    "size": "f64",
}


def tape_asset(settings: PipelineSettings, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset that takes recorded segments into the lake."""

    # No return annotation: with check specs Dagster would want a tuple of all outputs.
    def compute(context: dg.AssetExecutionContext):
        from hean_pipelines.defs.market_data.tape_ingest import ingest_day

        first, last = partition_days(context)
        days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
        with told_plainly():
            reports = [ingest_day(settings.home / FOLDER, settings.lake_root, day) for day in days]
        return dg.MaterializeResult(metadata=tape_metadata(reports), check_results=tape_checks(reports))

    with beta_features():
        return dg.asset(
            name=NAME,
            description="Recorded public streams as event tape: book, trades, liquidations, mark, index, open "
            "interest, by receive time. Days nothing was recorded of have no file.",
            partitions_def=partitions,
            backfill_policy=backfill_policy(settings),
            group_name=GROUP,
            kinds={"bybit", "parquet"},
            check_specs=[
                dg.AssetCheckSpec(name, asset=NAME, description=words) for name, words in _WORDS.items()
            ],
            metadata={
                "folder": str(settings.lake_root / NAME),
                "segments": str(settings.home / FOLDER),
                "dagster/column_schema": dg.TableSchema(
                    [dg.TableColumn(name, kind) for name, kind in _COLUMNS.items()]
                ),
            },
        )(compute)


def tape_metadata(reports: "list[TapeReport]") -> dict[str, Any]:
    """Return what an ingestion found as the metadata of a materialization."""
    return {
        "rows": sum(sum(report.rows.values()) for report in reports),
        "rows_by_symbol": _added([report.rows for report in reports]),
        "messages": sum(report.messages for report in reports),
        "segments": sum(report.segments for report in reports),
        "segments_recovered": sum(report.recovered for report in reports),
        "days_recorded": sum(report.segments > 0 for report in reports),
    }


def tape_checks(reports: "list[TapeReport]") -> list[dg.AssetCheckResult]:
    """Judge an ingestion; a damaged segment is an error, all else a warning."""
    damaged = [name for report in reports for name in report.damaged]
    dropped = sum(report.dropped for report in reports)
    holes = {str(report.day): report.holes_s for report in reports if report.holes_s}
    unreadable = sum(report.stats.malformed for report in reports if report.stats is not None)
    gaps = _added([report.gaps for report in reports])
    return [
        _result("segments_whole", not damaged, {"damaged": damaged}, warn=False),
        _result("nothing_dropped", dropped == 0, {"dropped": dropped}),
        _result("no_holes", not holes, {"holes_s": holes}),
        _result("readable", unreadable == 0, {"unreadable": unreadable}),
        _result("no_gaps", not any(gaps.values()), {"gaps": gaps}),
    ]


def _result(name: str, passed: bool, metadata: dict[str, Any], *, warn: bool = True) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.WARN if warn else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, metadata=metadata)


def _added(counts: "list[dict[str, int]]") -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    return total
