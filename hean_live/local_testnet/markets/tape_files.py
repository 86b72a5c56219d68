"""Recorded tapes for the testnet: which format a file is in, and its events chunk by chunk.

A format is told by the file's first line, a compression by its first bytes, never by names. Here belongs opening; what the bytes
mean is `models.market.readers`'.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from models.errors import ConfigError
from models.market.readers.binance import BinanceReader
from models.market.readers.blocks import Chunk
from models.market.readers.bybit import BybitReader, unwrap_cryptofeed

BLOCK_BYTES = 1 << 16
CHUNK_EVENTS = 1 << 12

OnBytes = Callable[[int], None]


def read_tape(path: Path, on_bytes: OnBytes | None = None) -> Iterator[Chunk]:
    """Read a recording chunk by chunk, in the order received.

    Parameters
    ----------
    path : Path
        Raw Bybit or Binance messages with receive times, a Bybit order-book dump, or cryptofeed's recording of Bybit (its
        linear half); plain, gzip, zstandard or zip.
    on_bytes : callable, optional
        Told, after every block, how many bytes of the file on disk were consumed since the last call.

    Yields
    ------
    Chunk

    Raises
    ------
    ConfigError
        No file there, or in no known format.

    """
    if not path.is_file():
        raise ConfigError(f"a tape must be a file, was {path}", remedy="Give --market tape:FILE.")
    wrapping = _format_of(path)
    blocks: Iterable[bytes] = _blocks(path, on_bytes)
    if wrapping == "cryptofeed":
        blocks = unwrap_cryptofeed(blocks, "linear")
    if wrapping == "binance":
        yield from BinanceReader(None, chunk_events=CHUNK_EVENTS).read(blocks)
    else:
        yield from BybitReader(stamped=wrapping != "bybit-order-book", chunk_events=CHUNK_EVENTS).read(blocks)


def _format_of(path: Path) -> str:
    with path.open("rb") as raw, _decompressed(raw, path) as source:
        line = source.readline(1 << 20)
    stamp, _, rest = line.partition(b" ")
    stamped = stamp.isdigit()
    try:
        first = json.loads(rest if stamped else line)
    except ValueError:
        first = None
    if isinstance(first, dict):
        if not stamped and "t" in first:
            return "cryptofeed"
        if "topic" in first or "op" in first or "success" in first:
            return "bybit" if stamped else "bybit-order-book"
        if stamped:
            return "binance"
    raise ConfigError(
        f"a tape must hold raw Bybit or Binance messages, a Bybit order-book dump or cryptofeed's recording, was {line[:60]!r}"
    )


def _blocks(path: Path, on_bytes: OnBytes | None) -> Iterator[bytes]:
    with path.open("rb") as raw, _decompressed(raw, path) as source:
        consumed = 0
        while block := source.read(BLOCK_BYTES):
            yield block
            if on_bytes is not None:
                on_bytes(raw.tell() - consumed)
                consumed = raw.tell()


def _decompressed(raw: IO[bytes], path: Path) -> IO[bytes]:
    magic = raw.read(4)
    raw.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if magic == b"PK\x03\x04":
        archive = zipfile.ZipFile(raw)
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) != 1:
            raise ConfigError(f"an archive must hold one file, was {path.name} with {len(members)}")
        return archive.open(members[0])
    if magic == b"\x28\xb5\x2f\xfd":
        return _zstandard(raw, path)
    return io.BufferedReader(io.FileIO(path, "rb"))


def _zstandard(raw: IO[bytes], path: Path) -> IO[bytes]:
    try:
        import pyarrow  # type: ignore[import-untyped]
    except ImportError:
        raise ConfigError(
            f"{path.name} is compressed with zstandard, which needs pyarrow, was not installed",
            remedy="pip install pyarrow, or decompress the file first.",
        ) from None
    return io.BufferedReader(pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), "zstd"))
