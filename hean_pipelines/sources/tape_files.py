"""Files of recorded market data, opened and streamed as blocks of bytes or as tapes, with progress.

Plain, gzip, zstandard and zip files are told apart by their first bytes, never by their names. Memory stays at a block,
however large the file. What does not belong here: what the bytes mean (`models.market.readers`), the lake.
"""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa

from models.errors import ConfigError, DataError
from models.market.readers.binance import BinanceReader
from models.market.readers.blocks import Chunk, LineReader
from models.market.readers.bybit import BybitReader, unwrap_cryptofeed
from models.market.readers.csv_trades import binance_agg_trades_reader, bybit_trades_reader
from models.market.tape import CHUNK_EVENTS

BLOCK_BYTES = 1 << 20
"""Size of a block of decompressed bytes."""

OnBytes = Callable[[int], None]
"""Told, after every block, how many bytes of the file on disk were consumed since the last call."""

TapeFormat = Literal[
    "bybit",
    "bybit-order-book",
    "bybit-trades",
    "binance",
    "binance-trades",
    "cryptofeed-linear",
    "cryptofeed-spot",
]
"""Formats a tape can be read from; `bybit` and `binance` are raw messages with receive times."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZIP = b"PK\x03\x04"
_PROGRESS_DESCRIPTION = "reading recordings"


def _decompressed(raw: IO[bytes], path: Path) -> IO[bytes]:
    magic = raw.read(4)
    raw.seek(0)
    if magic.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if magic == _ZSTD:
        return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"))
    if magic == _ZIP:
        archive = zipfile.ZipFile(raw)
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) != 1:
            raise DataError(
                f"{path.name}: expected an archive of one file, was {len(members)}",
                remedy="unpack it and pass the files",
            )
        return archive.open(members[0])
    return raw


def stream_blocks(
    path: Path, *, block_bytes: int = BLOCK_BYTES, on_bytes: OnBytes | None = None
) -> Iterator[bytes]:
    """Stream the decompressed content of a file.

    Parameters
    ----------
    path : Path
        A plain, gzip, zstandard or zip file (of one member).
    block_bytes : int
        Most bytes in a block.
    on_bytes : callable, optional
        Told how many bytes of the file on disk each block consumed.

    Yields
    ------
    bytes
        Blocks cut anywhere, never empty.

    Raises
    ------
    DataError
        When the file is absent, truncated or corrupt.

    """
    if not path.is_file():
        raise DataError(f"recording: expected a file, was nothing at {path}", remedy="check the path")
    with path.open("rb") as raw:
        consumed = 0
        try:
            source = _decompressed(raw, path)
            while block := source.read(block_bytes):
                yield block
                if on_bytes is not None:
                    at = raw.tell()
                    on_bytes(at - consumed)
                    consumed = at
        except (
            EOFError,
            zlib.error,
            gzip.BadGzipFile,
            zipfile.BadZipFile,
            pa.ArrowException,
            OSError,
        ) as error:
            raise DataError(
                f"{path.name}: expected a whole compressed file, was broken: {error}",
                remedy="fetch or copy the file again; a recording still being written is read once it is closed",
            ) from error


def tape_reader(
    tape_format: TapeFormat, symbol: str | None = None, chunk_events: int = CHUNK_EVENTS
) -> LineReader:
    """Return the reader of a format.

    Parameters
    ----------
    tape_format : TapeFormat
    symbol : str, optional
        Needed by trade files, which belong to one symbol; for `binance`, the symbol of REST snapshots.
    chunk_events : int
        Rows after which a chunk is given out.

    Raises
    ------
    ConfigError
        When the format is unknown, or needs a symbol that was not given.

    """
    match tape_format:
        case "bybit" | "cryptofeed-linear" | "cryptofeed-spot":
            return BybitReader(chunk_events=chunk_events)
        case "bybit-order-book":
            return BybitReader(stamped=False, chunk_events=chunk_events)
        case "binance":
            return BinanceReader(symbol, chunk_events=chunk_events)
        case "bybit-trades" | "binance-trades":
            if symbol is None:
                raise ConfigError(
                    f"{tape_format}: expected a symbol, was none", remedy="name the file's symbol"
                )
            make = bybit_trades_reader if tape_format == "bybit-trades" else binance_agg_trades_reader
            return make(symbol, chunk_events=chunk_events)
    raise ConfigError(f"tape format: expected one of {', '.join(TapeFormat.__args__)}, was {tape_format!r}")


def read_tape_files(
    paths: Sequence[Path],
    tape_format: TapeFormat,
    reader: LineReader,
    *,
    block_bytes: int = BLOCK_BYTES,
    on_bytes: OnBytes | None = None,
) -> Iterator[Chunk]:
    """Read files in the order given as one recording: a book carries over from file to file.

    Parameters
    ----------
    paths : sequence of Path
        In the order they were recorded.
    tape_format : TapeFormat
    reader : LineReader
        From `tape_reader`; its `stats` afterwards say what could not be used.
    block_bytes : int
        Most decompressed bytes held at a time.
    on_bytes : callable, optional
        Told how many bytes on disk each block consumed.

    Yields
    ------
    Chunk

    """
    for path in paths:
        blocks: Iterable[bytes] = stream_blocks(path, block_bytes=block_bytes, on_bytes=on_bytes)
        if tape_format.startswith("cryptofeed-"):
            blocks = unwrap_cryptofeed(blocks, tape_format.removeprefix("cryptofeed-"))
        yield from reader.read(blocks)


@contextmanager
def reading_progress(paths: Sequence[Path]) -> Iterator[OnBytes]:
    """Show how much of the files has been read, when standard error is a terminal.

    Yields
    ------
    callable
        Pass it as `on_bytes`.

    """
    if not sys.stderr.isatty():
        yield lambda _consumed: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(_PROGRESS_DESCRIPTION, total=sum(path.stat().st_size for path in paths))
        yield lambda consumed: bars.update(task, advance=consumed)
