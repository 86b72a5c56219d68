"""Asking the registry now and then, in a process of its own that is never waited for.

`BundleWatcher.poll` is called by the executor's loop: it starts a fetch when one is due, collects a finished
one, kills one that takes too long. What a fetched version is good for is decided by
`hean_live.app.model_store`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hean_live.bundle.fetch import UNREACHABLE, sqlite_path


@dataclass(frozen=True)
class FetchResult:
    """What a fetch said: `status` as in `fetch.py`, and the version it found, if any."""

    status: str
    version: str = ""
    run_id: str = ""
    detail: str = ""


class BundleWatcher:
    """Watches one registered model.

    Parameters
    ----------
    tracking_uri, name, alias : str
    folder : Path
        Cache of this model's versions.
    every_s, timeout_s : float
        How often to ask, and how long an answer may take, in wall seconds.
    monotonic : callable
        Seconds that only grow.

    """

    def __init__(
        self,
        tracking_uri: str,
        name: str,
        alias: str,
        folder: Path,
        *,
        every_s: float,
        timeout_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._uri = tracking_uri
        self._name = name
        self._alias = alias
        self._folder = folder
        self._every_s = every_s
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._due_at = 0.0
        self._started_at = 0.0
        self._process: subprocess.Popen[str] | None = None
        self._seen: tuple[int, ...] | None = None
        self._asked: tuple[int, ...] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a fetch is under way."""
        return self._process is not None

    def poll(self, have: str) -> FetchResult | None:
        """Go on without waiting.

        Parameters
        ----------
        have : str
            Version in use, ``""`` if none.

        Returns
        -------
        FetchResult or None
            A result that has just arrived.

        """
        if self._process is not None:
            return self._collect()
        now = self._monotonic()
        if now < self._due_at:
            return None
        self._due_at = now + self._every_s
        stamp = self._registry_stamp()
        # A registry file that has not changed since it was last read has nothing new to say.
        if stamp is not None and stamp == self._seen:
            return None
        self._asked = stamp
        self._start(have, now)
        return None

    def close(self) -> None:
        """End a fetch under way."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self, have: str, now: float) -> None:
        command = [sys.executable, "-m", "hean_live.bundle.fetch", "--tracking-uri", self._uri]
        command += ["--name", self._name, "--alias", self._alias, "--dest", str(self._folder), "--have", have]
        self._started_at = now
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=None
        )

    def _collect(self) -> FetchResult | None:
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            if self._monotonic() - self._started_at < self._timeout_s:
                return None
            self.close()
            return FetchResult(UNREACHABLE, detail=f"no answer within {self._timeout_s:.0f} s")
        output, errors = process.communicate()
        self._process = None
        try:
            body = json.loads(output.splitlines()[-1])
            result = FetchResult(**{key: str(value) for key, value in body.items()})
        except (IndexError, ValueError, TypeError):
            last = errors.strip().splitlines()[-1:] or ["no output"]
            return FetchResult(UNREACHABLE, detail=f"the fetch ended with {process.returncode}: {last[0]}")
        if result.status != UNREACHABLE:
            self._seen = self._asked
        return result

    def _registry_stamp(self) -> tuple[int, ...] | None:
        path = sqlite_path(self._uri)
        if path is None:
            return None
        stamps = []
        for candidate in (path, path.with_name(path.name + "-wal")):
            try:
                stamps.append(candidate.stat().st_mtime_ns)
            except OSError:
                stamps.append(0)
        return tuple(stamps)
