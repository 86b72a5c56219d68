"""Files of recordings: any compression, broken ones, progress, several in a row."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hean_pipelines.sources.tape_files import (
    read_tape_files,
    reading_progress,
    stream_blocks,
    tape_reader,
)
from models.errors import ConfigError, DataError

TEXT = b"".join(f"{1_755_648_000 + k}.5,BTCUSDT,Buy,1.5,{100 + k % 9}.25\n".encode() for k in range(5000))


def as_plain(path: Path) -> None:
    path.write_bytes(TEXT)


def as_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:]))


def as_zstd(path: Path) -> None:
    path.write_bytes(pa.compress(TEXT, codec="zstd", asbytes=True))


def as_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/trades.csv", TEXT)


@pytest.mark.parametrize("write", [as_plain, as_gzip, as_zstd, as_zip])
def test_any_compression_is_told_by_its_bytes(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "recording"
    write(path)
    consumed: list[int] = []
    blocks = list(stream_blocks(path, block_bytes=10_000, on_bytes=consumed.append))
    assert b"".join(blocks) == TEXT
    assert max(len(block) for block in blocks) <= 10_000
    assert all(step >= 0 for step in consumed)
    assert 0.9 * path.stat().st_size <= sum(consumed) <= path.stat().st_size


@pytest.mark.parametrize("write", [as_gzip, as_zstd, as_zip])
def test_a_truncated_file_is_an_error_that_says_so(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "recording"
    write(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="expected a whole compressed file"):
        list(stream_blocks(path))


def test_what_cannot_be_one_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file, was nothing"):
        list(stream_blocks(tmp_path / "absent"))
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("b", "2")
    with pytest.raises(DataError, match="archive of one file, was 2"):
        list(stream_blocks(two))


def test_files_are_read_in_order_as_one_recording(tmp_path: Path) -> None:
    first, second = tmp_path / "1.gz", tmp_path / "2.zst"
    as_gzip(first)
    as_zstd(second)
    reader = tape_reader("bybit-trades", "BTCUSDT", chunk_events=700)
    consumed: list[int] = []
    chunks = list(read_tape_files([first, second], "bybit-trades", reader, on_bytes=consumed.append))
    assert max(chunk.events.size for chunk in chunks) <= 700
    events = np.concatenate([chunk.events for chunk in chunks])
    assert np.array_equal(events[:5000], events[5000:])
    assert reader.stats.events == 10_000
    assert sum(consumed) == first.stat().st_size + second.stat().st_size


def test_a_reader_is_made_for_a_known_format_only() -> None:
    with pytest.raises(ConfigError, match="expected a symbol"):
        tape_reader("binance-trades")
    with pytest.raises(ConfigError, match="expected one of bybit"):
        tape_reader("parquet")  # type: ignore[arg-type]


def test_progress_is_silent_where_nobody_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "recording"
    as_plain(path)
    with reading_progress([path]) as on_bytes:
        assert b"".join(stream_blocks(path, on_bytes=on_bytes)) == TEXT
    assert capsys.readouterr().err == ""
