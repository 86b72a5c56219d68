"""Tables made day by day: only files that are new or changed are read again, and the result is that of reading all.

A file of the lake holds one dataset, symbol and day. A table whose header says `partitions: dataset, symbol, day` has
rows that depend on the files of their own partition alone; the statement is run over the changed files, and their rows
take the place of the former ones. Which files the rows were made of (size and time of change) is kept in the warehouse
beside them, in the same transaction, under the hash of the statement: a changed statement makes the whole table again.
Each batch of files is a transaction of its own: years of trades neither fill the disk with one nor are lost with a killed run.
What does not belong here: tables that look across partitions; those are rebuilt whole (`build`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from hean_pipelines.sql.column_tests import TestResult
from hean_pipelines.sql.dependencies import text_hash
from hean_pipelines.sql.header import PARTITION_COLUMNS
from hean_pipelines.sql.model import SqlModel
from hean_pipelines.sql.raw_views import create_raw_views, file_pattern
from models.errors import DataError

if TYPE_CHECKING:
    import duckdb

STATE = "built_partitions"
_FRESH = "fresh_rows"
BATCH_BYTES = 16 * 1024 * 1024
"""Compressed bytes of the files read by one statement: bounds memory, whatever the history."""
_PATH = re.compile(r"/symbol=([^/]+)/date=(\d{4}-\d{2}-\d{2})/data\.parquet$")


class File(NamedTuple):
    """One file of the lake, as it is now."""

    dataset: str
    symbol: str
    date: str
    path: str
    size: int
    changed_ns: int


class Refreshed(NamedTuple):
    """Files read, and the results of a batch that a blocking test kept out, empty when none did."""

    files_read: int
    kept_out: tuple[TestResult, ...]


Audit = Callable[[str], tuple[TestResult, ...]]
"""Runs a table's tests on the table of this name."""


def refresh_table(
    connection: duckdb.DuckDBPyConnection, model: SqlModel, lake_root: str, audit: Audit
) -> Refreshed:
    """Bring a table up to date with the lake, a batch of files a transaction, until one fails.

    Parameters
    ----------
    connection
        A writer of the warehouse, in no transaction.
    model : SqlModel
        A partitioned one.
    lake_root : str
        Folder or URL of the lake.
    audit : callable
        Tests the rows of a batch; when a blocking test fails, they and all batches after stay out.

    Returns
    -------
    Refreshed

    Raises
    ------
    DataError
        If the statement gave rows of a partition it was not asked for. Batches before stay.

    """
    with _transaction(connection):
        connection.execute(
            f"create table if not exists {STATE} (model varchar, statement varchar, dataset varchar, "
            "symbol varchar, date date, path varchar, size bigint, changed_ns bigint)"
        )
        _create_if_changed(connection, model, lake_root)
    present = {file.path: file for dataset in model.raw for file in _files(connection, dataset, lake_root)}
    rows = connection.execute(
        f"select dataset, symbol, date::varchar, path, size, changed_ns from {STATE} where model = ?",
        [model.name],
    ).fetchall()
    former = {row[3]: File(*row) for row in rows}
    stale = {file[:3] for file in set(present.values()) ^ set(former.values())}
    gone = [file for path, file in former.items() if path not in present]
    with _transaction(connection):
        _forget(connection, model, gone)
    read = 0
    for batch in _batches([file for file in present.values() if file[:3] in stale]):
        try:
            with _transaction(connection):
                _forget(connection, model, batch)
                _insert(connection, model, lake_root, batch, audit)
        except _KeptOut as kept_out:
            return Refreshed(read, kept_out.results)
        read += len(batch)
    return Refreshed(read, ())


class _KeptOut(Exception):
    def __init__(self, results: tuple[TestResult, ...]) -> None:
        super().__init__("a blocking test failed")
        self.results = results


