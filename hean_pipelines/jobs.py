"""One job of assets, run here and now, recorded in the home's Dagster instance.

Here belong the runs behind `hean train` and `hean learn`, with a line of progress a step. Which assets a job holds is said in
`hean_pipelines.defs.schedules`, fetching a range of days in `hean_pipelines.backfill`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from models.errors import HeanError

if TYPE_CHECKING:
    import dagster as dg

    from hean_pipelines.settings import PipelineSettings

OnStep = Callable[[str, int, int], None]
"""Told a step's name, how many are done and how many there are."""


class JobFailed(HeanError):
    """A step of the job failed; what was finished before it stays."""


@dataclass
class JobResult:
    """What a run did.

    Attributes
    ----------
    run_id : str
        To find it in Dagster's UI.
    seconds : float
    metadata : dict of str to dict
        Of each materialised asset, by its name.
    failed_checks : list of str
        Checks that did not pass, in words; blocking ones fail the run.

    """

    run_id: str
    seconds: float
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed_checks: list[str] = field(default_factory=list)


def run_selection(
    settings: "PipelineSettings",
    selection: "dg.AssetSelection",
    *,
    days: tuple[date, date] | None = None,
    on_step: OnStep | None = None,
) -> JobResult:
    """Materialise a selection in this process.

    Parameters
    ----------
    settings : PipelineSettings
    selection : dagster.AssetSelection
    days : (date, date), optional
        First and last day, where the selection holds daily partitioned assets.
    on_step : callable, optional

    Raises
    ------
    JobFailed
        If a step or a blocking check failed; the message says which and why.

    """
    import dagster as dg

    from hean_pipelines.build import build_definitions
    from hean_pipelines.instance import open_instance
    from hean_pipelines.living import process_tag
    from hean_pipelines.partitions import RANGE_END_TAG, RANGE_START_TAG

    started = time.monotonic()
    definitions = build_definitions(settings)
    keys = selection.resolve(definitions.resolve_asset_graph())
    total = len({key.to_user_string() for key in keys})
    job = dg.Definitions.merge(
        definitions, dg.Definitions(loggers={"steps": _progress_logger(on_step, total)})
    ).resolve_implicit_global_asset_job_def()
    tags = {RANGE_START_TAG: days[0].isoformat(), RANGE_END_TAG: days[1].isoformat()} if days else {}
    # Naming a logger here silences Dagster's own on the console, which would tell every event.
    chosen = {"loggers": {"steps": {}}}
    with open_instance(settings) as instance:
        done = job.execute_in_process(
            instance=instance,
            asset_selection=sorted(keys),
            tags=tags | process_tag(settings),
            run_config=chosen,
            raise_on_error=False,
        )
    result = JobResult(done.run_id, time.monotonic() - started)
    for event in done.get_asset_materialization_events():
        name = event.materialization.asset_key.to_user_string()
        result.metadata[name] = {k: v.value for k, v in event.materialization.metadata.items()}
    result.failed_checks = [
        f"{check.asset_key.to_user_string()}: {check.check_name}"
        for check in done.get_asset_check_evaluations()
        if not check.passed
    ]
    if not done.success:
        raise JobFailed(_why(done), remedy=f"see run {done.run_id} in Dagster's UI (`hean dev`)")
    return result


def _why(done: Any) -> str:
    reasons = []
    for event in done.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        told = data.user_failure_data.description if data.user_failure_data is not None else None
        reasons.append(f"{event.step_key}: {told or (error.message.strip() if error else 'failed')}")
    return "\n".join(reasons) or "the run failed"


def _progress_logger(on_step: OnStep | None, total: int) -> "dg.LoggerDefinition":
    """Return a Dagster logger that tells finished steps and prints nothing itself."""
    import dagster as dg

    class Steps(logging.Handler):
        done = 0

        def emit(self, record: logging.LogRecord) -> None:
            event = (getattr(record, "dagster_meta", None) or {}).get("dagster_event")
            if event is not None and event.is_step_success and on_step is not None:
                self.done += 1
                on_step(str(event.step_key), self.done, total)

    @dg.logger(description="Progress of a run started from the command line.")
    def steps(context: dg.InitLoggerContext) -> logging.Logger:
        log = logging.Logger("hean.steps", logging.DEBUG)
        log.addHandler(Steps())
        return log

    return steps
