"""The lake: Parquet files of one dataset, symbol and day each, replaced whole and never seen half-written.

Layout: `<root>/<dataset>/venue=<venue>/symbol=<SYMBOL>/date=<YYYY-MM-DD>/data.parquet`. The same rows give the
same bytes. Any process may read at any time. What does not belong here: where rows come from or mean.
"""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.resources.distinct import distinct_rows
from hean_pipelines.resources.lake_schemas import Dataset, dataset_named
from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl

_FILE = "data.parquet"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_STALE_S = 3600.0
NS_PER_DAY = 86_400_000_000_000
_SYMBOL = re.compile(r"[A-Za-z0-9_.-]+")


class DiskFull(DataError):
    """The disk refused more bytes; nothing was half-written."""


class Lake:
    """Reads and writes partitions under one folder.

    Parameters
    ----------
    root : Path
        Folder of the lake; made when first written.
    durable : bool
        Also force each file to the disk. Off by default: the lake can be fetched again, and a crash of the
        process (not of the machine) never leaves a half file either way.

    """

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        self.root = Path(root)
        self.durable = durable

    def partition_path(self, dataset: str, symbol: str, day: date) -> Path:
        """Return where a partition's file is or would be."""
        if not _SYMBOL.fullmatch(symbol):
            raise DataError(f"expected a symbol of letters and digits, was {symbol!r}")
        return self._folder(dataset) / f"symbol={symbol}" / f"date={day.isoformat()}" / _FILE

    def write_partition(
        self, dataset: str, symbol: str, day: date, frame: pl.DataFrame, *, is_distinct: bool = False
    ) -> Path:
        """Replace one partition by `frame`, all or nothing.

        Parameters
        ----------
        dataset, symbol, day
            Which partition.
        frame : polars.DataFrame
            Exactly the declared columns; at least one row, all of that day. Sorted here.
        is_distinct : bool
            Whether the caller has just seen that no two rows have the same key: on days of millions of trades counting them
            again takes long.

        Raises
        ------
        DataError
            If columns, types or days are not as declared.
        DiskFull
            If the disk is full; the old file then stays.

        """
        declared = dataset_named(dataset)
        path = self.partition_path(dataset, symbol, day)
        ready = _conformed(declared, frame, day, is_distinct=is_distinct)
        buffer = io.BytesIO()
        ready.write_parquet(buffer, compression="zstd", statistics=True)
        self._replace(path, buffer.getbuffer())
        return path

    def read_partition(self, dataset: str, symbol: str, day: date) -> pl.DataFrame:
        """Return one partition, empty with the declared columns where there is no file."""
        import polars as pl

        path = self.partition_path(dataset, symbol, day)
        if not path.is_file():
            return pl.DataFrame(schema=schema_of(dataset_named(dataset)))
        return pl.read_parquet(path, hive_partitioning=False)

    def scan(
        self,
        dataset: str,
        symbols: Iterable[str] | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> pl.LazyFrame:
        """Return the rows of `symbols` (all when None) from day `start` to day `end`, both included, lazily.

        Rows come by symbol, then time. No file gives an empty frame with the declared columns.
        """
        import polars as pl

        declared = dataset_named(dataset)
        paths = [
            self.partition_path(dataset, symbol, day)
            for symbol in (self.symbols(dataset) if symbols is None else symbols)
            for day in self.dates(dataset, symbol, start, end)
        ]
        if not paths:
            return pl.LazyFrame(schema=schema_of(declared))
        return pl.scan_parquet(paths, hive_partitioning=False, schema=schema_of(declared))

    def symbols(self, dataset: str) -> list[str]:
        """Return the symbols that have a partition folder, sorted."""
        return sorted(_values(self._folder(dataset), "symbol="))

    def dates(
        self, dataset: str, symbol: str, start: date | None = None, end: date | None = None
    ) -> list[date]:
        """Return the days that have a file, ascending, both bounds included."""
        folder = self._folder(dataset) / f"symbol={symbol}"
        days = sorted(date.fromisoformat(value) for value in _values(folder, "date="))
        return [
            day
            for day in days
            if (start is None or day >= start)
            and (end is None or day <= end)
            and self.partition_path(dataset, symbol, day).is_file()
        ]

    def row_count(
        self,
        dataset: str,
        symbols: Iterable[str] | None = None,
        start: date | None = None,
        end: date | None = None,
    ) -> int:
        """Return how many rows `scan` would give; only the files' footers are read."""
        import polars as pl

        return int(self.scan(dataset, symbols, start, end).select(pl.len()).collect().item())

    def _folder(self, dataset: str) -> Path:
        declared = dataset_named(dataset)
        return self.root / declared.name / f"venue={declared.venue}"

    def _replace(self, path: Path, content: memoryview) -> None:
        with refusals_told(path, self.root):
            temporary = begin_replacement(path)
            try:
                with temporary.open("wb") as file:
                    file.write(content)
                self.finish_replacement(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)

    def finish_replacement(self, temporary: Path, path: Path) -> None:
        """Put a file that is whole in its place."""
        if self.durable:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)


