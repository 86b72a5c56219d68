"""The lake: whole files or none, the same bytes for the same rows, and clear words when something is wrong."""

import os
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from hean_pipelines.resources.lake import DiskFull, Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS, MARKET_DATASETS, dataset_named
from models.errors import DataError

NAME = "raw_bybit__settlement_funding"
DAY = date(2025, 1, 2)
DAY_NS = 86_400 * 10**9
MIDNIGHT = (DAY - date(1970, 1, 1)).days * DAY_NS


def rows(day: date = DAY, count: int = 3, rate: float = 0.0001) -> pl.DataFrame:
    start = (day - date(1970, 1, 1)).days * DAY_NS
    ts = [start + n * 28_800 * 10**9 for n in range(count)]
    columns = {"ts": ts, "symbol": ["BTCUSDT"] * count, "funding_rate": [rate] * count, "available_at": ts}
    return pl.DataFrame(columns, schema=schema_of(DATASETS[NAME]))


def test_written_partition_is_read_back_and_stands_where_the_layout_says(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = lake.write_partition(NAME, "BTCUSDT", DAY, rows())
    assert path == tmp_path / NAME / "venue=bybit" / "symbol=BTCUSDT" / "date=2025-01-02" / "data.parquet"
    assert lake.read_partition(NAME, "BTCUSDT", DAY).equals(rows())
    assert [entry.name for entry in path.parent.iterdir()] == ["data.parquet"]


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    lake = Lake(tmp_path, durable=True)
    first = lake.write_partition(NAME, "BTCUSDT", DAY, rows()).read_bytes()
    second = lake.write_partition(NAME, "BTCUSDT", DAY, rows().reverse()).read_bytes()
    assert first == second


def test_scan_chooses_symbols_and_days_and_gives_declared_columns_when_empty(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    empty = lake.scan(NAME).collect()
    assert (empty.height, empty.schema) == (0, schema_of(DATASETS[NAME]))
    for day in (date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 5)):
        lake.write_partition(NAME, "BTCUSDT", day, rows(day))
    other = rows(date(2025, 1, 3), 1).with_columns(symbol=pl.lit("ETHUSDT"))
    lake.write_partition(NAME, "ETHUSDT", date(2025, 1, 3), other)
    assert lake.symbols(NAME) == ["BTCUSDT", "ETHUSDT"]
    assert lake.dates(NAME, "BTCUSDT") == [date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 5)]
    assert lake.dates(NAME, "BTCUSDT", date(2025, 1, 3), date(2025, 1, 4)) == [date(2025, 1, 3)]
    assert lake.scan(NAME).collect().height == 10
    assert lake.scan(NAME, ["ETHUSDT"]).collect().height == 1
    assert lake.scan(NAME, None, date(2025, 1, 3), date(2025, 1, 3)).collect().height == 4
    assert lake.row_count(NAME, ["BTCUSDT"]) == 9
    assert lake.row_count(NAME, ["BTCUSDT"], date(2024, 1, 1), date(2024, 1, 2)) == 0
    assert lake.dates(NAME, "SOLUSDT") == []


def test_wrong_frames_are_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = lake.write_partition(NAME, "BTCUSDT", DAY, rows())
    before = path.read_bytes()
    wrong = {
        "expected columns": rows().drop("available_at"),
        "was none": rows().clear(),
        "rows of 2025-01-02 only": rows(date(2025, 1, 3)),
        "rows too many": pl.concat([rows(), rows()]),
    }
    for words, frame in wrong.items():
        with pytest.raises(DataError, match=words):
            lake.write_partition(NAME, "BTCUSDT", DAY, frame)
    assert path.read_bytes() == before


def test_unknown_dataset_and_a_symbol_that_would_leave_the_folder_are_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(DataError, match="unknown dataset") as error:
        lake.scan("raw_bybit__nonsense")
    assert NAME in error.value.remedy
    with pytest.raises(DataError, match="expected a symbol"):
        lake.write_partition(NAME, "../x", DAY, rows())


def test_full_disk_leaves_the_old_file_and_no_leftovers(tmp_path: Path) -> None:
    """The limit on file size makes the kernel refuse the write itself, as a full disk does."""
    lake = Lake(tmp_path)
    path = lake.write_partition(NAME, "BTCUSDT", DAY, rows())
    before = path.read_bytes()
    script = textwrap.dedent(
        f"""
        import resource, sys
        from datetime import date
        from pathlib import Path
        from hean_pipelines.resources.lake import DiskFull, Lake
        from tests.pipelines.test_lake import NAME, rows
        frame = rows(rate=0.5)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        try:
            Lake(Path({str(tmp_path)!r})).write_partition(NAME, "BTCUSDT", date(2025, 1, 2), frame)
        except DiskFull as error:
            print(error, "|", error.remedy)
            sys.exit(error.exit_code)
        """
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=False
    )
    assert done.returncode == 7, done.stderr
    assert "disk full" in done.stdout
    assert "free space" in done.stdout
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["data.parquet"]


def test_no_space_left_is_told_and_other_refusals_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def refuse(code: int):
        def replace(*_: object) -> None:
            raise OSError(code, os.strerror(code))

        return replace

    lake = Lake(tmp_path)
    monkeypatch.setattr(os, "replace", refuse(errno.ENOSPC))
    with pytest.raises(DiskFull, match="disk full"):
        lake.write_partition(NAME, "BTCUSDT", DAY, rows())
    monkeypatch.setattr(os, "replace", refuse(errno.EACCES))
    with pytest.raises(DataError, match="could not write"):
        lake.write_partition(NAME, "BTCUSDT", DAY, rows())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_killed_while_writing_leaves_the_old_file_and_readers_see_nothing_else(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = lake.write_partition(NAME, "BTCUSDT", DAY, rows())
    before = path.read_bytes()
    script = textwrap.dedent(
        f"""
        import os, signal
        from datetime import date
        from pathlib import Path
        from hean_pipelines.resources.lake import Lake
        from tests.pipelines.test_lake import NAME, rows
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        Lake(Path({str(tmp_path)!r})).write_partition(NAME, "BTCUSDT", date(2025, 1, 2), rows(rate=0.5))
        """
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, check=False)
    assert done.returncode == -9
    leftovers = [entry for entry in path.parent.iterdir() if entry.name.endswith(".tmp")]
    assert len(leftovers) == 1
    assert path.read_bytes() == before
    assert lake.scan(NAME).collect().equals(rows())
    os.utime(leftovers[0], (0, 0))  # an old leftover is swept by the next write
    lake.write_partition(NAME, "BTCUSDT", DAY, rows())
    assert [entry.name for entry in path.parent.iterdir()] == ["data.parquet"]


def test_every_dataset_is_declared_with_time_key_and_available_at() -> None:
    assert len(MARKET_DATASETS) == 11
    for dataset in DATASETS.values():
        assert list(dataset.columns)[-1] == "available_at"
        assert set(dataset.key) <= set(dataset.columns)
        assert dataset.columns[dataset.time] == "i64"
        assert dataset_named(dataset.name) is dataset
