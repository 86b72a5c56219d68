"""The warehouse is a function of the lake: a rebuild equals days of incremental runs, also under concurrent ingest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hean_pipelines.resources.warehouse import Warehouse
from hean_pipelines.sql.build import build_all
from hean_pipelines.sql.model import load_models
from tests.pipelines.warehouse.lake_data import write_day

ROOT = Path(__file__).resolve().parents[3]
_INGEST = """
import sys
from pathlib import Path
from tests.pipelines.warehouse.lake_data import write_day
print("ready", flush=True)
for offset in range(3):
    write_day(Path(sys.argv[1]), offset, (sys.argv[2],))
"""


def _contents(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((home / "lake" / "marts").glob("*.parquet"))}


def _warehouse(home: Path) -> Warehouse:
    return Warehouse(database=str(home / "warehouse.duckdb"), lake_root=str(home / "lake"))


def _tables(warehouse: Warehouse) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, in an order that is the same whatever the table's own is."""
    with warehouse.reader() as connection:
        return {
            name: connection.execute(f"select * from {name} order by all").fetchall()
            for name in load_models()
        }


def test_rebuild_equals_incremental(tmp_path: Path):
    models, warehouse = load_models(), _warehouse(tmp_path)
    for offset in (2, 0, 1):  # a late day and a correction of the past included
        write_day(tmp_path / "lake", offset)
        with warehouse.writer() as connection:
            build_all(connection, models, warehouse.lake_root)
    incremental, tables = _contents(tmp_path), _tables(warehouse)
    warehouse.path.write_bytes(b"damaged beyond repair")
    with warehouse.fresh() as connection:
        results = build_all(connection, models, warehouse.lake_root)
    assert len(results) == len(models)
    assert _contents(tmp_path) == incremental
    assert _tables(warehouse) == tables
    assert len(tables["mart_market__trade_bars"]) > 2 * 2 * 3 * 4
    filled = [name for name, rows in tables.items() if rows and name.startswith("mart_market__")]
    assert filled == [name for name in tables if name.startswith("mart_market__")]
    assert len(incremental) == sum(model.is_mart for model in models.values())
    with warehouse.reader() as connection:
        rows = connection.execute("select count(*) from mart_bybit__settlement_funding").fetchone()
        shares = connection.execute("select min(share) from mart_coverage__symbol_day").fetchone()
    assert rows == (2 * 3 * 3,)
    assert shares == (1.0,)


def test_two_processes_ingest_while_marts_build(tmp_path: Path):
    models, warehouse = load_models(), _warehouse(tmp_path)
    commands = [
        [sys.executable, "-c", _INGEST, str(tmp_path / "lake"), symbol] for symbol in ("BTCUSDT", "ETHUSDT")
    ]
    ingests = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for command in commands]
    for ingest in ingests:
        assert ingest.stdout is not None
        assert ingest.stdout.readline() == "ready\n"
    built = 0
    while built == 0 or any(ingest.poll() is None for ingest in ingests):
        with warehouse.writer() as connection:
            results = build_all(connection, models, warehouse.lake_root)
        assert all(result.published for result in results)
        built += 1
    assert [ingest.wait() for ingest in ingests] == [0, 0]
    for ingest in ingests:
        ingest.stdout.close()
    with warehouse.writer() as connection:
        build_all(connection, models, warehouse.lake_root)
    concurrent = _contents(tmp_path)
    for offset in range(3):
        write_day(tmp_path / "quiet" / "lake", offset)
    quiet = _warehouse(tmp_path / "quiet")
    with quiet.writer() as connection:
        build_all(connection, models, quiet.lake_root)
    assert concurrent == _contents(tmp_path / "quiet")
