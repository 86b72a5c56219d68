"""Tables made day by day: only changed files are read, and the result is that of reading all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from hean_pipelines.resources.lake import Lake
from hean_pipelines.sql import partitions
from hean_pipelines.sql.build import build_model
from hean_pipelines.sql.model import SqlModel, load_models
from models.errors import DataError
from tests.pipelines.warehouse.lake_data import FIRST_DAY, write_day

BARS = "mart_market__trade_bars"
TRADES = "raw_bybit__trades"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def _model() -> SqlModel:
    return load_models()[BARS]


def _rows(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute(f"select * from {BARS} order by all").fetchall()


def _from_scratch(lake: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as fresh:
        build_model(fresh, _model(), str(lake))
        return _rows(fresh)


def test_only_changed_files_are_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    lake, read = Lake(tmp_path), []
    write_day(tmp_path, 0)
    read.append(build_model(connection, _model(), str(tmp_path)).files_read)
    read.append(build_model(connection, _model(), str(tmp_path)).files_read)
    write_day(tmp_path, 1, ("BTCUSDT",))
    read.append(build_model(connection, _model(), str(tmp_path)).files_read)
    late = lake.read_partition(TRADES, "BTCUSDT", FIRST_DAY).with_columns(price=pl.col("price") * 2)
    lake.write_partition(TRADES, "BTCUSDT", FIRST_DAY, late)
    read.append(build_model(connection, _model(), str(tmp_path)).files_read)
    assert read == [4, 0, 2, 1]
    assert _rows(connection) == _from_scratch(tmp_path)


def test_rows_of_a_vanished_file_go(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    write_day(tmp_path, 0)
    write_day(tmp_path, 1)
    build_model(connection, _model(), str(tmp_path))
    path = Lake(tmp_path).partition_path(TRADES, "ETHUSDT", FIRST_DAY + timedelta(days=1))
    path.unlink()
    assert build_model(connection, _model(), str(tmp_path)).files_read == 0
    assert _rows(connection) == _from_scratch(tmp_path)


def test_a_file_changed_within_a_second_with_its_size_kept_is_seen(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
):
    write_day(tmp_path, 0)
    build_model(connection, _model(), str(tmp_path))
    path = Lake(tmp_path).partition_path(TRADES, "BTCUSDT", FIRST_DAY)
    changed_ns = path.stat().st_mtime_ns // 10**9 * 10**9
    os.utime(path, ns=(changed_ns, changed_ns + 1))
    build_model(connection, _model(), str(tmp_path))
    os.utime(path, ns=(changed_ns, changed_ns + 2))
    assert build_model(connection, _model(), str(tmp_path)).files_read == 1


def test_a_changed_parameter_makes_the_table_again(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    write_day(tmp_path, 0)
    model = _model()
    build_model(connection, model, str(tmp_path))
    larger = replace(model, sql=model.sql.replace("60 * 1000000000", "3600 * 1000000000"))
    assert larger.sql != model.sql
    assert build_model(connection, larger, str(tmp_path)).files_read == 4
    found = connection.execute(
        f"select count(*) from {BARS} where kind = 'time' and symbol = 'BTCUSDT'"
    ).fetchone()
    assert found == (2 * 24,)


def test_days_do_not_mix_whatever_comes_together(tmp_path: Path):
    for offset in range(3):
        write_day(tmp_path, offset)
    with duckdb.connect() as together, duckdb.connect() as apart:
        build_model(together, _model(), str(tmp_path))
        for offset in range(3):
            write_day(tmp_path / "apart", offset)
            build_model(apart, _model(), str(tmp_path / "apart"))
        assert _rows(together) == _rows(apart)


def test_a_failed_build_leaves_table_and_state(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    write_day(tmp_path, 0)
    build_model(connection, _model(), str(tmp_path))
    before = _rows(connection)
    write_day(tmp_path, 1)
    broken = Lake(tmp_path).partition_path(TRADES, "BTCUSDT", FIRST_DAY + timedelta(days=1))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:100])
    with pytest.raises(DataError, match="building mart_market__trade_bars failed"):
        build_model(connection, _model(), str(tmp_path))
    assert _rows(connection) == before
    broken.write_bytes(whole)
    assert build_model(connection, _model(), str(tmp_path)).files_read == 4
    assert _rows(connection) == _from_scratch(tmp_path)


def test_a_file_of_another_symbol_is_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    write_day(tmp_path, 0, ("BTCUSDT",))
    folder = tmp_path / TRADES / "venue=bybit"
    (folder / "symbol=COPY").symlink_to(folder / "symbol=BTCUSDT")
    (folder / "symbol=BTCUSDT").rename(folder / "symbol=OTHER")
    (folder / "symbol=COPY").unlink()
    with pytest.raises(DataError, match="own dataset, symbol and day"):
        build_model(connection, _model(), str(tmp_path))


def test_bars_hold_every_trade_once(connection: duckdb.DuckDBPyConnection, tmp_path: Path):
    """Each kind of bar has all trades, coins and money of the day; time bars are those of a plain group-by."""
    write_day(tmp_path, 0)
    build_model(connection, _model(), str(tmp_path))
    chosen = connection.execute(f"select * from {BARS} where dataset = '{TRADES}' and symbol = 'BTCUSDT'")
    bars = pl.DataFrame(chosen.fetchall(), [column[0] for column in chosen.description], orient="row")
    trades = Lake(tmp_path).read_partition(TRADES, "BTCUSDT", FIRST_DAY)
    totals = bars.group_by("kind").agg(pl.col("trades", "volume", "turnover_usd").sum())
    assert set(totals["kind"]) == {"time", "tick", "volume", "dollar"}
    assert totals["trades"].to_list() == [trades.height] * 4
    for column, expected in (
        ("volume", trades["size"].sum()),
        ("turnover_usd", (trades["price"] * trades["size"]).sum()),
    ):
        assert totals[column].to_list() == pytest.approx([expected] * 4, rel=1e-6)
    plain = trades.group_by(ts=pl.col("ts") // 60_000_000_000 * 60_000_000_000).agg(
        open=pl.col("price").first(),
        high=pl.col("price").max(),
        low=pl.col("price").min(),
        close=pl.col("price").last(),
    )
    made = bars.filter(pl.col("kind") == "time").select(
        ts="start_ts", open="open", high="high", low="low", close="close"
    )
    assert made.sort("ts").equals(plain.sort("ts"))


def test_each_batch_is_a_transaction_of_its_own(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A long range that fails in its middle keeps what was done, and the next build goes on from there."""
    monkeypatch.setattr(partitions, "BATCH_BYTES", 1)
    for offset in range(3):
        write_day(tmp_path, offset, ("BTCUSDT",))
    broken = Lake(tmp_path).partition_path(TRADES, "BTCUSDT", FIRST_DAY + timedelta(days=2))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:100])
    with pytest.raises(DataError, match="building mart_market__trade_bars failed"):
        build_model(connection, _model(), str(tmp_path))
    done = connection.execute(f"select count(distinct (dataset, day)) from {BARS}").fetchone()
    assert done is not None
    assert done[0] >= 2
    broken.write_bytes(whole)
    result = build_model(connection, _model(), str(tmp_path))
    assert result.files_read == 6 - done[0]
    assert _rows(connection) == _from_scratch(tmp_path)


def test_a_batch_that_a_blocking_test_forbids_keeps_its_former_rows(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(partitions, "BATCH_BYTES", 1)
    write_day(tmp_path, 0, ("BTCUSDT",))
    exported = build_model(connection, _model(), str(tmp_path)).exported_to
    before, export = _rows(connection), Path(exported).read_bytes()
    lake = Lake(tmp_path)
    early = lake.read_partition(TRADES, "BTCUSDT", FIRST_DAY).with_columns(price=pl.col("price") * 2)
    lake.write_partition(TRADES, "BTCUSDT", FIRST_DAY, early)
    strict = replace(
        _model(),
        tests=tuple(
            replace(test, blocking=True, failing="select * from {table} where open > 0")
            if test.name == "known_from_its_end"
            else test
            for test in _model().tests
        ),
    )
    result = build_model(connection, strict, str(tmp_path))
    assert not result.published
    assert result.blocked_by == ["known_from_its_end"]
    assert _rows(connection) == before
    assert Path(exported).read_bytes() == export
