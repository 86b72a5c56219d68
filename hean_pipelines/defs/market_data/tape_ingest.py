"""One day of recorded tape into the lake: a Parquet file a symbol, streamed, each replaced whole.

Layout like every dataset's, `<lake>/raw_bybit__tape/venue=bybit/symbol=…/date=…/data.parquet`, columns those of an event
tape. What stays in memory is a chunk, however busy the day. No Dagster here; the asset is in `tapes.py`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hean_pipelines.sources.recorded_tape import Segment, damaged, read_segments, segments_of
from models.errors import DataError
from models.market.readers.blocks import ReadStats
from models.market.readers.bybit import BybitReader
from models.market.tape import EVENT, GAP, Events, from_columns, to_columns

DATASET = "raw_bybit__tape"
SCHEMA = pa.schema([(name, pa.from_numpy_dtype(EVENT[name])) for name in EVENT.names or ()])
_HOLE_S = 60.0
NS_PER_S = 1_000_000_000


@dataclass
class TapeReport:
    """What one day's ingestion found; `holes_s` are stretches of over a minute between segments, seconds."""

    day: date
    segments: int = 0
    messages: int = 0
    dropped: int = 0
    recovered: int = 0
    damaged: list[str] = field(default_factory=list)
    holes_s: list[float] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)
    stats: ReadStats | None = None


def partition_path(lake_root: Path, symbol: str, day: date) -> Path:
    """Return where a symbol's day of tape is or would be."""
    folder = lake_root / DATASET / "venue=bybit" / f"symbol={symbol}"
    return folder / f"date={day.isoformat()}" / "data.parquet"


def read_tape(lake_root: Path, symbol: str, day: date) -> Iterator[Events]:
    """Yield a symbol's day of tape, a row group at a time.

    Raises
    ------
    DataError
        When there is none.

    """
    path = partition_path(lake_root, symbol, day)
    if not path.is_file():
        raise DataError(
            f"tape of {symbol}: expected {day} in the lake, was absent", remedy="materialize raw_bybit__tape"
        )
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            yield from_columns({name: table.column(name).to_numpy() for name in SCHEMA.names})


def ingest_day(folder: Path, lake_root: Path, day: date) -> TapeReport:
    """Replace one day of every recorded symbol; a day without segments keeps what it has.

    Parameters
    ----------
    folder : Path
        Of the segments.
    lake_root : Path
    day : date

    Raises
    ------
    DataError
        When an index or a segment cannot be read.

    """
    report, segments = TapeReport(day), segments_of(folder, day)
    if not segments:
        return report
    _count(report, segments)
    good = [one for one in segments if one.path.name not in report.damaged]
    reader = BybitReader()
    with ExitStack() as stack:
        writers: dict[str, _Partition] = {}
        for symbol, events in read_segments(good, reader):
            if symbol not in writers:
                writers[symbol] = stack.enter_context(_Partition(partition_path(lake_root, symbol, day)))
            writers[symbol].write(events)
            report.rows[symbol] = report.rows.get(symbol, 0) + len(events)
            report.gaps[symbol] = report.gaps.get(symbol, 0) + int((events["kind"] == GAP).sum())
        for writer in writers.values():
            writer.finish()
    report.stats = reader.stats
    return report


def _count(report: TapeReport, segments: list[Segment]) -> None:
    report.segments = len(segments)
    report.messages = sum(one.messages for one in segments)
    report.dropped = sum(one.dropped for one in segments)
    report.recovered = sum(one.recovered for one in segments)
    report.damaged = damaged(segments)
    for before, after in pairwise(segments):
        hole_s = (after.first_ns - before.last_ns) / NS_PER_S
        if hole_s > _HOLE_S:
            report.holes_s.append(round(hole_s, 3))


class _Partition:
    """A Parquet file under a temporary name until it is finished."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._temporary, SCHEMA, compression="zstd")

    def __enter__(self) -> _Partition:
        return self

    def __exit__(self, *_error: Any) -> None:
        self._writer.close()
        self._temporary.unlink(missing_ok=True)  # renamed already when all went well

    def write(self, events: Events) -> None:
        """Append a chunk as a row group."""
        self._writer.write_table(pa.table(to_columns(events), schema=SCHEMA))

    def finish(self) -> None:
        """Make the file final."""
        self._writer.close()
        os.replace(self._temporary, self._path)
