"""Dagster's own folder: where runs and events are kept, and how many ops may share a resource.

Here belongs making `<home>/dagster` and its `dagster.yaml`; a file that is there already is the user's and is left alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from hean_pipelines.settings import PipelineSettings

DAGSTER_YAML = """\
# Written once by hean; yours to change. SQLite under this folder keeps runs and events.
# For more than one machine, put Postgres under `storage`.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    # One op at a time per pool: DuckDB locks its file for one process, MLflow's SQLite wants one writer.
    granularity: op
    default_limit: 1
  runs:
    max_concurrent_runs: 2
event_log_storage:
  # The same tables as Dagster's own SQLite log, one commit a batch: a year of days leaves thousands of events.
  module: hean_pipelines.resources.event_log
  class: BatchingSqliteEventLogStorage
run_monitoring:
  # A run whose process died is marked as failed instead of hanging for ever.
  enabled: true
  start_timeout_seconds: 300
  free_slots_after_run_end_seconds: 60
"""


_BEGINNING = ".opening.lock"
"""Held while the folder or its tables are made."""


def prepare_instance_folder(settings: PipelineSettings) -> Path:
    """Make Dagster's folder with its configuration, and point this process (and its children) at it."""
    import filelock

    folder = settings.dagster_home
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "dagster.yaml"
    with filelock.FileLock(folder / _BEGINNING):
        if not path.exists():
            path.write_text(DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    os.environ.setdefault("DAGSTER_TELEMETRY_DISABLED", "1")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return folder


def open_instance(settings: PipelineSettings) -> DagsterInstance:
    """Return the persistent instance of this home; the caller closes it (it is a context manager).

    Runs whose process was killed are marked as failed first, and what they held is freed.
    """
    import filelock
    from dagster import DagsterInstance

    from hean_pipelines.living import free_the_dead

    folder = prepare_instance_folder(settings)
    # Dagster makes its tables when it finds none; two processes on a new home would both make them, and one would fail.
    with filelock.FileLock(folder / _BEGINNING):
        instance = DagsterInstance.from_config(str(folder))
        _ = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    free_the_dead(instance, settings)
    return instance
