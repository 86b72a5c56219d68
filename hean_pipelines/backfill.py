"""One backfill: a plan's Dagster assets materialized in one in-process run.

The run is recorded in the home's Dagster instance. What does not belong here: the plan (`backfill_plan.py`), arguments, printing,
fetching.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hean_pipelines.backfill_plan import BackfillPlan, planned_definitions
from hean_pipelines.instance import open_instance
from hean_pipelines.living import process_tag
from hean_pipelines.settings import PipelineSettings
from models.errors import DataError

if TYPE_CHECKING:
    import dagster as dg

Observe = Callable[[], AbstractContextManager[None]] | None


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


def run_backfill(
    settings: PipelineSettings, plan: BackfillPlan, *, observe: Observe = None
) -> BackfillResult:
    """Materialize the plan; one run, or runs of `days_per_run` days when the settings say so.

    Returns
    -------
    BackfillResult
        Of the last run, with the rows of all; a failed run is in it, not raised.

    """
    definitions = planned_definitions(settings, plan.through)
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
