"""Writing one partition of the lake piece by piece: a day of an order book does not fit in memory.

The rules are the lake's: a temporary name, one rename at the end, the declared columns, rows in order. What does not belong here:
partitions that fit in memory (`lake.py`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import Dataset, dataset_named
from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow.parquet as pq


class PartitionStream:
    """Takes frames in order of time; see `open_partition`."""

    def __init__(self, dataset: Dataset, path: Path) -> None:
        self.rows = 0
        self._dataset = dataset
        self._path = path
        self._schema = schema_of(dataset)
        self._writer: pq.ParquetWriter | None = None
        self._last: int | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows; raises DataError when they are not as declared or older than those before."""
        import pyarrow.parquet as pq

        if not frame.height:
            return
        if frame.schema != self._schema:
            raise DataError(
                f"{self._dataset.name}: expected columns {dict(self._schema)}, was {dict(frame.schema)}"
            )
        times = frame.get_column(self._dataset.time).to_numpy()
        if not (times[1:] >= times[:-1]).all() or (self._last is not None and times[0] < self._last):
            raise DataError(f"{self._dataset.name}: expected rows in order of time, was otherwise")
        table = frame.to_arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._last = int(times[-1])
        self.rows += frame.height

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


@contextmanager
def open_partition(lake: Lake, dataset: str, symbol: str, day: date) -> Iterator[PartitionStream]:
    """Give a stream that becomes the partition when the block ends without an error and rows were added.

    Raises
    ------
    DataError
        From the stream; the partition then stays as it was.

    """
    path = lake.partition_path(dataset, symbol, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    stream = PartitionStream(dataset_named(dataset), temporary)
    try:
        yield stream
        stream.close()
        if stream.rows:
            os.replace(temporary, path)
    finally:
        stream.close()
        temporary.unlink(missing_ok=True)
