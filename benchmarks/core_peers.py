"""The peers of `benchmarks.core`: environments of their own, made once, and processes that run the same tape on request.

hftbacktest pins an older NumPy than ours and nautilus_trader brings its own world, so neither shares our environment. Each gets
one under `HEAN_HOME`/benchmarks, made by uv from the index that is configured; a peer that cannot be had is a reason, no error.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent


class Environment(NamedTuple):
    """Name of an environment and what is installed into it."""

    name: str
    packages: tuple[str, ...]


HFTBACKTEST = Environment(
    "hftbacktest-2.4.4", ("hftbacktest==2.4.4", "numba==0.68.1", "orjson==3.11.4", "msgspec==0.20.0")
)
NAUTILUS = Environment("nautilus-1.221.0", ("nautilus_trader==1.221.0", "msgspec==0.20.0"))


class PeerError(Exception):
    """A peer that cannot run here, and why."""


def python_of(environment: Environment) -> Path:
    """Return the interpreter of an environment, making it when it is not there.

    Raises
    ------
    PeerError
        When there is no uv, or the packages cannot be installed.

    """
    folder = Path(os.environ.get("HEAN_HOME", "var")).resolve() / "benchmarks" / environment.name
    python = folder / "bin" / "python"
    if (folder / "complete").is_file():
        return python
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise PeerError("uv is not installed, so the peer's environment cannot be made")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(python), *environment.packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PeerError(f"{environment.name} could not be installed: {done.stderr.strip()[-300:]}")
    (folder / "complete").touch()
    return python


class Peer:
    """A process that answers each line with one run.

    Parameters
    ----------
    environment : Environment
    script : str
        File beside this one.
    arguments : list of str

    Raises
    ------
    PeerError
        When it cannot be had or does not start.

    """

    def __init__(self, environment: Environment, script: str, arguments: list[str]) -> None:
        command = [str(python_of(environment)), str(HERE / script), *arguments]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self.facts = self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            reason = self._errors.read().strip().splitlines()
            self.close()
            raise PeerError(f"ended early: {reason[-1][:300] if reason else 'no message'}")
        return json.loads(line)

    def run(self) -> dict[str, Any]:
        """Let it run once."""
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()