def begin_replacement(path: Path) -> Path:
    """Return a name beside `path` for its next version, in a folder rid of what killed processes left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")


@contextmanager
def refusals_told(path: Path, root: Path) -> Iterator[None]:
    """Turn what the operating system refuses while a partition is written into `DiskFull` or `DataError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(
                f"disk full: expected to write {path}, was refused ({error.strerror})",
                remedy=f"free space on the disk of {root} and run again; nothing was half-written",
            ) from None
        raise DataError(
            f"could not write {path}: {error.strerror or error}", remedy="check the folder's permissions"
        ) from None


def schema_of(dataset: Dataset) -> pl.Schema:
    """Return the Polars schema of a declared dataset."""
    import polars as pl

    types = {"i64": pl.Int64, "f64": pl.Float64, "str": pl.String}
    return pl.Schema({name: types[kind]() for name, kind in dataset.columns.items()})


def _conformed(dataset: Dataset, frame: pl.DataFrame, day: date, *, is_distinct: bool) -> pl.DataFrame:
    import polars as pl

    schema = schema_of(dataset)
    if frame.schema != schema:
        raise DataError(f"{dataset.name}: expected columns {dict(schema)}, was {dict(frame.schema)}")
    if not frame.height:
        raise DataError(f"{dataset.name}: expected rows for {day}, was none; a day without rows has no file")
    times = frame.get_column(dataset.time).to_numpy()
    midnight = (day - date(1970, 1, 1)).days * NS_PER_DAY
    if times.min() < midnight or times.max() >= midnight + NS_PER_DAY:
        first, last = (pl.from_epoch(pl.Series([t]), "ns")[0] for t in (times.min(), times.max()))
        raise DataError(f"{dataset.name}: expected rows of {day} only, was {first} to {last}")
    if dataset.time in dataset.key and bool((times[1:] > times[:-1]).all()):
        return frame  # rising stamps that are part of the key: sorted, and no row twice
    by = (dataset.time,) if dataset.keeps_order else (dataset.time, *dataset.key)
    rising = dataset.keeps_order and bool((times[1:] >= times[:-1]).all())
    ready = frame if rising else frame.sort(*by, maintain_order=True)
    twice = 0 if is_distinct else ready.height - distinct_rows(ready, dataset.key)
    if twice:
        raise DataError(
            f"{dataset.name}: expected each {dataset.key} once on {day}, was {twice} rows too many"
        )
    return ready


def _values(folder: Path, prefix: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _sweep(folder: Path) -> None:
    # Left by a process killed between writing and renaming; a young one may be another process's work.
    for name in os.listdir(folder):
        leftover = folder / name
        if name.endswith(".tmp") and time.time() - leftover.stat().st_mtime > _STALE_S:
            leftover.unlink(missing_ok=True)
