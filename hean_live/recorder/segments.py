"""One segment of tape on disk: written frame by frame, closed with an index, mended after a crash.

A segment being written is called ``….jsonl.zst.open``. Closing forces it to the disk, writes its index ``….json``
under another name, renames it, and then renames the segment: a name without ``.open`` means whole, indexed and final.
What does not belong here: when to rotate, threads, disk space (`recorder.py`).
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import zstandard

from hean_live.recorder.frames import whole_frames
from models.errors import DataError

FORMAT: Final = "hean-tape-1"
VENUE: Final = "bybit-linear"
SUFFIX: Final = ".jsonl.zst"
OPEN: Final = ".open"
INDEX: Final = ".json"
_LEVEL: Final = 3


@dataclass(frozen=True)
class SegmentIndex:
    """What a closed segment holds.

    Attributes
    ----------
    file : str
        Name of the segment, beside the index.
    first_ns, last_ns : int
        Receive times of its first and last message.
    messages, raw_bytes, file_bytes : int
    sha256 : str
        Of the file.
    symbols : tuple of str
        That were subscribed.
    dropped : int
        Messages that could not be kept while it was written.
    recovered : bool
        Whether it was closed after a crash: what came after the last flush is not in it.

    """

    file: str
    first_ns: int
    last_ns: int
    messages: int
    raw_bytes: int
    file_bytes: int
    sha256: str
    symbols: tuple[str, ...]
    dropped: int = 0
    recovered: bool = False
    format: str = FORMAT


class SegmentWriter:
    """Writes one segment; one thread uses it.

    Parameters
    ----------
    folder : Path
    start_ns : int
        Receive time of its first message, which names it.
    symbols : tuple of str
    durable : bool
        Whether every flush is forced to the disk; otherwise it survives the process, not a power cut.

    Raises
    ------
    OSError
        From any method, as the disk says it.

    """

    def __init__(
        self, folder: Path, start_ns: int, symbols: tuple[str, ...], *, durable: bool = True
    ) -> None:
        self.path = folder / f"{VENUE}-{start_ns}{SUFFIX}{OPEN}"
        self._durable = durable
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._digest = hashlib.sha256()
        self._index = SegmentIndex(_final(self.path).name, start_ns, start_ns, 0, 0, 0, "", symbols)
        self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)

    @property
    def file_bytes(self) -> int:
        """Bytes in whole frames."""
        return self._index.file_bytes

    def append(self, lines: bytes, messages: int, last_ns: int) -> None:
        """Write some lines as one frame; after an error the file ends with the last whole frame."""
        frame = self._compressor.compress(lines)
        try:
            written = 0
            while written < len(frame):
                written += os.write(self._file, frame[written:])
            if self._durable:
                os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._index.file_bytes)
            raise
        self._digest.update(frame)
        index = self._index
        self._index = replace(
            index,
            last_ns=last_ns,
            messages=index.messages + messages,
            raw_bytes=index.raw_bytes + len(lines),
            file_bytes=index.file_bytes + len(frame),
        )

    def close(self, dropped: int = 0) -> SegmentIndex | None:
        """Make the segment final and return its index; one without a message is removed, and gives None."""
        os.fsync(self._file)
        os.close(self._file)
        if not self._index.messages:
            self.path.unlink()
            return None
        index = replace(self._index, sha256=self._digest.hexdigest(), dropped=dropped)
        _finish(self.path, index)
        return index


def recover(path: Path) -> SegmentIndex | None:
    """Close a segment that a crash left open; returns its index, None if it holds no whole frame and is removed.

    Parameters
    ----------
    path : Path
        Ending with ``.open``.

    """
    size = path.stat().st_size
    index = SegmentIndex(_final(path).name, 0, 0, 0, 0, 0, "", (), recovered=True)
    symbols: set[str] = set()
    if size:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            data = memoryview(mapped)
            try:
                index = _read_frames(data, index, symbols)
            finally:
                data.release()
    if not index.messages:
        path.unlink()
        return None
    os.truncate(path, index.file_bytes)
    index = replace(index, symbols=tuple(sorted(symbols)))
    _finish(path, index)
    return index


def load_index(path: Path) -> SegmentIndex:
    """Read the index of a closed segment.

    Raises
    ------
    DataError
        When it is not one.

    """
    try:
        fields = json.loads(path.read_text())
        return SegmentIndex(**{**fields, "symbols": tuple(fields["symbols"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path.name}: expected the index of a tape segment, was not: {error}") from error


def closed_segments(folder: Path) -> list[Path]:
    """Return the closed segments of a folder, oldest first."""
    return sorted(folder.glob(f"{VENUE}-*{SUFFIX}"), key=_start_ns)


def index_path(segment: Path) -> Path:
    """Return where the index of a closed segment is."""
    return segment.with_name(segment.name.removesuffix(SUFFIX) + INDEX)


def _read_frames(data: memoryview, index: SegmentIndex, symbols: set[str]) -> SegmentIndex:
    decompressor, digest = zstandard.ZstdDecompressor(), hashlib.sha256()
    for start, end in whole_frames(data):
        try:
            lines = decompressor.decompress(data[start:end]).splitlines()
        except zstandard.ZstdError:
            break  # whole by its length, and not written: a disk may keep blocks in any order
        digest.update(data[start:end])
        for line in lines:
            symbols |= _symbol_of(line)
        index = replace(
            index,
            first_ns=index.first_ns or _time_of(lines[0]),
            last_ns=_time_of(lines[-1]),
            messages=index.messages + len(lines),
            raw_bytes=index.raw_bytes + sum(map(len, lines)) + len(lines),
            file_bytes=end,
        )
    return replace(index, sha256=digest.hexdigest())


def _symbol_of(line: bytes) -> set[str]:
    at = line.find(b'"topic":"')
    topic = line[at + 9 : line.find(b'"', at + 9)] if at >= 0 else b""
    symbol = topic.rpartition(b".")[2].decode("ascii", "replace")
    return {symbol} if symbol else set()


def _time_of(line: bytes) -> int:
    return int(line.partition(b" ")[0])


def _start_ns(path: Path) -> int:
    return int(path.name.removeprefix(f"{VENUE}-").partition(".")[0])


def _final(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(OPEN))


def _finish(path: Path, index: SegmentIndex) -> None:
    target = index_path(_final(path))
    temporary = target.with_name(target.name + ".tmp")
    with temporary.open("w") as file:
        json.dump(asdict(index), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, target)
    os.replace(path, _final(path))
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
