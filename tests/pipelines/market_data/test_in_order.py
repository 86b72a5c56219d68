"""A day of trades stored batch by batch: the same rows and counts as from the whole file, and nothing where rows need mending."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hean_pipelines.defs.archives.findings import NS_PER_DAY, inspect
from hean_pipelines.defs.archives.in_order import store_in_order
from hean_pipelines.resources.distinct import all_differ, distinct_rows, row_hashes
from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.sources import archive_tables
from models.errors import DataError
from tests.pipelines.market_data.archive_tree import BYBIT_HEADER, write_zip
from tests.support import ROOT

DAY = date(2025, 1, 2)
MIDNIGHT_NS = 1_735_776_000 * 10**9
BOUNDS = (MIDNIGHT_NS, MIDNIGHT_NS + NS_PER_DAY)
TRADES = DATASETS["raw_bybit__trades"]


def trades(rows: int = 1000, seed: int = 1) -> pl.DataFrame:
    """Return a day in order, with a jump and a hole."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.integers(0, 3600, rows))
    seconds[rows // 2 :] += 10_000
    ts = MIDNIGHT_NS + seconds * 10**9
    price = 100.0 + rng.random(rows)
    price[rows // 3] = 190.0
    return pl.DataFrame(
        {
            "ts": ts,
            "symbol": ["BTCUSDT"] * rows,
            "trade_id": [f"{i:x}-{seed}" for i in range(rows)],
            "side": rng.choice([-1, 1], rows),
            "price": price,
            "size": rng.random(rows) + 0.1,
            "available_at": ts,
        },
        schema=schema_of(TRADES),
    )


def store(lake: Lake, frame: pl.DataFrame, batch: int = 7):
    batches = (frame.slice(at, batch) for at in range(0, frame.height, batch))
    return store_in_order(batches, TRADES, lake, "BTCUSDT", DAY, BOUNDS, "file")


def test_batches_give_the_rows_and_counts_of_the_whole(tmp_path):
    frame, lake = trades(), Lake(tmp_path)
    whole, expected = inspect(frame, TRADES, *BOUNDS, "file")
    assert (expected.jumps, expected.holes) == (2, 1)
    for batch in (1, 7, 333, 1000, 5000):
        assert store(lake, frame, batch) == expected
        assert lake.read_partition(TRADES.name, "BTCUSDT", DAY).equals(whole)


@pytest.mark.parametrize("spoil", ["disorder", "repeat", "another day"])
def test_rows_that_need_mending_leave_the_partition_as_it_was(tmp_path, spoil):
    lake, frame = Lake(tmp_path), trades()
    store(lake, frame)
    path = lake.partition_path(TRADES.name, "BTCUSDT", DAY)
    before = path.read_bytes()
    if spoil == "disorder":  # across the border of two batches of seven
        spoilt = pl.concat([frame[:6], frame[500:501], frame[7:]])
    elif spoil == "repeat":
        spoilt = frame.with_columns(
            trade_id=pl.when(pl.int_range(pl.len()) == 990)
            .then(pl.lit(frame["trade_id"][3]))
            .otherwise("trade_id")
        )
    else:
        later = frame[-1:].with_columns(ts=pl.col("ts") + NS_PER_DAY)
        spoilt = pl.concat([frame, later])
    assert store(lake, spoilt) is None
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["data.parquet"]


def test_impossible_prices_are_refused_in_any_batch(tmp_path):
    frame = trades().with_columns(price=pl.when(pl.int_range(pl.len()) == 600).then(0.0).otherwise("price"))
    with pytest.raises(DataError, match="price above 0"):
        store(Lake(tmp_path), frame)
    assert not list(tmp_path.rglob("*.parquet"))


def write_bybit(path: Path, frame: pl.DataFrame) -> None:
    stamps = (frame["ts"] / 1e9).to_list()
    lines = [BYBIT_HEADER]
    lines += [
        f"{ts:.4f},BTCUSDT,{'Buy' if side > 0 else 'Sell'},{size},{price},PlusTick,{name},1,1,1"
        for ts, side, size, price, name in zip(
            stamps,
            *(frame[column].to_list() for column in ("side", "size", "price", "trade_id")),
            strict=True,
        )
    ]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


def test_batches_of_a_file_are_its_rows_in_order(tmp_path, monkeypatch):
    frame = trades(5000)
    write_bybit(tmp_path / "day.csv.gz", frame)
    monkeypatch.setattr(archive_tables, "BATCH_ROWS", 512)
    batches = list(archive_tables.bybit_trade_batches(tmp_path / "day.csv.gz", "BTCUSDT"))
    assert [batch.height for batch in batches] == [512] * 9 + [392]
    whole = archive_tables.bybit_trades(tmp_path / "day.csv.gz", "BTCUSDT")
    assert pl.concat(batches).equals(whole)
    assert whole.select("ts", "trade_id", "side", "price", "size").equals(
        frame.select("ts", "trade_id", "side", "price", "size")
    )


def test_sizes_whole_for_thousands_of_rows_may_become_fractions(tmp_path):
    frame = trades(12_000).with_columns(
        size=pl.when(pl.int_range(pl.len()) < 11_000).then(5.0).otherwise(0.25)
    )
    path = tmp_path / "day.csv.gz"
    write_bybit(path, frame)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b",5.0,", b",5,")))
    assert archive_tables.bybit_trades(path, "BTCUSDT")["size"].to_list() == frame["size"].to_list()


