"""The rehearsal of `benchmarks.strategies`: ledger and replay after a stretch of live market with shadows, accidents included.

    python -m benchmarks.strategies_rehearsal

prints one JSON object, the result of `hean rehearse`. Without a model, for ingest and training take longer than a short
rehearsal altogether. One shorter than the learning loop's four hours never learns a policy: nothing is pinned for it either.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HOURS = 0.2
SPEED = 40.0
LONG_SPEED = 65.0
"""Of a rehearsal longer than the learning loop's four hours: a day in 22 minutes."""
_LEARNS_FROM_H = 4.0
_LONGEST_S = 600.0  # beside the market: a cold machine compiles first
_HELD = (0, 7)


def rehearsal(hours: float = HOURS, speed: float | None = None, days: int = 0) -> dict[str, Any]:
    """Rehearse in a folder of its own and return the result.

    Parameters
    ----------
    hours, speed : float
        Of market; market seconds a second, by default `SPEED` or `LONG_SPEED`.
    days : int
        Of history to train on.

    Returns
    -------
    dict
        Among others ``ledger_difference_usd``, ``ledger_reconciles``, ``replay_identical``, ``trades``, ``blocks``, ``shadows``,
        ``rehearsed`` by strategy, and ``load``.

    Raises
    ------
    RuntimeError
        If a step failed; its words are in the message.

    """
    speed = speed or (SPEED if hours <= _LEARNS_FROM_H else LONG_SPEED)
    with tempfile.TemporaryDirectory(prefix="hean-rehearsal-") as folder:
        words = ["--hours", str(hours), "--speed", str(speed), "--days", str(days), "--json"]
        if hours <= _LEARNS_FROM_H:
            words.append("--no-synthetic-evidence")
        command = [
            sys.executable,
            "-m",
            "hean_live.cli",
            "rehearse",
            *words,
            "--home",
            str(Path(folder) / "home"),
        ]
        longest_s = _LONGEST_S + 2.0 * 3600.0 * hours / speed
        done = subprocess.run(command, capture_output=True, text=True, timeout=longest_s, check=False)
    if done.returncode not in _HELD:
        raise RuntimeError(f"the rehearsal ended with exit code {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    # `strategies` is the tournament's in the figures this is put beside.
    result["rehearsed"] = result.pop("strategies")
    return result


if __name__ == "__main__":
    print(json.dumps(rehearsal(), indent=1))
