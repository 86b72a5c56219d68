"""`hean warehouse`: rebuild, tests, models, query, and their exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from hean_pipelines.commands.warehouse import add_parser
from hean_pipelines.sql import lineage
from hean_pipelines.sql.dependencies import CACHE_NAME
from hean_pipelines.sql.model import sql_root
from models.errors import ConfigError, DataError
from tests.pipelines.warehouse.lake_data import write_day


def _hean(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="hean")
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["warehouse", *words])
    return int(args.run(args))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_day(home / "lake", 0)
    assert _hean("rebuild", "--home", str(home)) == 0
    return home


def test_rebuild_mends_a_damaged_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "warehouse.duckdb").write_bytes(b"damaged")
    with pytest.raises(DataError, match="was damaged"):
        _hean("tests", "--home", str(tmp_path))
    assert _hean("rebuild", "--home", str(tmp_path)) == 0
    assert _hean("tests", "--home", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "rebuilt" in printed
    assert "tests of" in printed
    assert "warn: mart_bybit__settlement_funding" in printed


def test_rebuild_that_lacks_a_table_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_day(tmp_path / "lake", 0, ("BTCUSDT",))
    funding = tmp_path / "lake" / "raw_bybit__settlement_funding"
    (funding / "venue=copy").symlink_to(funding / "venue=bybit")
    with pytest.raises(DataError, match="tables were not made") as caught:
        _hean("rebuild", "--home", str(tmp_path))
    assert "hean backfill" in caught.value.remedy
    assert "error: mart_bybit__settlement_funding" in capsys.readouterr().out


def test_failing_tests_give_the_exit_code(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from hean_pipelines.resources.warehouse import Warehouse

    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes((home / "warehouse.duckdb").read_bytes())
    with Warehouse(database=str(copy), lake_root="unused").writer() as connection:
        connection.execute("update stg_bybit__open_interest set open_interest = -1 where rowid < 2")
    assert _hean("tests", "--home", str(tmp_path), "--model", "stg_bybit__open_interest") == 7
    assert "open_interest >= 0: failing rows 2" in capsys.readouterr().out
    assert _hean("tests", "--home", str(home), "--model", "stg_bybit__open_interest") == 0


def test_unknown_model_is_refused(home: Path):
    with pytest.raises(ConfigError, match="typo"):
        _hean("tests", "--home", str(home), "--model", "typo")


def test_models_are_listed_and_dependencies_stay(capsys: pytest.CaptureFixture[str]):
    names = (CACHE_NAME, lineage.CACHE_NAME)
    before = [(sql_root() / name).read_bytes() for name in names]
    assert _hean("models", "--write-dependencies") == 0
    assert [(sql_root() / name).read_bytes() for name in names] == before
    assert (
        "mart_bybit__funding_panel\n    one row per symbol and settlement; reads" in capsys.readouterr().out
    )


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_query_prints_rows(home: Path, capsys: pytest.CaptureFixture[str], form: str):
    sql = "select symbol, count(*) as n from mart_bybit__settlement_funding group by symbol order by symbol"
    assert _hean("query", sql, "--home", str(home), "--format", form, "--limit", "1") == 0
    printed = capsys.readouterr()
    if form == "json":
        assert json.loads(printed.out) == {"symbol": "BTCUSDT", "n": 3}
    elif form == "csv":
        assert printed.out == "symbol,n\nBTCUSDT,3\n"
    assert "BTCUSDT" in printed.out
    assert "ETHUSDT" not in printed.out
    assert "--limit 0" in printed.err


@pytest.mark.parametrize("sql", ["select * from nowhere", "drop table mart_bybit__funding_panel", "selec"])
def test_faulty_query_is_an_error(home: Path, sql: str):
    with pytest.raises(DataError, match="the query failed"):
        _hean("query", sql, "--home", str(home))


def test_docs_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert _hean("docs", "--out", str(tmp_path / "new" / "w.html")) == 0
    assert "mart_market__funding_spreads" in (tmp_path / "new" / "w.html").read_text()
    assert "tables" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"\.html or \.md"):
        _hean("docs", "--out", str(tmp_path / "w.txt"))
    with pytest.raises(ConfigError, match="once each"):
        _hean("docs", "--out", str(tmp_path / "w.md"))
