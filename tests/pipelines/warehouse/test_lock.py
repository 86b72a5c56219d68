"""The warehouse's lock, with real second processes: always let go, waited for a bounded time, never stale."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from hean_pipelines.resources.warehouse import Warehouse, WarehouseBusy, WarehouseUnreadable
from models.errors import DataError, Retryable

ROOT = Path(__file__).resolve().parents[3]
_HOLD = """
import sys, time
from hean_pipelines.resources.warehouse import Warehouse
warehouse = Warehouse(database=sys.argv[1], lake_root="unused")
with warehouse.writer("holding") as connection:
    connection.execute("create or replace table t as select 1 as one")
    connection.execute("begin; insert into t values (2)")
    print("holding", flush=True)
    time.sleep(60)
"""


def _warehouse(folder: Path, timeout_s: float = 20.0) -> Warehouse:
    return Warehouse(
        database=str(folder / "warehouse.duckdb"), lake_root=str(folder / "lake"), lock_timeout_s=timeout_s
    )


@contextmanager
def _held_elsewhere(warehouse: Warehouse) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _HOLD, warehouse.database]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _write_elsewhere(warehouse: Warehouse) -> subprocess.CompletedProcess[str]:
    code = f"import duckdb; duckdb.connect({warehouse.database!r}).execute('create or replace table u as select 1')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = _warehouse(tmp_path_factory.mktemp("busy"), timeout_s=0.3)
    with _held_elsewhere(warehouse):
        yield warehouse


def test_lock_released_when_asset_raises(tmp_path: Path):
    @dg.asset(key="failing")
    def failing(warehouse: Warehouse) -> None:
        with warehouse.writer() as connection:
            connection.execute("create table t as select 1 as one")
            raise ValueError("boom")

    warehouse = _warehouse(tmp_path)
    result = dg.materialize([failing], resources={"warehouse": warehouse}, raise_on_error=False)
    # The traceback, with the frame that held the connection, is alive in `result`.
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "boom" in str(failure.step_failure_data.error_display_string)
    other = _write_elsewhere(warehouse)
    assert other.returncode == 0, other.stderr


@pytest.mark.parametrize("way", ["writer", "reader", "fresh", "get_connection"])
def test_busy_names_the_holder(busy: Warehouse, way: str):
    started = time.monotonic()
    with (
        pytest.raises(WarehouseBusy, match=r"held by process \d+ \(holding\)") as caught,
        getattr(busy, way)(),
    ):
        raise AssertionError("opened a held warehouse")
    assert time.monotonic() - started < 5
    assert isinstance(caught.value, Retryable)
    assert "marts" in caught.value.remedy


def test_foreign_holder_is_named_too(tmp_path: Path):
    warehouse = _warehouse(tmp_path, timeout_s=0.3)
    code = f"import duckdb, time; c = duckdb.connect({warehouse.database!r}); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(WarehouseBusy, match=rf"PID {process.pid}"), warehouse.writer():
            raise AssertionError("opened a held warehouse")
        process.kill()


def test_killed_writer_leaves_no_stale_lock(tmp_path: Path):
    warehouse = _warehouse(tmp_path)
    with _held_elsewhere(warehouse) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        started = time.monotonic()
        with warehouse.reader() as connection:
            assert connection.execute("select * from t").fetchall() == [(1,)]
        with warehouse.writer() as connection:
            connection.execute("insert into t values (3)")
    assert time.monotonic() - started < 5
    with warehouse.reader() as connection:
        assert connection.execute("select * from t order by one").fetchall() == [(1,), (3,)]


def test_waits_for_another_thread(tmp_path: Path):
    warehouse, inside, order = _warehouse(tmp_path), threading.Event(), []

    def hold() -> None:
        with warehouse.writer("first"):
            inside.set()
            time.sleep(0.3)
            order.append("first")

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    with warehouse.writer("second") as connection:
        order.append("second")
        connection.execute("create table t as select 1 as one")
    thread.join()
    assert order == ["first", "second"]


def test_opening_twice_in_one_thread_is_refused_not_hung(tmp_path: Path):
    warehouse = _warehouse(tmp_path, timeout_s=0.2)
    holder = rf"process {os.getpid()} \(outer\)"
    with warehouse.writer("outer"), pytest.raises(WarehouseBusy, match=holder), warehouse.reader():
        raise AssertionError("opened a held warehouse")


def test_reader_cannot_write(tmp_path: Path):
    warehouse = _warehouse(tmp_path)
    with warehouse.writer() as connection:
        connection.execute("create table t as select 1 as one")
    with warehouse.reader() as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("drop table t")


def test_absent_warehouse_says_rebuild(tmp_path: Path):
    with pytest.raises(WarehouseUnreadable, match="was absent") as caught, _warehouse(tmp_path).reader():
        raise AssertionError("opened nothing")
    assert "hean warehouse rebuild" in caught.value.remedy


@pytest.mark.parametrize("damage", ["garbage", "empty", "torn"])
def test_damaged_warehouse_says_rebuild(tmp_path: Path, damage: str):
    warehouse = _warehouse(tmp_path)
    with warehouse.writer() as connection:
        connection.execute("create table t as select range as one from range(100000)")
    whole = warehouse.path.read_bytes()
    warehouse.path.write_bytes(
        {"garbage": b"garbage" * 1000, "empty": b"", "torn": whole[:5000] + b"x" * (len(whole) - 5000)}[
            damage
        ]
    )
    for way in (warehouse.reader, warehouse.writer):
        with pytest.raises(WarehouseUnreadable, match="was damaged") as caught, way() as connection:
            connection.execute("select sum(one) from t").fetchall()
        assert isinstance(caught.value, DataError)
        assert "hean warehouse rebuild" in caught.value.remedy
    with warehouse.fresh() as connection:
        connection.execute("create table t as select 7 as one")
    with warehouse.reader() as connection:
        assert connection.execute("select * from t").fetchall() == [(7,)]


def test_failed_rebuild_keeps_the_present_file(tmp_path: Path):
    warehouse = _warehouse(tmp_path)
    with warehouse.writer() as connection:
        connection.execute("create table t as select 1 as one")
    with pytest.raises(duckdb.Error, match="boom"), warehouse.fresh() as connection:
        connection.execute("create table t as select 2 as one; select error('boom')")
    with warehouse.reader() as connection:
        assert connection.execute("select * from t").fetchall() == [(1,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["warehouse.duckdb", "warehouse.duckdb.lock"]


def test_nothing_else_opens_the_warehouse():
    allowed = (
        "hean_pipelines/sql/",
        "hean_pipelines/resources/warehouse.py",
        "hean_pipelines/commands/warehouse.py",
    )
    sources = [
        path
        for package in ("models", "hean_live", "hean_pipelines")
        for path in (ROOT / package).rglob("*.py")
    ]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sources
        if re.search(r"^\s*(import|from) (dagster_)?duckdb", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert "hean_pipelines/resources/warehouse.py" in found
    assert [path for path in sorted(found) if not path.startswith(allowed)] == []
