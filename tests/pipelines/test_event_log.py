"""The batching event log: the same records as Dagster's own, in far fewer transactions, all or none of a batch."""

from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import event as sql_event
from sqlalchemy.engine import Engine

from hean_pipelines.partitions import RANGE_END_TAG, RANGE_START_TAG, beta_features

DAYS = dg.DailyPartitionsDefinition("2025-01-01")
BATCHING = """\
telemetry: {enabled: false}
event_log_storage:
  module: hean_pipelines.resources.event_log
  class: BatchingSqliteEventLogStorage
"""
DEFAULT = "telemetry: {enabled: false}\n"
KEY = dg.AssetKey("daily")

with beta_features():

    @dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def daily() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": 3})


@contextmanager
def commits():
    """Count transactions committed while the block runs."""
    counted = []

    def count(_connection: object) -> None:
        counted.append(1)

    sql_event.listen(Engine, "commit", count)
    try:
        yield counted
    finally:
        sql_event.remove(Engine, "commit", count)


def run(home: Path, yaml: str) -> int:
    (home / "dagster.yaml").write_text(yaml)
    with dg.DagsterInstance.from_config(str(home)) as instance, commits() as counted:
        result = dg.materialize(
            [daily],
            instance=instance,
            tags={RANGE_START_TAG: "2025-01-01", RANGE_END_TAG: "2025-01-30"},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert result.success
    return len(counted)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    return tmp_path


def days_seen(home: Path, yaml: str) -> list[str]:
    (home / "dagster.yaml").write_text(yaml)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        last = instance.get_latest_materialization_event(KEY)
        assert last.asset_materialization.partition == "2025-01-30"
        assert last.asset_materialization.metadata["rows"].value == 3
        return sorted(instance.get_materialized_partitions(KEY))


def test_a_range_takes_few_transactions_and_either_storage_reads_the_other(home: Path) -> None:
    few = run(home, BATCHING)
    assert days_seen(home, BATCHING) == days_seen(home, DEFAULT)
    assert len(days_seen(home, DEFAULT)) == 30
    many = run(home, DEFAULT)
    assert many > 100
    assert few < many / 2


def test_without_the_variable_nothing_is_batched(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE")
    assert run(home, BATCHING) > 100
    assert len(days_seen(home, BATCHING)) == 30


def test_a_batch_is_stored_whole_or_not_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(home, BATCHING)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        storage = instance.event_log_storage
        records = [record.event_log_entry for record in instance.fetch_materializations(KEY, limit=5).records]
        before = len(instance.fetch_materializations(KEY, limit=100).records)
        store = storage.store_event
        stored = []

        def fail_at_third(entry: object) -> None:
            stored.append(entry)
            if len(stored) == 3:
                raise RuntimeError("stop")
            store(entry)

        monkeypatch.setattr(storage, "store_event", fail_at_third)
        with pytest.raises(RuntimeError, match="stop"):
            storage.store_event_batch(records)
        monkeypatch.undo()
        assert len(instance.fetch_materializations(KEY, limit=100).records) == before
        storage.store_event_batch(records)
        assert len(instance.fetch_materializations(KEY, limit=100).records) == before + 5
