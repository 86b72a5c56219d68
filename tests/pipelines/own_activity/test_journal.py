"""The executor's journal comes into the lake, also while it is being written, and is never changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.defs.own_activity import own_activity_definitions
from hean_pipelines.defs.own_activity.journal import ingest_journal
from hean_pipelines.partitions import RANGE_END_TAG, RANGE_START_TAG
from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_schemas import ALL_SYMBOLS, DATASETS, OWN_DATASETS
from hean_pipelines.settings import load_settings
from models.errors import DataError
from tests.pipelines.market_data.support import fingerprint

DAY = date(2025, 1, 2)
DAY_NS = 86_400 * 10**9
NOON = (DAY - date(1970, 1, 1)).days * DAY_NS + DAY_NS // 2

SCHEMA = """
create table meta (key text primary key, value text);
insert into meta values ('schema_version', '1');
create table events (seq integer primary key autoincrement, at_ns, wall_ns, kind text, strategy text, symbol text,
  body text);
create table orders (client_id text primary key, venue_id, strategy, symbol, side integer, order_type, qty text,
  price text, reduce_only integer, leg text, decision_ns, state text, filled_qty text, avg_price text, reason text,
  mode text, created_ns, updated_ns);
create table fills (exec_id text primary key, client_id, venue_id, symbol, side, qty text, price text, fee_usd text,
  is_maker integer, kind text, at_ns);
create table trades (trade_id text primary key, strategy, symbol, regime, mode text, side, qty text, entry_ns,
  entry_price text, exit_ns, exit_price text, fees_usd real, funding_usd real, pnl_usd real, pnl_bps real,
  predicted real, realised_rate real, model_version text);
create table equity (at_ns integer primary key, equity_usd real, available_usd real);
create table forecasts (symbol, settlement_ns, horizon_min, made_at_ns, model_version, predicted, q05, q50, q95,
  primary key (symbol, settlement_ns, horizon_min));
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Path]:
    """A journal whose writer is still alive and has not checkpointed its log."""
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.executescript(SCHEMA)
        writer.execute(
            "insert into orders values ('c1', null, 's1', 'BTCUSDT', 1, 'Limit', '0.010', '93000.10', 0, 'entry', ?, "
            "'filled', '0.010', '93000.10', '', 'live', ?, ?)",
            (NOON, NOON, NOON + 5),
        )
        writer.execute(
            "insert into fills values ('e1', 'c1', 'v1', 'BTCUSDT', 1, '0.010', '93000.10', '0.186', 1, 'trade', ?)",
            (NOON + 5,),
        )
        for number, (trade, exit_ns) in enumerate([("t1", NOON), ("t2", NOON + DAY_NS), ("t3", None)]):
            writer.execute(
                "insert into trades values (?, 's1', 'BTCUSDT', null, 'shadow', -1, '1', ?, '10', ?, '9', 0, 1, 1.5, "
                "10, 0.0003, null, '4')",
                (trade, NOON - number, exit_ns),
            )
        writer.execute(
            "insert into events (at_ns, wall_ns, kind, body) values (?, ?, 'start', '{}')", (NOON, NOON)
        )
        writer.execute("insert into equity values (?, 500.0, 499)", (NOON,))
        writer.execute(
            "insert into forecasts values ('BTCUSDT', ?, 90, ?, '4', 1e-4, 0, 1e-4, 2e-4)", (NOON + 9, NOON)
        )
        writer.commit()
        assert Path(f"{path}-wal").stat().st_size > 0
        yield path


def ingest(name: str, journal: Path, lake: Lake, first: date = DAY, last: date = DAY):
    return ingest_journal(DATASETS[f"raw_hean__{name}"], journal, lake, first, last)


def test_every_table_arrives_while_the_executor_is_writing(journal: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for name in ("orders", "fills", "trades", "events", "equity", "forecasts"):
        assert ingest(name, journal, lake).rows == 1, name
    order = lake.scan("raw_hean__orders").collect().row(0, named=True)
    assert (order["client_id"], order["qty"], order["price"], order["side"]) == ("c1", "0.010", "93000.10", 1)
    assert order["venue_id"] is None
    assert order["available_at"] == NOON + 5
    assert lake.scan("raw_hean__fills").collect()["fee_usd"].to_list() == ["0.186"]
    assert lake.scan("raw_hean__equity").collect()["available_usd"].to_list() == [499.0]
    assert lake.symbols("raw_hean__orders") == [ALL_SYMBOLS]
    assert lake.scan("raw_hean__events").collect()["seq"].to_list() == [1]


def test_trades_belong_to_the_day_of_their_exit_and_open_ones_wait(journal: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    assert ingest("trades", journal, lake, DAY, date(2025, 1, 9)).days_written == 2
    assert lake.scan("raw_hean__trades").collect()["trade_id"].to_list() == ["t1", "t2"]
    assert lake.dates("raw_hean__trades", ALL_SYMBOLS) == [date(2025, 1, 2), date(2025, 1, 3)]


def test_twice_gives_the_same_bytes_and_the_journal_is_not_changed(journal: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    before = journal.read_bytes()
    ingest("orders", journal, lake)
    once = fingerprint(lake.root)
    ingest("orders", journal, lake)
    assert fingerprint(lake.root) == once
    assert journal.read_bytes() == before


def test_journal_of_a_stopped_executor_is_read_too(journal: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(journal)) as last:
        last.execute("pragma wal_checkpoint(truncate)")
    copy = tmp_path / "stopped" / "journal.sqlite"
    copy.parent.mkdir()
    copy.write_bytes(journal.read_bytes())
    assert ingest("orders", copy, Lake(tmp_path / "lake")).rows == 1


def test_what_is_no_journal_of_ours_is_refused(journal: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    noise = tmp_path / "noise.sqlite"
    noise.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DataError, match="expected the executor's journal"):
        ingest("orders", noise, lake)
    with closing(sqlite3.connect(journal)) as other:
        other.execute("alter table orders drop column leg")
        other.commit()
        with pytest.raises(DataError, match="leg"):
            ingest("orders", journal, lake)
        other.execute("update meta set value = '2'")
        other.commit()
    with pytest.raises(DataError, match="expected journal schema 1, was 2"):
        ingest("fills", journal, lake)
    assert not list(tmp_path.rglob("*.parquet"))


def run(home: Path) -> dg.ExecuteInProcessResult:
    job = own_activity_definitions(load_settings(home=home)).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            tags={RANGE_START_TAG: "2025-01-02", RANGE_END_TAG: "2025-01-03"},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def test_without_a_journal_the_assets_succeed_and_say_so(tmp_path: Path) -> None:
    result = run(tmp_path)
    events = result.get_asset_materialization_events()
    assert {event.materialization.asset_key.to_user_string() for event in events} == set(OWN_DATASETS)
    assert "no journal yet" in events[0].materialization.metadata["journal"].value
    assert not list(tmp_path.rglob("*.parquet"))


def test_with_a_journal_the_assets_fill_the_lake(journal: Path, tmp_path: Path) -> None:
    result = run(tmp_path)
    rows = {
        event.materialization.asset_key.to_user_string(): event.materialization.metadata["rows"].value
        for event in result.get_asset_materialization_events()
    }
    assert rows == dict.fromkeys(OWN_DATASETS, 1) | {"raw_hean__trades": 2}
