"""Executors with shadows over loopback, one after another in one folder, on a market of order flow whose speed a test sets."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hean_live.app.runner import Runner
from tests.live.support import local_settings, make_runner
from tests.local_testnet.server import RunningTestnet

START_MS = 1_748_764_200_000  # 2025-06-01T07:50Z, ten minutes before a settlement
SPEED = 40.0
LONGEST_S = 90.0


class Lives:
    """Executors of one folder."""

    def __init__(self, home: Path, testnet: RunningTestnet) -> None:
        self._settings = local_settings(
            home,
            testnet,
            streams=True,
            shadows=True,
            market_clock="venue",
            reconcile_s=1.0,
            stream_fresh_s=10.0 * SPEED,
            max_ticker_age_s=60.0 + 5.0 * SPEED,
            max_signal_age_s=60.0 + 3.0 * SPEED,
            max_quotes_age_s=5.0 + 3.0 * SPEED,
        )
        self._running: list[Runner] = []

    def start(self) -> Runner:
        runner = make_runner(self._settings)
        self._running.append(runner)
        return runner

    def stop(self) -> None:
        while self._running:
            self._running.pop().shut_down("the test says so")


def poll_until(runner: Runner, done: Callable[[], bool]) -> None:
    """Poll at the pace of an executor; the testnet's clock runs by itself."""
    deadline = time.monotonic() + LONGEST_S
    while not done():
        if time.monotonic() > deadline:
            shadows = runner._parts.shadows
            raise AssertionError(f"not done: {shadows and shadows.problem}, {runner._parts.alarms.active}")
        runner.poll()
        time.sleep(0.05)


def at_work(runner: Runner) -> Callable[[], bool]:
    shadows = runner._parts.shadows
    assert shadows is not None
    return lambda: not shadows.problem


def count(runner: Runner, query: str) -> int:
    return int(runner._parts.journal._db.execute(query).fetchone()[0])
