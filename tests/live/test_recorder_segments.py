"""Segments on disk: whole frames found, crashes mended at any byte, indexes true."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import zstandard

from hean_live.recorder.frames import whole_frames
from hean_live.recorder.segments import (
    OPEN,
    SegmentWriter,
    closed_segments,
    index_path,
    load_index,
    recover,
)
from models.errors import DataError

LINES = [b'%d {"topic":"publicTrade.BTCUSDT","ts":1}\n' % (1_000 + k) for k in range(40)]


@pytest.fixture(autouse=True)
def testnet() -> None:
    """Keep the executor's testnet out: these tests need none."""


def written(folder: Path, lines: list[bytes], per_frame: int = 10) -> SegmentWriter:
    writer = SegmentWriter(folder, 1_000, ("BTCUSDT",), durable=False)
    for start in range(0, len(lines), per_frame):
        part = lines[start : start + per_frame]
        writer.append(b"".join(part), len(part), int(part[-1].split(b" ")[0]))
    return writer


def text_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()


def test_a_closed_segment_is_final_and_its_index_true(tmp_path: Path) -> None:
    index = written(tmp_path, LINES).close(dropped=3)
    (path,) = closed_segments(tmp_path)
    assert index is not None
    assert load_index(index_path(path)) == index
    assert text_of(path) == b"".join(LINES)
    assert index.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (index.messages, index.first_ns, index.last_ns, index.dropped) == (40, 1_000, 1_039, 3)
    assert index.file_bytes == path.stat().st_size
    assert index.raw_bytes == sum(map(len, LINES))
    assert not list(tmp_path.glob(f"*{OPEN}"))


def test_a_segment_without_messages_leaves_nothing(tmp_path: Path) -> None:
    assert SegmentWriter(tmp_path, 5, (), durable=False).close() is None
    assert not list(tmp_path.iterdir())


def test_a_crash_at_any_byte_loses_only_what_was_not_whole(tmp_path: Path) -> None:
    path = written(tmp_path, LINES, per_frame=10).path
    data = path.read_bytes()
    ends = [end for _, end in whole_frames(memoryview(data))]
    assert len(ends) == 4
    assert ends[-1] == len(data)
    for cut in range(len(data) + 1):
        torn = tmp_path / f"torn-{cut}"
        torn.mkdir()
        left = torn / path.name
        left.write_bytes(data[:cut])
        frames = sum(end <= cut for end in ends)
        index = recover(left)
        if not frames:
            assert index is None
            assert not list(torn.iterdir())
            continue
        assert index is not None
        assert index.recovered
        assert index.messages == 10 * frames
        assert (index.first_ns, index.last_ns) == (1_000, 1_000 + 10 * frames - 1)
        assert index.symbols == ("BTCUSDT",)
        (closed,) = closed_segments(torn)
        assert text_of(closed) == b"".join(LINES[: 10 * frames])
        assert index.sha256 == hashlib.sha256(closed.read_bytes()).hexdigest()


def test_a_frame_that_was_not_written_ends_the_segment(tmp_path: Path) -> None:
    path = written(tmp_path, LINES).path
    data = bytearray(path.read_bytes())
    ends = [end for _, end in whole_frames(memoryview(bytes(data)))]
    data[ends[1] - 6] ^= 0xFF  # inside the second frame, or its checksum
    path.write_bytes(bytes(data))
    index = recover(path)
    assert index is not None
    assert index.messages == 10


@pytest.mark.parametrize("level", [1, 3, 19])
@pytest.mark.parametrize("size", [0, 1, 200, 300, 70_000, 400_000])
@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("content_size", [True, False])
def test_frames_end_where_the_library_says(level: int, size: int, checksum: bool, content_size: bool) -> None:
    compressor = zstandard.ZstdCompressor(
        level=level, write_checksum=checksum, write_content_size=content_size
    )
    content = bytes(k * k % 251 for k in range(size))
    frames = [compressor.compress(content), compressor.compress(b"\0" * size), compressor.compress(b"end")]
    data = b"".join(frames)
    found = [data[start:stop] for start, stop in whole_frames(memoryview(data + b"tail"))]
    assert found == frames


def test_an_index_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[]")
    with pytest.raises(DataError, match="index"):
        load_index(path)
