"""One backfill: the range planned, then the same Dagster assets materialized in one in-process run.

The run is recorded in the home's Dagster instance. What does not belong here: arguments, printing, fetching.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hean_pipelines.defs.market_data.specs import SNAPSHOTS, history_specs
from hean_pipelines.instance import open_instance
from hean_pipelines.living import process_tag
from hean_pipelines.settings import PipelineSettings
from models.errors import ConfigError, DataError

if TYPE_CHECKING:
    import dagster as dg

DEFAULT_GROUP = "bybit"
Observe = Callable[[], AbstractContextManager[None]] | None


@dataclass(frozen=True)
class BackfillPlan:
    """What a backfill would do; `requests` maps dataset to about how many requests it takes."""

    first: date
    last: date
    symbols: tuple[str, ...]
    requests: dict[str, int]
    through: str = "lake"
    downstream: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class DatasetRow:
    """What was done for one dataset."""

    dataset: str
    rows: int
    days: int
    requests: int
    seconds: float
    remarks: str


@dataclass
class BackfillResult:
    """What the run did; `warnings` are failed checks and skipped symbols in words."""

    run_id: str
    success: bool
    seconds: float
    rows: list[DatasetRow] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    exit_code: int = 0


def plan_backfill(
    settings: PipelineSettings,
    first: date,
    last: date | None = None,
    *,
    symbols: tuple[str, ...] | None = None,
    datasets: tuple[str, ...] | None = None,
    through: str = "lake",
) -> BackfillPlan:
    """Check the wishes and say what they cost; asks nobody.

    Raises
    ------
    ConfigError
        If the range leaves the partitions, or a dataset or symbol cannot be.

    """
    from hean_pipelines.partitions import daily_partitions

    keys = daily_partitions(settings)
    last = last or date.fromisoformat(keys.get_last_partition_key() or settings.partitions_start.isoformat())
    for day in (first, last):
        if not keys.has_partition_key(day.isoformat()):
            raise ConfigError(
                f"{day} is no partition: expected {keys.get_first_partition_key()} to {keys.get_last_partition_key()}",
                remedy="choose other days or set HEAN_PIPELINES_PARTITIONS_START / _PARTITIONS_END",
            )
    if first > last:
        raise ConfigError(f"--start {first} must not be after --end {last}")
    chosen_symbols = symbols or settings.universe
    wrong = [symbol for symbol in chosen_symbols if not re.fullmatch(r"[A-Z0-9]+", symbol)]
    if wrong:
        raise ConfigError(f"expected upper-case symbols such as BTCUSDT, was {', '.join(wrong)}")
    days = (last - first).days + 1
    chosen = chosen_datasets(settings, days, len(chosen_symbols), datasets or (DEFAULT_GROUP,))
    downstream = () if through == "lake" else _downstream(_definitions(settings, through))
    return BackfillPlan(first, last, tuple(chosen_symbols), chosen, through, downstream)


def chosen_datasets(
    settings: PipelineSettings, days: int, symbols: int, wanted: tuple[str, ...]
) -> dict[str, int]:
    """Return the datasets of names and groups with about how many requests each takes.

    Groups are ``bybit`` (its REST history and snapshots), ``binance``, ``okx``, ``coinglass``, ``sentiment``, ``files`` (what is
    published as files only) and ``all``.

    Raises
    ------
    ConfigError
        For a name that is neither.

    """
    groups = dataset_groups(settings, days, symbols)
    every = {name: cost for group in groups.values() for name, cost in group.items()}
    groups["all"] = every
    unknown = [name for name in wanted if name not in every and name not in groups]
    if unknown:
        raise ConfigError(
            f"unknown datasets {', '.join(unknown)}",
            remedy=f"known are the groups {', '.join(groups)} and {', '.join(every)}",
        )
    names = {name for want in wanted for name in (groups.get(want) or {want: 0})}
    return {name: cost for name, cost in every.items() if name in names}


def dataset_groups(settings: PipelineSettings, days: int, symbols: int) -> dict[str, dict[str, int]]:
    """Return what can be backfilled, by group, with about how many requests it takes."""
    from hean_pipelines.defs.archives.assets import BOOKS
    from hean_pipelines.defs.archives.specs import archive_specs
    from hean_pipelines.defs.other_venues.assets import FEAR_GREED
    from hean_pipelines.defs.other_venues.snapshots import coinglass_snapshots, venue_snapshots
    from hean_pipelines.defs.other_venues.specs import venue_histories

    groups: dict[str, dict[str, int]] = {
        DEFAULT_GROUP: {s.dataset.name: s.expected_requests(days, symbols) for s in history_specs(settings)},
        "binance": {},
        "okx": {},
        "coinglass": {spec.dataset: symbols for spec in coinglass_snapshots()},
        "sentiment": {FEAR_GREED: 1},
        "files": {},
    }
    groups[DEFAULT_GROUP] |= dict.fromkeys(SNAPSHOTS, 1)
    for spec in venue_histories():
        groups[spec.venue][spec.history.dataset.name] = spec.history.expected_requests(days, symbols)
    for snapshot in venue_snapshots():
        groups[snapshot.dataset.removeprefix("raw_").partition("__")[0]][snapshot.dataset] = 2
    continued = {name for group in groups.values() for name in group}
    groups["files"][BOOKS] = days * symbols
    for archive in archive_specs(settings):
        if archive.dataset.name not in continued:
            groups["files"][archive.dataset.name] = days * symbols
    return groups


def run_backfill(
    settings: PipelineSettings, plan: BackfillPlan, *, observe: Observe = None
) -> BackfillResult:
    """Materialize the plan; one run, or runs of `days_per_run` days when the settings say so.

    Returns
    -------
    BackfillResult
        Of the last run, with the rows of all; a failed run is in it, not raised.

    """
    definitions = _definitions(settings, plan.through)
    result: BackfillResult | None = None
    with open_instance(settings) as instance:
        for first, last in _ranges(plan, settings.days_per_run):
            final = last == plan.last
            with (observe or nullcontext)():
                one = _run(definitions, instance, plan, first, last, process_tag(settings), downstream=final)
            result = one if result is None else _added(result, one)
            if not one.success:
                break
    if result is None:  # pragma: no cover - a plan has at least one day
        raise DataError("the plan has no days")
    return result


def _run(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    plan: BackfillPlan,
    first: date,
    last: date,
    tags: dict[str, str],
    *,
    downstream: bool,
) -> BackfillResult:
    import dagster as dg

    from hean_pipelines.partitions import RANGE_END_TAG, RANGE_START_TAG

    started = time.perf_counter()
    names = [*plan.requests, *(plan.downstream if downstream else ())]
    done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in names],
        tags=tags | {RANGE_START_TAG: first.isoformat(), RANGE_END_TAG: last.isoformat()},
        run_config={
            "ops": {name: {"config": {"symbols": list(plan.symbols)}} for name in plan.requests},
            "loggers": {
                "console": {"config": {"log_level": "CRITICAL"}}
            },  # the result is told in words below
        },
        raise_on_error=False,
    )
    result = BackfillResult(done.run_id, done.success, time.perf_counter() - started)
    for event in done.get_asset_materialization_events():
        _note(result, event.materialization)
    for check in done.get_asset_check_evaluations():
        if not check.passed:
            result.warnings.append(
                f"check {check.check_name} of {check.asset_key.to_user_string()}: {check.description}"
            )
    for event in done.filter_events(lambda event: event.is_step_failure):
        words, code = _failure(event)
        result.errors.append(f"{event.step_key}: {words}")
        result.exit_code = result.exit_code or code
    if not done.success and not result.errors:
        result.errors.append("the run failed; see it in Dagster's UI")
    if not done.success:
        result.exit_code = result.exit_code or DataError.exit_code
    return result


def _note(result: BackfillResult, materialization: dg.AssetMaterialization) -> None:
    # A range leaves one event per day, all with the same metadata: the first one says it all.
    name = materialization.asset_key.to_user_string()
    if any(row.dataset == name for row in result.rows):
        return
    values: dict[str, Any] = {key: value.value for key, value in materialization.metadata.items()}
    without, skipped = values.get("symbols_without_history") or [], values.get("symbols_skipped") or {}
    remarks = [f"no history: {', '.join(without)}"] if without else []
    remarks += [f"skipped: {', '.join(skipped)}"] if skipped else []
    rows = values.get("rows", values.get("dagster/row_count", 0))
    result.rows.append(
        DatasetRow(
            name,
            rows,
            values.get("days_written", 0),
            values.get("requests", 0),
            float(values.get("seconds", 0.0)),
            "; ".join(remarks),
        )
    )
    result.warnings += [f"{name} skipped {reason}" for reason in skipped.values()]


def _failure(event: Any) -> tuple[str, int]:
    """Return a failed step's reason in words and its exit code."""
    data = event.step_failure_data
    told = data.user_failure_data
    if told is not None and told.description:
        code = told.metadata.get("exit_code")
        return str(told.description), DataError.exit_code if code is None else int(code.value)
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return ("failed" if error is None else str(error.message).strip()), DataError.exit_code


