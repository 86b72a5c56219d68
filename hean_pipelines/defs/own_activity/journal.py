"""Read the executor's journal (SQLite) and put its days into the lake. No Dagster here.

The journal is opened read-only while the executor may be writing it: WAL lets both go on. It is never changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import ALL_SYMBOLS, Dataset
from hean_pipelines.sources.ranges import NS_PER_DAY
from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl

SCHEMA_VERSION = "1"
# When a row could first be known, where that is not the moment that decides its day.
_AVAILABLE_AT = {"orders": "updated_ns"}


@dataclass
class JournalReport:
    """What one ingestion of the journal did; `exists` is False when the executor has not run yet."""

    dataset: str
    exists: bool = True
    rows: int = 0
    days_written: int = 0


def ingest_journal(dataset: Dataset, journal: Path, lake: Lake, first: date, last: date) -> JournalReport:
    """Replace days `first` to `last` (both included) of one dataset by what the journal holds now.

    Raises
    ------
    DataError
        If the journal is no journal of this schema, or stays locked.

    """
    report = JournalReport(dataset.name, exists=journal.is_file())
    if not report.exists:
        return report
    start_ns = (first - date(1970, 1, 1)).days * NS_PER_DAY
    end_ns = ((last - date(1970, 1, 1)).days + 1) * NS_PER_DAY
    frame = read_table(dataset, journal, start_ns, end_ns)
    report.rows = frame.height
    for day, rows in by_day(frame, dataset.time):
        lake.write_partition(dataset.name, ALL_SYMBOLS, day, rows)
        report.days_written += 1
    return report


def read_table(dataset: Dataset, journal: Path, start_ns: int, end_ns: int) -> pl.DataFrame:
    """Return the journal's rows whose time lies in [start_ns, end_ns), one consistent snapshot."""
    import polars as pl

    table = dataset.name.removeprefix("raw_hean__")
    columns = [name for name in dataset.columns if name != "available_at"]
    query = (
        f"select {', '.join(columns)} from {table} where {dataset.time} >= ? and {dataset.time} < ? "
        f"order by {', '.join((dataset.time, *dataset.key))}"
    )
    with open_journal(journal) as connection:
        try:
            rows = connection.execute(query, (start_ns, end_ns)).fetchall()
        except sqlite3.Error as error:
            raise DataError(
                f"{journal}: expected table '{table}' with {columns}, was refused: {error}",
                remedy="the journal must be written by this version of the executor",
            ) from None
    schema = schema_of(dataset)
    known = pl.Schema({name: schema[name] for name in columns})
    frame = pl.DataFrame(rows, schema=known, orient="row", strict=False)
    available = _AVAILABLE_AT.get(table, dataset.time)
    return frame.with_columns(available_at=pl.col(available)).select(schema.names())


@contextmanager
def open_journal(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the journal read-only; raises DataError when it is none of this schema."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        try:
            found = connection.execute("select value from meta where key = 'schema_version'").fetchone()
        except sqlite3.Error as error:
            raise DataError(f"{path}: expected the executor's journal, was unreadable: {error}") from None
        version = str(found[0]) if found else "none"
        if version != SCHEMA_VERSION:
            raise DataError(
                f"{path}: expected journal schema {SCHEMA_VERSION}, was {version}",
                remedy="run executor and pipelines of the same version",
            )
        yield connection


def by_day(frame: pl.DataFrame, time: str) -> Iterator[tuple[date, pl.DataFrame]]:
    """Give the rows of each day, days ascending; the frame is sorted by time."""
    times = frame.get_column(time).to_numpy()
    days = times // NS_PER_DAY
    for day in sorted(set(days.tolist())):
        low, high = days.searchsorted([day, day + 1])
        yield date.fromordinal(date(1970, 1, 1).toordinal() + day), frame[int(low) : int(high)]
