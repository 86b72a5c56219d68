"""Failed runs as alerts (R4): retrains, ingestions, any job. Said once while a job keeps failing, and again after it worked."""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
import time
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    from models.alerts import Alert

_MOST_CHARACTERS = 1500
_AD_HOC = "__ASSET_JOB"


def failure_sensors(settings: PipelineSettings) -> list[dg.SensorDefinition]:
    """Return the sensors that tell of failed runs, and of the first that works again."""
    status = dg.DefaultSensorStatus.RUNNING if settings.schedules_running else dg.DefaultSensorStatus.STOPPED

    def tell(alert: "Alert") -> None:
        from hean_pipelines.resources.alert_delivery import Alerts

        Alerts.from_settings(settings).tell(alert)

    @dg.run_failure_sensor(
        name="failed_runs",
        default_status=status,
        description="Alert when a retrain, an ingestion or any other run fails; once while it keeps failing.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        tell(failure_alert(context, time.time_ns()))

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="recovered_runs",
        default_status=status,
        description="Say that a job whose failure was told works again.",
    )
    def recovered_runs(context: dg.RunStatusSensorContext) -> None:
        from models.alerts import Alert

        words = f"run {context.dagster_run.run_id} succeeded"
        tell(Alert(_code(context.dagster_run), words, "info", time.time_ns(), over=True))

    return [failed_runs, recovered_runs]


def failure_alert(context: dg.RunFailureSensorContext, at_ns: int) -> "Alert":
    """Return the alert of a failed run: which steps, why, and where to look."""
    from models.alerts import Alert

    steps = []
    for event in context.get_step_failure_events():
        data = event.step_failure_data
        told = data.user_failure_data.description if data.user_failure_data is not None else None
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        steps.append(f"{event.step_key}: {told or (error.message.strip() if error else 'failed')}")
    reason = "; ".join(steps) or context.failure_event.message or "the run failed"
    run = context.dagster_run
    words = f"{reason[:_MOST_CHARACTERS]} See run {run.run_id} in Dagster's UI (`hean dev`)."
    return Alert(_code(run), words, "warning", at_ns)


def _code(run: dg.DagsterRun) -> str:
    if run.job_name != _AD_HOC:
        return f"RUN_FAILED {run.job_name}"
    names = sorted(key.to_user_string() for key in run.asset_selection or ())
    shown = ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
    return f"RUN_FAILED {shown or 'assets'}"