def _insert(
    connection: duckdb.DuckDBPyConnection,
    model: SqlModel,
    lake_root: str,
    batch: Sequence[File],
    audit: Audit,
) -> None:
    """Add the rows of a batch; raises _KeptOut when a blocking test forbids it."""
    files = {name: [file.path for file in batch if file.dataset == name] for name in model.raw}
    create_raw_views(connection, model.raw, lake_root, files)
    connection.execute(f"create or replace temporary table {_FRESH} as select * from (\n{model.sql}\n)")
    _list(connection, batch)
    _check_partitions(connection, model)
    results = audit(_FRESH)
    if any(result.test.blocking and not result.passed for result in results):
        raise _KeptOut(results)
    connection.execute(f"insert into {model.name} select * from {_FRESH}")
    connection.execute(f"drop table {_FRESH}")
    connection.execute(f"insert into {STATE} select ?, ?, * from chosen", [model.name, text_hash(model.sql)])


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    import duckdb

    connection.execute("begin")
    try:
        yield
    except BaseException:
        with suppress(duckdb.TransactionException):  # the failure may have ended the transaction already
            connection.execute("rollback")
        raise
    connection.execute("commit")


def _create_if_changed(connection: duckdb.DuckDBPyConnection, model: SqlModel, lake_root: str) -> None:
    exists = connection.execute(
        "select 1 from duckdb_tables() where not temporary and table_name = ?", [model.name]
    ).fetchone()
    known = connection.execute(
        f"select count(*) from {STATE} where model = ? and statement <> ?", [model.name, text_hash(model.sql)]
    ).fetchone()
    if exists and known == (0,):
        return
    create_raw_views(connection, model.raw, lake_root, {})
    connection.execute(f"create or replace table {model.name} as select * from (\n{model.sql}\n) limit 0")
    connection.execute(f"delete from {STATE} where model = ?", [model.name])


def _files(connection: duckdb.DuckDBPyConnection, dataset: str, lake_root: str) -> Iterator[File]:
    pattern = file_pattern(dataset, lake_root)
    paths = [
        row[0] for row in connection.execute(f"select file from glob('{pattern}') order by file").fetchall()
    ]
    states = _stored_states(connection, pattern) if "://" in lake_root and paths else _local_states(paths)
    for path in paths:
        named = _PATH.search(path)
        if named:
            yield File(dataset, named[1], named[2], path, *states[path])


def _local_states(paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    # Of DuckDB's own listing the times are whole seconds: a file replaced within one would look unchanged.
    found = {}
    for path in paths:
        state = os.stat(path)
        found[path] = state.st_size, state.st_mtime_ns
    return found


def _stored_states(connection: duckdb.DuckDBPyConnection, pattern: str) -> dict[str, tuple[int, int]]:
    listing = f"select filename, size, epoch_ns(last_modified) from read_blob('{pattern}')"
    return {path: (size, changed_ns) for path, size, changed_ns in connection.execute(listing).fetchall()}


def _batches(files: Sequence[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    total = 0
    for file in files:
        if batch and total + file.size > BATCH_BYTES:
            yield batch
            batch, total = [], 0
        batch.append(file)
        total += file.size
    if batch:
        yield batch


def _forget(connection: duckdb.DuckDBPyConnection, model: SqlModel, files: Sequence[File]) -> None:
    if not files:
        return
    _list(connection, files)
    columns = ", ".join(PARTITION_COLUMNS)
    connection.execute(
        f"delete from {model.name} where ({columns}) in (select dataset, symbol, date - date '1970-01-01' from chosen)"
    )
    connection.execute(
        f"delete from {STATE} where model = ? and path in (select path from chosen)", [model.name]
    )


def _list(connection: duckdb.DuckDBPyConnection, files: Sequence[File]) -> None:
    names = ("dataset", "symbol", "date", "path", "size", "changed_ns")
    columns = [[file[i] for file in files] for i in range(len(names))]
    unnested = ", ".join(
        f"unnest(?::{kind}[]) as {name}"
        for name, kind in zip(
            names, ("varchar", "varchar", "date", "varchar", "bigint", "bigint"), strict=True
        )
    )
    connection.execute(f"create or replace temporary table chosen as select {unnested}", columns)


def _check_partitions(connection: duckdb.DuckDBPyConnection, model: SqlModel) -> None:
    columns = ", ".join(PARTITION_COLUMNS)
    strange = connection.execute(
        f"select distinct {columns} from {_FRESH} where ({columns}) not in "
        "(select dataset, symbol, date - date '1970-01-01' from chosen) limit 3"
    ).fetchall()
    if strange:
        raise DataError(
            f"{model.name}: expected rows of the files' own dataset, symbol and day, was {strange}",
            remedy="a file of the lake holds rows of another symbol or day: ingest that day again",
        )
