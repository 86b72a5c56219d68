"""Which runs' processes live: what a killed one held in Dagster is given back.

A run holds a slot of its pool in Dagster's database, and a process killed outright cannot return it: the next run would wait for
ever. So every process that runs something here holds a lock of the operating system, whose name is a tag of its runs; the kernel
drops the lock however the process ends. Whoever opens the instance next marks runs of dead processes as failed and frees their
slots. Runs that the daemon started are its own business (`run_monitoring` in `dagster.yaml`).
"""

from __future__ import annotations

import atexit
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from hean_pipelines.settings import PipelineSettings

TAG = "hean/process"
_held: dict[Path, filelock.BaseFileLock] = {}


def process_tag(settings: PipelineSettings) -> dict[str, str]:
    """Return the tag for runs of this process, and hold its lock from now on."""
    folder = _folder(settings)
    if folder not in _held:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{secrets.token_hex(8)}.lock"
        lock = filelock.FileLock(path)
        lock.acquire()
        _held[folder] = lock
        atexit.register(_let_go, lock, path)
    return {TAG: Path(_held[folder].lock_file).name}


def free_the_dead(instance: DagsterInstance, settings: PipelineSettings) -> list[str]:
    """Mark the unfinished runs of dead processes as failed and free their slots; returns their ids."""
    from dagster import DagsterRunStatus, RunsFilter

    unfinished = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    freed = []
    for run in instance.get_runs(filters=RunsFilter(statuses=unfinished)):
        name = run.tags.get(TAG)
        if name is None or _lives(_folder(settings) / name):
            continue
        instance.report_run_failed(run, "The process of this run ended before the run did.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        freed.append(run.run_id)
    return freed


def _lives(path: Path) -> bool:
    if any(Path(lock.lock_file) == path for lock in _held.values()):
        return True
    if not path.exists():
        return False
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    path.unlink(missing_ok=True)
    return False


def _folder(settings: PipelineSettings) -> Path:
    return settings.dagster_home / "processes"


def _let_go(lock: filelock.BaseFileLock, path: Path) -> None:
    lock.release(force=True)
    path.unlink(missing_ok=True)
