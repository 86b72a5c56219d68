"""The asset checks of market data: one op per asset that reads its days once and judges them in every way.

The judging is in `checks.py`. Days judged: the run's partitions when it has some, else the newest 30 days with
data; never more than a year at once.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.partitions import RANGE_END_TAG, RANGE_START_TAG
from hean_pipelines.resources.lake_schemas import Dataset
from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from hean_pipelines.defs.market_data.checks import Outcome
    from hean_pipelines.resources.lake import Lake

FUNDING = "raw_bybit__settlement_funding"
INSTRUMENTS = "raw_bybit__snapshot_instruments"
RECENT_DAYS = 30
MOST_DAYS = 366
_GRACE_S = 600
_SNAPSHOT_ALLOWED_S = 7200
_WORDS = {
    "gaps": "No two neighbouring rows are further apart than the dataset's spacing.",
    "duplicates": "No two rows have the same key.",
    "order": "Rows stand in order of time.",
    "out_of_range": "Values are possible: prices above zero, ratios within 0 and 1, bars consistent.",
    "caps": "Funding rates lie within the caps last seen before their settlement.",
    "freshness": "The newest row is recent by the venue's own clock.",
}


def check_names(dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the checks a dataset has."""
    names = ["duplicates", "order", "out_of_range", "freshness"]
    if dataset.cadence_s:
        names.insert(0, "gaps")
    if dataset.name == FUNDING:
        names.append("caps")
    return tuple(names)


def dataset_checks(dataset: Dataset, settings: PipelineSettings) -> dg.AssetChecksDefinition:
    """Return the checks of one dataset's asset."""
    specs = [
        dg.AssetCheckSpec(name, asset=dataset.name, description=_WORDS[name]) for name in check_names(dataset)
    ]

    # Each can be asked for by itself: the UI's button runs only such checks.
    @dg.multi_asset_check(specs=specs, name=f"{dataset.name}_checks", can_subset=True)
    def run_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        from hean_pipelines.resources.lake import Lake

        lake = Lake(settings.lake_root)
        span = evaluated_days(lake, dataset.name, dict(context.run.tags))
        now_ns = _venue_time_ns(context, dataset.name)
        wanted = {key.name for key in context.selected_asset_check_keys}
        for name, outcome in judge(lake, dataset, span, now_ns).items():
            if name not in wanted:
                continue
            severity = dg.AssetCheckSeverity.WARN if outcome.warn else dg.AssetCheckSeverity.ERROR
            yield dg.AssetCheckResult(
                asset_key=dataset.name,
                check_name=name,
                passed=outcome.passed,
                severity=severity,
                description=outcome.description,
                metadata={"days": " to ".join(map(str, span or ("none", "none"))), **outcome.metadata},
            )

    return run_checks


def evaluated_days(lake: "Lake", dataset: str, tags: dict[str, str]) -> tuple[date, date] | None:
    """Return the first and last day to judge, None when the lake has no day of the dataset."""
    start = tags.get(RANGE_START_TAG) or tags.get("dagster/partition")
    end = tags.get(RANGE_END_TAG) or start
    if start and end:
        last = date.fromisoformat(end)
        return max(date.fromisoformat(start), last - timedelta(days=MOST_DAYS - 1)), last
    newest = [days[-1] for symbol in lake.symbols(dataset) if (days := lake.dates(dataset, symbol))]
    return (max(newest) - timedelta(days=RECENT_DAYS - 1), max(newest)) if newest else None


def judge(
    lake: "Lake", dataset: Dataset, span: tuple[date, date] | None, venue_now_ns: int | None
) -> dict[str, "Outcome"]:
    """Run every check of a dataset over the days of `span`, symbol by symbol.

    Parameters
    ----------
    lake, dataset
        What to read; the dataset with its configured spacing.
    span : pair of dates or None
        Days, both included; None judges nothing, which passes except for freshness.
    venue_now_ns : int or None
        The venue's clock at the last ingestion; None when there was none.

    """
    from hean_pipelines.defs.market_data import checks

    found: dict[str, list[checks.Outcome]] = {name: [] for name in check_names(dataset)}
    if span is not None:
        for symbol in lake.symbols(dataset.name):
            _judge_symbol(lake, dataset, symbol, span, found)
    outcomes = {name: checks.merge(each) for name, each in found.items()}
    outcomes["freshness"] = _freshness(lake, dataset, span, venue_now_ns)
    return outcomes


def _judge_symbol(
    lake: "Lake", dataset: Dataset, symbol: str, span: tuple[date, date], found: dict[str, list["Outcome"]]
) -> None:
    import polars as pl

    from hean_pipelines.defs.market_data import checks

    first, last = span
    # One day more at the front, so that a hole at midnight between two partitions is seen.
    frame = lake.scan(dataset.name, [symbol], first - timedelta(days=1), last).collect()
    if frame.is_empty():
        return
    if dataset.cadence_s:
        found["gaps"].append(checks.check_gaps(frame, dataset.time, dataset.cadence_s))
    found["duplicates"].append(checks.check_duplicates(frame, dataset.key))
    found["order"].append(checks.check_order(frame, dataset.time))
    rules = checks.rules_for(dataset.name, frame.columns)
    found["out_of_range"].append(checks.check_values(frame, rules))
    if "caps" in found:
        columns = ["seen_at", "symbol", "upper_funding_rate", "lower_funding_rate"]
        seen = lake.scan(INSTRUMENTS, [symbol]).select(columns).collect()
        found["caps"].append(checks.check_funding_caps(frame.select(pl.exclude("available_at")), seen))


def _freshness(
    lake: "Lake", dataset: Dataset, span: tuple[date, date] | None, venue_now_ns: int | None
) -> "Outcome":
    import polars as pl

    from hean_pipelines.defs.market_data import checks
    from hean_pipelines.defs.market_data.ingest import day_of

    if venue_now_ns is None:
        return checks.Outcome(True, "nothing was ingested by this instance yet: age not judged", warn=True)
    if span is None:
        return checks.check_freshness(None, venue_now_ns, 0)
    if span[1] < day_of(venue_now_ns):
        return checks.Outcome(True, "these days are in the past: age not judged", warn=True)
    allowed_s = dataset.cadence_s + _GRACE_S if dataset.cadence_s else _SNAPSHOT_ALLOWED_S
    worst = None
    for symbol in lake.symbols(dataset.name):
        frame = lake.scan(dataset.name, [symbol], span[0], span[1])
        newest = frame.select(pl.col("available_at").max()).collect().item()
        outcome = checks.check_freshness(newest, venue_now_ns, allowed_s)
        if newest is not None and (worst is None or not outcome.passed):
            worst = outcome
    return worst or checks.check_freshness(None, venue_now_ns, allowed_s)


def _venue_time_ns(context: dg.AssetCheckExecutionContext, dataset: str) -> int | None:
    event = context.instance.get_latest_materialization_event(dg.AssetKey(dataset))
    if event is None or event.asset_materialization is None:
        return None
    value = event.asset_materialization.metadata.get("venue_time_ns")
    return value.value if isinstance(value, dg.IntMetadataValue) else None
