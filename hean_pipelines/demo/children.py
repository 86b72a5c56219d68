"""The demo's processes: each a `hean` command with its log, its time and its memory; none outlives the demo.

Here belongs starting, measuring and ending processes. Which commands run in which order is `road`'s business.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import HeanError

_TAIL_LINES = 12


class ChildFailed(HeanError):
    """A command of the demo ended with an error."""


@dataclass(frozen=True)
class Usage:
    """What a finished process took: wall seconds and the largest resident memory in MB."""

    seconds: float
    peak_mb: float


class Children:
    """Starts `hean` commands with a common environment and ends what still runs.

    Parameters
    ----------
    logs : Path
        Folder of one log file a command.
    environment : mapping of str to str
        Added to this process's own.

    """

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self.logs = logs
        self.environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def run(
        self, name: str, arguments: Sequence[str], timeout_s: float, module: str = "hean_live.cli"
    ) -> Usage:
        """Run one command, or another module, to its end.

        Raises
        ------
        ChildFailed
            If it ends with an error or takes longer than `timeout_s`; the end of its log is in the message.

        """
        process = self._start(name, arguments, capture=False, module=module)
        deadline = time.monotonic() + timeout_s
        started = time.monotonic()
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                self._end(name, grace_s=2.0)
                raise ChildFailed(
                    f"{name} took longer than {timeout_s:g} s", remedy=f"see {self.log_of(name)}"
                )
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        del self._running[name]
        if process.returncode != 0:
            raise self._failure(name, process.returncode)
        return Usage(time.monotonic() - started, usage.ru_maxrss / 1024.0)

    def start(self, name: str, arguments: Sequence[str], timeout_s: float) -> dict[str, Any]:
        """Start a command that goes on, and return the JSON line it prints when it is ready."""
        process = self._start(name, arguments, capture=True, module="hean_live.cli")
        assert process.stdout is not None  # noqa: S101 - asked for above
        deadline = time.monotonic() + timeout_s
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0.0))[0]:
                raise ChildFailed(
                    f"{name} was not ready within {timeout_s:g} s", remedy=f"see {self.log_of(name)}"
                )
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                raise self._failure(name, process.wait())
            line += piece
        try:
            ready: dict[str, Any] = json.loads(line.splitlines()[0])
        except ValueError as error:
            raise ChildFailed(
                f"{name} should print one JSON line when ready, printed {line[:80]!r}"
            ) from error
        return ready

    def peak_mb(self, name: str) -> float:
        """Return the largest resident memory so far of a command that goes on, MB; 0 if it is gone."""
        process = self._running.get(name)
        with contextlib.suppress(OSError, AttributeError):
            for row in Path(f"/proc/{process.pid}/status").read_text().splitlines():  # type: ignore[union-attr]
                if row.startswith("VmHWM:"):
                    return float(row.split()[1]) / 1024.0
        return 0.0

    def cpu_s(self, name: str) -> float:
        """Return the seconds of CPU a command that goes on has taken, its ended children included; 0 if it is gone."""
        process = self._running.get(name)
        with contextlib.suppress(OSError, AttributeError):
            text = Path(f"/proc/{process.pid}/stat").read_text()  # type: ignore[union-attr]
            # The name in brackets may hold blanks; the times are the 14th to 17th field.
            return sum(map(int, text.rpartition(")")[2].split()[11:15])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def alive(self, name: str) -> bool:
        """Whether a started command still runs."""
        return name in self._running and self._running[name].poll() is None

    def stop(self, name: str, grace_s: float = 20.0) -> int:
        """End a command that goes on with SIGTERM and return its exit code."""
        return self._end(name, grace_s)

    def kill(self, name: str) -> None:
        """End a command that goes on as a crash would: at once, by SIGKILL."""
        process = self._running.pop(name)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def log_of(self, name: str) -> Path:
        """Return a command's log file."""
        return self.logs / f"{name}.log"

    def close(self) -> None:
        """End everything that still runs."""
        for name in list(self._running):
            self._end(name, grace_s=5.0)

    def _start(
        self, name: str, arguments: Sequence[str], *, capture: bool, module: str
    ) -> subprocess.Popen[bytes]:
        with self.log_of(name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if capture else log,
                stderr=log,
                start_new_session=True,  # so that a whole command with its own children can be ended
            )
        self._running[name] = process
        return process

    def _end(self, name: str, grace_s: float) -> int:
        process = self._running.pop(name)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(grace_s)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return int(process.returncode)

    def _failure(self, name: str, code: int) -> ChildFailed:
        self._running.pop(name, None)
        log = self.log_of(name)
        tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:] if log.is_file() else []
        return ChildFailed(
            f"{name} ended with exit code {code}:\n    " + "\n    ".join(tail),
            remedy=f"the whole log is {log}",
        )
