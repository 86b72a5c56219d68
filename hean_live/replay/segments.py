"""One file of inputs: lines of JSON, each with its checksum, compressed as one stream that may break off anywhere.

A line is ``crc32 json``. Every write ends a block of the stream, so all lines written survive the process (not a power
cut: inputs need not be durable before the wire, orders are, and the journal keeps those). Reading ends at the first line
that is not whole. The first line is the head, the last of a file closed properly is ``["end"]``. What does not belong
here: when to begin another file, what the lines mean.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import zstandard

from hean_live.replay.codec import Tree
from models.errors import DataError

SUFFIX: Final = ".inputs.zst"
END: Final = "end"
_LEVEL: Final = 3
_WINDOW_LOG: Final = 18  # a quarter of a megabyte: dozens of polls to find repetitions in, and little memory
_PIECE: Final = 256  # bytes read at once: what stands in the same piece as a fault is lost with it
_NAME: Final = re.compile(rf"(\d{{8}})-\d+{re.escape(SUFFIX)}")


class SegmentWriter:
    """Writes one segment; one thread uses it.

    Parameters
    ----------
    folder : Path
        That exists.
    number : int
        Of the segment; numbers only grow in a folder.
    at_ns : int
        Market time of the first poll.
    head : Tree

    Raises
    ------
    OSError
        From any method, as the disk says it; nothing more may be written then.

    """

    def __init__(self, folder: Path, number: int, at_ns: int, head: Tree) -> None:
        self.path = folder / f"{number:08d}-{at_ns}{SUFFIX}"
        self.bytes_written = 0
        parameters = zstandard.ZstdCompressionParameters.from_level(_LEVEL, window_log=_WINDOW_LOG)
        self._stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        self.write(head)

    def write(self, *lines: Tree) -> None:
        """Write lines in one go."""
        data = self._stream.compress(b"".join(map(_line, lines)))
        self._out(data + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))

    def close(self, *lines: Tree) -> None:
        """Write last lines and the end, and force the file to the disk."""
        try:
            data = self._stream.compress(b"".join(map(_line, [*lines, [END]])))
            self._out(data + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH))
            os.fsync(self._file)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the file as it is."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _out(self, data: bytes) -> None:
        self.bytes_written += len(data)
        while data:
            data = data[os.write(self._file, data) :]


def read_lines(path: Path) -> Iterator[Tree]:
    """Yield the lines of a segment up to its end or the first that is not whole.

    Raises
    ------
    DataError
        When the file cannot be read.

    """
    rest = b""
    for text in _decompressed(path):
        *whole, rest = (rest + text).split(b"\n")
        for line in whole:
            if not _is_sound(line):
                return
            yield json.loads(line[9:])


def segment_paths(folder: Path) -> list[Path]:
    """Return the segments of a folder, oldest first."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(path.name))


def segment_number(path: Path) -> int:
    """Return the number of a segment."""
    return int(path.name[:8])


def first_poll_ns(path: Path) -> int:
    """Return the market time of a segment's first poll, which is in its name."""
    return int(path.name.removesuffix(SUFFIX)[9:])


def _line(tree: Tree) -> bytes:
    body = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %b\n" % (zlib.crc32(body), body)


def _is_sound(line: bytes) -> bool:
    return line[:8] == b"%08x" % zlib.crc32(line[9:]) and line[8:9] == b" "


def _decompressed(path: Path) -> Iterator[bytes]:
    stream = zstandard.ZstdDecompressor().decompressobj()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield stream.decompress(piece)
                if stream.eof:
                    return
    except zstandard.ZstdError:
        return  # torn: what came before has been read
    except OSError as error:
        raise DataError(
            f"{path.name}: a readable segment of inputs was expected, was not: {error}"
        ) from error
