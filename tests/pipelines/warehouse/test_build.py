"""Building tables: write, audit, publish; raw views; exports; what fails leaves the former state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from hean_pipelines.sql.build import build_all, build_model, export_path
from hean_pipelines.sql.model import SqlModel, load_models
from hean_pipelines.sql.raw_views import create_raw_views, dataset_columns
from models.errors import DataError
from tests.pipelines.warehouse.lake_data import write_day

EQUITY = "raw_hean__equity"
MART = """-- description: d
-- grain: g
-- keys: at_ns
-- columns:
--   at_ns: ns UTC
--   equity_usd: quote currency
select at_ns, equity_usd from raw_hean__equity
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def _write_equity(lake: Path, day: str, frame: pl.DataFrame) -> Path:
    path = lake / EQUITY / "venue=bybit" / "symbol=_ALL" / f"date={day}" / "data.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return path


def _equity(*rows: tuple[int, float]) -> pl.DataFrame:
    schema = {"at_ns": pl.Int64, "equity_usd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        available_usd=pl.lit(0.0), available_at=pl.col("at_ns")
    )


def _model(tmp_path: Path, sql: str = MART, tests: str = "tests: []") -> SqlModel:
    folder = tmp_path / "sql" / "marts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mart_a__x.sql").write_text(sql)
    (folder / "mart_a__x.yaml").write_text(tests)
    return load_models(tmp_path / "sql")["mart_a__x"]


def test_raw_view_without_files_is_empty_and_typed(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    create_raw_views(connection, [EQUITY], str(tmp_path))
    described = {row[0]: row[1].lower() for row in connection.execute(f"describe {EQUITY}").fetchall()}
    assert described == dataset_columns(EQUITY)
    assert connection.execute(f"select count(*) from {EQUITY}").fetchone() == (0,)


def test_raw_view_has_the_declared_columns_whatever_files_hold(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
):
    _write_equity(tmp_path, "1970-01-01", _equity((1, 10.0)).drop("available_usd"))
    _write_equity(tmp_path, "1970-01-02", _equity((2, 20.0)).with_columns(added_later=pl.lit("x")))
    create_raw_views(connection, [EQUITY], str(tmp_path))
    cursor = connection.execute(f"select * from {EQUITY} order by at_ns")
    assert [column[0] for column in cursor.description] == list(dataset_columns(EQUITY))
    assert cursor.fetchall() == [(1, 10.0, None, 1), (2, 20.0, 0.0, 2)]


def test_mart_is_exported_sorted_and_the_same_each_time(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
):
    lake = tmp_path / "lake"
    _write_equity(lake, "1970-01-01", _equity((3, 30.0), (1, 10.0), (2, 20.0)))
    model = _model(tmp_path)
    result = build_model(connection, model, str(lake))
    target = Path(export_path(str(lake), model.name))
    first = target.read_bytes()
    build_model(connection, model, str(lake))
    assert (result.published, result.rows, result.exported_to) == (True, 3, str(target))
    assert pl.read_parquet(target).rows() == [(1, 10.0), (2, 20.0), (3, 30.0)]
    assert target.read_bytes() == first
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_blocking_failure_keeps_table_and_export(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    lake, model = tmp_path / "lake", _model(tmp_path)
    _write_equity(lake, "1970-01-01", _equity((1, 10.0)))
    build_model(connection, model, str(lake))
    _write_equity(lake, "1970-01-02", _equity((1, 99.0)))
    result = build_model(connection, model, str(lake))
    assert (result.published, result.blocked_by, result.rows) == (False, ["keys"], 2)
    assert result.tests[0].sample == ((1, 2),)
    assert connection.execute(f"select * from {model.name}").fetchall() == [(1, 10.0)]
    target = Path(export_path(str(lake), model.name))
    assert pl.read_parquet(target).rows() == [(1, 10.0)]
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_failure_that_does_not_block_publishes(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    model = _model(tmp_path, tests="tests: [{expression: {name: small, sql: equity_usd < 5}}]")
    _write_equity(tmp_path / "lake", "1970-01-01", _equity((1, 10.0)))
    result = build_model(connection, model, str(tmp_path / "lake"))
    assert result.published
    assert [test.passed for test in result.tests] == [True, False]


def test_downstream_of_a_blocked_table_is_left_out(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    _model(tmp_path)
    downstream = MART.replace("raw_hean__equity", "mart_a__x")
    (tmp_path / "sql" / "marts" / "mart_a__y.sql").write_text(downstream)
    _write_equity(tmp_path / "lake", "1970-01-01", _equity((1, 10.0), (1, 11.0)))
    seen: list[str] = []
    models = load_models(tmp_path / "sql")
    results = build_all(
        connection, models, str(tmp_path / "lake"), on_built=lambda result: seen.append(result.name)
    )
    assert list(models) == ["mart_a__x", "mart_a__y"]
    assert seen == [result.name for result in results] == ["mart_a__x"]


def test_columns_must_be_those_of_the_header(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    model = _model(tmp_path, MART.replace("select at_ns,", "select available_at, at_ns,"))
    with pytest.raises(DataError, match=re.escape("header (at_ns, equity_usd), was available_at, at_ns")):
        build_model(connection, model, str(tmp_path / "lake"))
    assert connection.execute("show tables").fetchall() == [(EQUITY,)]


def test_damaged_lake_file_is_named(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    lake = tmp_path / "lake"
    path = _write_equity(lake, "1970-01-01", _equity((1, 10.0)))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match="date=1970-01-01") as caught:
        build_model(connection, _model(tmp_path), str(lake))
    assert "ingest that day again" in caught.value.remedy


def test_export_that_cannot_be_written_changes_nothing(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    lake, model = tmp_path / "lake", _model(tmp_path)
    _write_equity(lake, "1970-01-01", _equity((1, 10.0)))
    (lake / "marts").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="exporting mart_a__x failed"):
        build_model(connection, model, str(lake))
    assert connection.execute("show tables").fetchall() == [(EQUITY,)]


def test_bar_premium_never_looks_ahead(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    """A mart built from the bars known at t is the whole mart's rows known at t."""
    write_day(tmp_path, 0)
    models = load_models()
    build_all(connection, models, str(tmp_path))
    whole = connection.execute("select * from mart_bybit__bar_premium order by symbol, ts").fetchall()
    middle = sorted(row[-1] for row in whole)[len(whole) // 2]
    for table in ("stg_bybit__premium_index", "int_bybit__perp_spot_premium"):
        connection.execute(f"delete from {table} where available_at > {middle}")
    cut = connection.execute(f"{models['mart_bybit__bar_premium'].sql} order by symbol, ts").fetchall()
    assert cut == [row for row in whole if row[-1] <= middle]
    assert {row[4] for row in cut} == {"premium_index", "perp_spot"}
