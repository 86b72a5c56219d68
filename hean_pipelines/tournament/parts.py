"""Markets of a tournament that are done, put by so that an interrupted one goes on where it was.

A part belongs to its task and to the sources it was traded with: after a change of `models` it is not found any more. Here
belong files; the folder goes when the tournament is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

import models
from hean_pipelines.report.build import write_whole
from hean_pipelines.tournament.run import Done, Task
from models.simulation.bank.records import TRIP

FOLDER: Final = "parts"
_EVENTS: Final = "events"


class Parts:
    """Finished markets in a folder.

    Parameters
    ----------
    folder : Path
        Of the tournament; parts are in one of their own within it.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._sources = _state_of_sources()

    def load(self, task: Task) -> Done | None:
        """Return what came of a task, if it was put by by the same sources; a broken file counts as none."""
        path = self._path(task)
        try:
            with np.load(path, allow_pickle=False) as held:
                trips = {name: held[name].astype(TRIP) for name in task.names}
                return Done(task, trips, int(held[_EVENTS]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, done: Done) -> None:
        """Put a finished market by.

        Raises
        ------
        DataError
            If it cannot be written.

        """
        held = io.BytesIO()
        np.savez_compressed(held, **{_EVENTS: np.int64(done.events)}, **done.trips)  # type: ignore[arg-type]
        write_whole(self._path(done.task), held.getvalue())

    def drop(self) -> None:
        """Remove all parts: the tournament is whole."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, task: Task) -> Path:
        facts = json.dumps([asdict(task), self._sources], sort_keys=True)
        return (
            self._folder
            / f"{task.symbol}-{task.scenario}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}.npz"
        )


def _state_of_sources() -> str:
    digest = hashlib.sha256()
    root = Path(models.__path__[0])
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
