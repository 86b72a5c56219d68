"""The short rehearsal of `benchmarks.strategies --quick`: ledger and replay after a stretch of live market, accidents included.

    python -m benchmarks.strategies_rehearsal

prints one JSON object, the result of `hean rehearse`. Without a model, for ingest and training take longer than all of this.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HOURS = 0.2
SPEED = 60.0
_LONGEST_S = 600.0  # a cold machine compiles first
_HELD = (0, 7)


def rehearsal(hours: float = HOURS, speed: float = SPEED, days: int = 0) -> dict[str, Any]:
    """Rehearse in a folder of its own and return the result.

    Parameters
    ----------
    hours, speed : float
        Of market; market seconds a second.
    days : int
        Of history to train on.

    Returns
    -------
    dict
        Among others ``ledger_difference_usd``, ``ledger_reconciles``, ``replay_identical``, ``trades``, ``blocks``.

    Raises
    ------
    RuntimeError
        If a step failed; its words are in the message.

    """
    with tempfile.TemporaryDirectory(prefix="hean-rehearsal-") as folder:
        words = ["--hours", str(hours), "--speed", str(speed), "--days", str(days), "--json"]
        command = [
            sys.executable,
            "-m",
            "hean_live.cli",
            "rehearse",
            *words,
            "--home",
            str(Path(folder) / "home"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    if done.returncode not in _HELD:
        raise RuntimeError(f"the rehearsal ended with exit code {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    print(json.dumps(rehearsal(), indent=1))
