"""Real processes on one home: two pipelines, an executor and a notebook at once; and runs that are killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from hean_pipelines.resources.lake import Lake
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.support import ROOT

BARS = "raw_bybit__5m_perp_klines"
SYMBOLS = ("BTCUSDT", "ETHUSDT")
PATIENCE_S = 120
pytestmark = pytest.mark.timeout(300)  # several processes that import Dagster, on a busy machine


@pytest.fixture
def net() -> Iterator[RunningTestnet]:
    with start_testnet(SYMBOLS, days=4, extra_days=1) as testnet:
        yield testnet


def start(home: Path, net: RunningTestnet, *part: str) -> subprocess.Popen[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HEAN_", "DAGSTER_"))}
    environment = own | {
        "HEAN_HOME": str(home),
        "HEAN_PIPELINES_VENUE_URL": net.base_url,
        "HEAN_PIPELINES_UNIVERSE": ",".join(SYMBOLS),
        "HEAN_PIPELINES_PARTITIONS_START": "2025-01-01",
        "HEAN_PIPELINES_PARTITIONS_END": "2025-01-05",
    }
    command = [sys.executable, "-m", "tests.pipelines.concurrent_parts", *part]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> str:
    """Return what a process printed, once it ended well."""
    try:
        out, errors = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, errors[-4000:]
    assert "locked" not in errors, errors[-4000:]
    return out


def killed_when(process: subprocess.Popen[str], there: Callable[[], bool]) -> None:
    """Kill a process, without a chance to clean up, as soon as something is there."""
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert process.poll() is None, process.communicate()[1][-4000:]
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def assert_every_file_is_whole(lake: Path) -> None:
    paths = [*lake.rglob("data.parquet"), *(lake / "marts").glob("*.parquet")]
    assert paths
    for path in paths:
        pl.read_parquet(path, hive_partitioning=False)


def test_two_pipelines_an_executor_and_a_notebook_at_once(tmp_path: Path, net: RunningTestnet) -> None:
    stop, lake = tmp_path / "stop", tmp_path / "lake"
    lake.mkdir()
    beside = [
        start(tmp_path, net, "execute", str(tmp_path / "journal.sqlite"), str(stop)),
        start(tmp_path, net, "read", str(lake), str(stop)),
    ]
    pipelines = [start(tmp_path, net, "ingest", "2"), start(tmp_path, net, "learn", "1")]
    try:
        for process in pipelines:
            finished(process)
        # Once more after both: now the tables stand on everything.
        finished(start(tmp_path, net, "learn", "1"))
        stop.touch()
        for process in beside:
            finished(process)
    finally:
        for process in (*pipelines, *beside):
            if process.poll() is None:
                process.kill()
                process.communicate()
    assert Lake(lake).row_count(BARS, start=date(2025, 1, 1), end=date(2025, 1, 4)) == 2 * 4 * 288
    assert Lake(lake).row_count("raw_hean__events") > 10
    assert_every_file_is_whole(lake)


def test_a_killed_ingest_and_a_killed_build_leave_no_half_file_and_no_stale_lock(
    tmp_path: Path, net: RunningTestnet
) -> None:
    lake = tmp_path / "lake"
    killed_when(start(tmp_path, net, "ingest", "1"), lambda: any(lake.rglob("data.parquet")))
    assert_every_file_is_whole(lake)
    missing = [name for name in ("raw_bybit__snapshot_tickers", BARS) if not Lake(lake).symbols(name)]
    assert missing, "it was killed in the middle"
    finished(start(tmp_path, net, "ingest", "1"))
    assert Lake(lake).row_count(BARS) == 2 * 4 * 288
    exported = lake / "marts"
    killed_when(start(tmp_path, net, "learn", "1"), lambda: (tmp_path / "warehouse.duckdb").exists())
    finished(start(tmp_path, net, "learn", "1"))
    assert any(exported.glob("*.parquet"))
    assert_every_file_is_whole(lake)
