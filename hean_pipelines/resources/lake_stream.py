"""Writing one partition of the lake piece by piece: a day of an order book does not fit in memory.

The rules are the lake's: a temporary name, one rename at the end, the declared columns, rows in order. What does not belong here:
partitions that fit in memory (`lake.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hean_pipelines.resources.lake import Lake, begin_replacement, refusals_told, schema_of
from hean_pipelines.resources.lake_schemas import Dataset, dataset_named
from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow.parquet as pq


class PartitionStream:
    """Takes frames in order of time; see `open_partition`."""

    def __init__(self, dataset: Dataset, path: Path, root: Path) -> None:
        self.rows = 0
        self._root = root
        self._dataset = dataset
        self._path = path
        self._schema = schema_of(dataset)
        self._writer: pq.ParquetWriter | None = None
        self._last: int | None = None

    def add(self, frame: pl.DataFrame, *, is_ordered: bool = False) -> None:
        """Append rows; raises DataError when they are not as declared or older than those before.

        `is_ordered`: the caller has just seen that they are not older.
        """
        import pyarrow.parquet as pq

        if not frame.height:
            return
        if frame.schema != self._schema:
            raise DataError(
                f"{self._dataset.name}: expected columns {dict(self._schema)}, was {dict(frame.schema)}"
            )
        if not is_ordered:
            self._refuse_disorder(frame)
        table = frame.to_arrow()
        with refusals_told(self._path, self._root):
            if self._writer is None:
                self._writer = pq.ParquetWriter(
                    self._path, table.schema, compression="zstd", **_encodings(self._dataset)
                )
            self._writer.write_table(table)
        self.rows += frame.height

    def _refuse_disorder(self, frame: pl.DataFrame) -> None:
        times = frame.get_column(self._dataset.time).to_numpy()
        if not (times[1:] >= times[:-1]).all() or (self._last is not None and times[0] < self._last):
            raise DataError(f"{self._dataset.name}: expected rows in order of time, was otherwise")
        self._last = int(times[-1])

    def close(self) -> None:
        """End the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with refusals_told(self._path, self._root):
                writer.close()


@contextmanager
def open_partition(lake: Lake, dataset: str, symbol: str, day: date) -> Iterator[PartitionStream]:
    """Give a stream that becomes the partition when the block ends without an error and rows were added.

    Raises
    ------
    DataError
        From the stream; the partition then stays as it was.
    DiskFull
        If the disk is full; the same.

    """
    path = lake.partition_path(dataset, symbol, day)
    with refusals_told(path, lake.root):
        temporary = begin_replacement(path)
    stream = PartitionStream(dataset_named(dataset), temporary, lake.root)
    try:
        yield stream
        stream.close()
        if stream.rows:
            with refusals_told(path, lake.root):
                lake.finish_replacement(temporary, path)
    except BaseException:
        # Ended only to let go of the file; what it still had to write no longer matters.
        with suppress(DataError):
            stream.close()
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _encodings(dataset: Dataset) -> dict[str, Any]:
    """Return how columns are written: rising times as differences, ids as they are, all else by a dictionary."""
    rising = [column for column in (dataset.time, "available_at") if column in dataset.columns]
    ids = [column for column in dataset.key if dataset.columns[column] == "str" and column != "symbol"]
    return {
        "column_encoding": dict.fromkeys(rising, "DELTA_BINARY_PACKED"),
        "use_dictionary": [column for column in dataset.columns if column not in (*rising, *ids)],
    }
