"""Restarts at every named point: no order is doubled, none is lost; a position is left in time whatever happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal as D

import pytest

from hean_live.app.runner import STATE_KEY
from hean_live.execution.journal import Journal
from hean_live.venues.bybit import BybitVenue
from tests.live.conftest import SETTLEMENT_MS
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.support import ROOT

POINTS = ("before_journal", "after_journal", "after_wire", "before_fill")
START_MS = SETTLEMENT_MS - 90 * 60_000


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


def killer(point, skip):
    seen = Counter()

    def probe(name):
        seen[name] += 1
        if name == point and seen[name] == skip + 1:
            raise Killed(name)

    return probe


def held(testnet):
    return testnet.venue.exchange.account.position("BTCUSDT").qty


def abandon(runner):
    """Drop a runner as a crash would: nothing is cancelled or written, only this process's handles are closed."""
    runner._parts.journal.close()
    runner._parts.worker.close()
    for watcher in runner._parts.watchers.values():
        watcher.close()


def move_on(testnet):
    """Half a minute while orders are worked, in one step to the exit in between."""
    now = testnet.venue.clock.now_ms()
    if START_MS + 700_000 < now < SETTLEMENT_MS:
        testnet.clock(now_ms=SETTLEMENT_MS + 300_000)
    else:
        testnet.advance(seconds=30)


def run_until_killed(runner, testnet):
    deadline = time.monotonic() + 15
    try:
        while time.monotonic() < deadline:
            runner.poll()
            move_on(testnet)
            time.sleep(0.01)
            if testnet.venue.clock.now_ms() > SETTLEMENT_MS + 1_800_000:
                return False
    except Killed:
        return True
    raise AssertionError("the run did not end")


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_a_named_point_neither_doubles_nor_loses(testnet, tmp_path, point, skip):
    settings = local_settings(tmp_path, testnet, recv_window_ms=1000)
    cache_bundle(settings, funding_bundle(constant_predictor(0.002)))
    testnet.clock(now_ms=START_MS)
    first = make_runner(settings, probe=killer(point, skip))
    first.warm_up()
    killed = run_until_killed(first, testnet)
    target = json.loads(first._parts.journal.meta(STATE_KEY))["BTCUSDT"]["campaign"] if killed else None
    abandon(first)
    if not killed:
        pytest.skip(f"the run has fewer than {skip + 1} passes of {point}")
    second = make_runner(settings)
    # An order perhaps on the wire is looked for at the venue before anything new is sent: one second here.
    second._parts.account._manager._grace_s = 0.2
    second.warm_up()
    venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
    sizes = []

    def watch():
        sizes.append(abs(held(testnet)))
        move_on(testnet)

    def done():
        return testnet.venue.clock.now_ms() > SETTLEMENT_MS + 300_000 and second._parts.engine.is_idle

    poll_until(second, done, each=watch)
    journal = second._parts.journal
    trade = journal._db.execute("SELECT qty FROM trades WHERE mode = 'live'").fetchall()
    assert len(trade) == 1  # not lost
    if target is not None:
        assert max(sizes) <= D(target["qty"])  # not doubled
        assert D(trade[0][0]) == D(target["qty"])
    assert venue.positions() == []
    at_venue = Counter(fill.client_id for fill in venue.new_executions(lambda _: False) if fill.client_id)
    assert set(at_venue) <= {row.client_id for row in journal.orders_of("BTCUSDT")}
    assert second._parts.journal.active_orders() == []
    abandon(second)


def test_a_position_whose_exit_passed_while_down_is_left_at_once(testnet, tmp_path):
    settings = local_settings(tmp_path, testnet)
    cache_bundle(settings, funding_bundle(constant_predictor(0.002)))
    testnet.clock(now_ms=START_MS)
    first = make_runner(settings)
    first.warm_up()
    venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
    poll_until(first, lambda: held(testnet) != 0, each=lambda: testnet.advance(seconds=10))
    abandon(first)
    testnet.clock(now_ms=SETTLEMENT_MS + 3 * 3_600_000)
    assert venue.positions()
    second = make_runner(settings)
    second.warm_up()
    polls = poll_until(second, lambda: held(testnet) == 0, each=lambda: testnet.advance(seconds=10))
    assert polls < 20
    exits = [row for row in second._parts.journal.orders_of("BTCUSDT") if row.leg == "exit"]
    assert exits
    assert all(row.reduce_only for row in exits)
    abandon(second)


