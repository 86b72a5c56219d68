"""The whole executor with shadows over loopback, from a cold start: order flow, streams, every strategy, a restart, the replay.

There is no history, no model and no policy: it starts all the same, shadows, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hean_live.app.policy import policy_view
from hean_live.app.runner import STATE_KEY, Runner
from hean_live.local_testnet.setup import build_venue, open_market
from hean_live.local_testnet.venue import derive_keys
from hean_live.replay.replay import replay
from hean_live.replay.session import find_segments
from models.gates.memory import dump_bank
from models.learning.roster import STRATEGIES
from tests.live.support import local_settings, make_runner
from tests.local_testnet.server import SEED, RunningTestnet, serve

START_MS = 1_748_764_200_000  # 2025-06-01T07:50Z, ten minutes before a settlement
SPEED = 40.0
LONGEST_S = 90.0  # a cold machine compiles first


class Lives:
    """Executors of one folder, one after another."""

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
        )
        self._running: list[Runner] = []

    def start(self) -> Runner:
        runner = make_runner(self._settings)
        self._running.append(runner)
        return runner

    def stop(self) -> None:
        while self._running:
            self._running.pop().shut_down("the test says so")


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    market, now_ms = open_market(
        "order-flow", seed=SEED, symbols=("BTCUSDT",), start_ms=None, now_ms=START_MS, days=3, extra_days=2
    )
    keys = derive_keys(SEED, can_withdraw=False)
    with serve(build_venue(market, keys, now_ms=now_ms, speed=0.0, equity="300")) as running:
        yield running


@pytest.fixture
def lives(testnet: RunningTestnet, tmp_path: Path) -> Iterator[Lives]:
    made = Lives(tmp_path, testnet)
    yield made
    made.stop()


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


TRIPS = "SELECT count(*) FROM trades WHERE mode = 'shadow'"
SIGNALS = "SELECT count(*) FROM events WHERE kind = 'bank_signal'"


def test_a_cold_start_shadows_remembers_and_replays(
    lives: Lives, testnet: RunningTestnet, tmp_path: Path
) -> None:
    first = lives.start()
    testnet.clock(speed=1.0)
    poll_until(first, at_work(first))
    testnet.clock(speed=SPEED)
    poll_until(first, lambda: count(first, SIGNALS) >= 1 and count(first, TRIPS) >= 1)
    journal = first._parts.journal
    said = journal.events("bank_signal")[0]
    # Cold: no policy is loaded, every strategy shadows, and each signal says so with all the other gates.
    assert said["gates"]["standing"]["reason"] == "SHADOW_ONLY"
    assert "none is loaded" in said["gates"]["standing"]["words"]
    assert len(said["gates"]) == 13
    assert journal.events("model_state")[0]["refusals"][0][0] == "NO_BUNDLE"
    assert said["not_traded"]
    nothing = policy_view(None, "", 0, "local", {})
    assert all(nothing.breach(name) is not None for name in STRATEGIES)
    assert count(first, "SELECT count(*) FROM orders") == 0
    assert count(first, "SELECT count(*) FROM trades WHERE mode = 'live'") == 0

    remembered = dump_bank(first._parts.engine._work.bank)
    saved = journal.meta(STATE_KEY)
    trades = journal._db.execute("SELECT trade_id FROM trades ORDER BY trade_id").fetchall()
    assert remembered["regimes"]
    lives.stop()

    testnet.clock(speed=1.0)
    second = lives.start()
    assert dump_bank(second._parts.engine._work.bank) == remembered
    assert second._parts.journal.meta(STATE_KEY) == saved
    poll_until(second, at_work(second))
    testnet.clock(speed=SPEED)
    poll_until(second, lambda: count(second, TRIPS) > len(trades))
    after = second._parts.journal._db.execute("SELECT trade_id FROM trades ORDER BY trade_id").fetchall()
    assert set(trades) < set(after)
    lives.stop()

    outcome = replay(find_segments(tmp_path))
    assert outcome.first is None
    assert outcome.lives == 2
    assert outcome.commands > 0
    assert outcome.shadows.polls > 0
    assert outcome.shadows.signals >= 1
    assert outcome.shadows.trips >= len(after)