def _ranges(plan: BackfillPlan, days_per_run: int) -> Iterator[tuple[date, date]]:
    step = days_per_run or plan.days
    for offset in range(0, plan.days, step):
        first = plan.first + timedelta(days=offset)
        yield first, min(first + timedelta(days=step - 1), plan.last)


def _added(old: BackfillResult, new: BackfillResult) -> BackfillResult:
    rows = {row.dataset: row for row in old.rows}
    for row in new.rows:
        was = rows.get(row.dataset)
        rows[row.dataset] = (
            row
            if was is None
            else DatasetRow(
                row.dataset,
                was.rows + row.rows,
                was.days + row.days,
                was.requests + row.requests,
                was.seconds + row.seconds,
                row.remarks or was.remarks,
            )
        )
    return BackfillResult(
        new.run_id,
        new.success,
        old.seconds + new.seconds,
        list(rows.values()),
        [*dict.fromkeys(old.warnings + new.warnings)],
        new.errors,
        new.exit_code,
    )


def _definitions(settings: PipelineSettings, through: str) -> dg.Definitions:
    if through == "lake":
        import dagster as dg

        from hean_pipelines.defs.archives.assets import archive_definitions
        from hean_pipelines.defs.market_data import market_data_definitions
        from hean_pipelines.defs.other_venues.assets import other_venue_definitions

        return dg.Definitions.merge(
            market_data_definitions(settings),
            archive_definitions(settings),
            other_venue_definitions(settings),
        )
    from hean_pipelines.build import build_definitions

    return build_definitions(settings)


def _downstream(definitions: dg.Definitions) -> tuple[str, ...]:
    """Return what lies between the raw data and the features, features included."""
    import dagster as dg

    graph = definitions.resolve_asset_graph()
    wanted = dg.AssetSelection.groups("features").upstream() - dg.AssetSelection.groups(
        "market_data", "own_activity"
    )
    return tuple(key.to_user_string() for key in graph.toposorted_asset_keys if key in wanted.resolve(graph))