@pytest.mark.parametrize("kind", ["gzip", "zip"])
@pytest.mark.parametrize("damage", ["end", "checksum"])
def test_damage_is_found_by_length_and_checksum(tmp_path, kind, damage):
    if kind == "gzip":
        path = tmp_path / "BTCUSDT2025-01-02.csv.gz"
        write_bybit(path, trades(3000))
        end = len(path.read_bytes())
        read = archive_tables.bybit_trade_batches
    else:
        path = tmp_path / "BTCUSDT-aggTrades-2025-01-02.zip"
        ms = MIDNIGHT_NS // 10**6
        write_zip(path, [f"{i},100.{i % 10},0.5,1,2,{ms + i},true" for i in range(3000)])
        end = path.read_bytes().index(b"PK\x01\x02")
        read = archive_tables.binance_agg_trade_batches
    assert sum(frame.height for frame in read(path, "BTCUSDT")) == 3000
    content = bytearray(path.read_bytes())
    if damage == "end":
        del content[end // 2 : end if kind == "gzip" else end // 2 + 1]
    elif kind == "gzip":
        content[-8] ^= 1
    else:
        content[end + 16] ^= 1  # the CRC of the central directory
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged|unreadable"):
        list(read(path, "BTCUSDT"))


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path):
    script = textwrap.dedent(
        f"""
        import resource, sys
        from pathlib import Path
        from hean_pipelines.resources.lake import DiskFull, Lake
        from tests.pipelines.market_data.test_in_order import store, trades
        frame = trades(60_000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        try:
            store(Lake(Path({str(tmp_path)!r})), frame, 20_000)
        except DiskFull as error:
            print(error, "|", error.remedy)
            sys.exit(error.exit_code)
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 7, done.stderr
    assert "disk full" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_equal_hashes_are_counted_exactly():
    frame = pl.DataFrame({"a": [1, 1, 2], "b": ["x", "y", "x"]})
    assert all_differ(row_hashes(frame, ["a", "b"]))
    assert not all_differ(row_hashes(frame, ["a"]))
    assert (distinct_rows(frame, ["a", "b"]), distinct_rows(frame, ["a"])) == (3, 2)
    assert all_differ(np.array([3, 1, 2], np.uint64))
    assert not all_differ(np.array([3, 1, 3], np.uint64))


def test_the_same_file_gives_the_same_bytes(tmp_path):
    digests = set()
    for run in range(3):
        lake = Lake(tmp_path / str(run))
        store(lake, trades(20_000), 3000)
        digests.add(hashlib.sha256(lake.partition_path(TRADES.name, "BTCUSDT", DAY).read_bytes()).hexdigest())
    assert len(digests) == 1