def test_a_lost_journal_is_rebuilt_from_the_venue(testnet, tmp_path):
    settings = local_settings(tmp_path / "one", testnet)
    cache_bundle(settings, funding_bundle(constant_predictor(0.002)))
    testnet.clock(now_ms=START_MS)
    first = make_runner(settings)
    first.warm_up()
    venue = BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret)
    poll_until(first, lambda: held(testnet) != 0, each=lambda: testnet.advance(seconds=10))
    abandon(first)
    other = local_settings(tmp_path / "two", testnet)
    second = make_runner(other)
    second.warm_up()
    second.poll()
    assert second._parts.engine.decision_ns("BTCUSDT") == SETTLEMENT_MS * 1_000_000
    assert venue.positions()  # before its time it is kept
    testnet.clock(now_ms=SETTLEMENT_MS + 300_000)
    poll_until(second, lambda: held(testnet) == 0, each=lambda: testnet.advance(seconds=10))
    abandon(second)


def live_process(home, testnet, *arguments):
    environment = {
        **os.environ,
        "HEAN_HOME": str(home),
        "HEAN_LIVE_ENVIRONMENT": "local",
        "HEAN_LIVE_ORDER_URL": testnet.base_url,
        "HEAN_LIVE_API_KEY": testnet.api_key,
        "HEAN_LIVE_API_SECRET": testnet.api_secret,
        "HEAN_LIVE_SYMBOLS": "BTCUSDT",
        "HEAN_LIVE_HISTORY_SETTLEMENTS": "6",
        "HEAN_LIVE_POLL_INTERVAL_S": "0.05",
        "HEAN_LIVE_RECONCILE_OPEN_S": "0.1",
    }
    command = [sys.executable, "-m", "hean_live.cli", "live", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rows(home, query):
    journal = Journal(home / "journal.sqlite")
    try:
        return journal._db.execute(query).fetchall()
    finally:
        journal.close()


def wait_for(done, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_the_real_process_killed_and_started_again(testnet, tmp_path):
    """kill -9 while quoting, start again, trade the settlement out, end by itself, leave nothing open."""
    cache_bundle(local_settings(tmp_path, testnet), funding_bundle(constant_predictor(0.002)))
    first = live_process(tmp_path, testnet)
    assert json.loads(first.stdout.readline())["ready"] is True
    testnet.clock(now_ms=START_MS)
    wait_for(lambda: rows(tmp_path, "SELECT count(*) FROM orders") != [(0,)])
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = live_process(tmp_path, testnet, "--until-settlements", "1")
    ready = json.loads(second.stdout.readline())
    assert ready["bundle"] == "1"
    testnet.clock(speed=60)
    wait_for(lambda: rows(tmp_path, "SELECT count(*) FROM fills WHERE kind = 'trade'") != [(0,)])
    testnet.clock(now_ms=SETTLEMENT_MS + 200_000)
    output, log = second.communicate(timeout=30)
    assert second.returncode == 0, log
    assert json.loads(output.splitlines()[-1])["orders_not_confirmed_cancelled"] == []
    assert rows(tmp_path, "SELECT mode, count(*) FROM trades GROUP BY mode ORDER BY mode") == [
        ("live", 1),
        ("shadow", 1),
    ]
    assert BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret).positions() == []
    assert testnet.api_secret not in log + output


def test_sigterm_ends_cleanly(testnet, tmp_path):
    process = live_process(tmp_path, testnet, "--dry-run")
    assert json.loads(process.stdout.readline())["ready"] is True
    process.send_signal(signal.SIGTERM)
    output, log = process.communicate(timeout=20)
    assert process.returncode == 0, log
    assert json.loads(output.splitlines()[-1])["ended"] == "SIGTERM"
    assert rows(tmp_path, "SELECT kind FROM events ORDER BY seq DESC LIMIT 1") == [("stop",)]


def test_a_second_executor_on_the_same_home_is_refused(testnet, tmp_path):
    first = live_process(tmp_path, testnet, "--dry-run")
    assert first.stdout.readline()
    second = live_process(tmp_path, testnet, "--dry-run", "--once")
    _, log = second.communicate(timeout=20)
    first.kill()
    first.communicate()
    assert second.returncode == 2
    assert "no other executor should be running" in log
