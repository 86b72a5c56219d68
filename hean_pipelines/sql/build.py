"""Building a SQL file into its table: write, audit, publish in one transaction; marts are exported to Parquet.

Tables whose header says so are brought up to date day by day instead of rebuilt (`partitions`), a batch of days a
transaction: days that pass stay, those that do not keep their former rows. A table is replaced only if its columns are those
its header names and no blocking test fails; else the former table and the former export stay as they were.
What does not belong here: opening the warehouse, Dagster.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.sql.column_tests import TestResult, run_test
from hean_pipelines.sql.damage import is_damage
from hean_pipelines.sql.model import SqlModel, ancestors
from hean_pipelines.sql.partitions import Refreshed, refresh_table
from hean_pipelines.sql.raw_views import create_raw_views
from models.errors import DataError

if TYPE_CHECKING:
    import duckdb

PREVIEW_ROWS = 5


@dataclass(frozen=True)
class BuildResult:
    """What building one table gave.

    Attributes
    ----------
    name : str
        The table.
    published : bool
        Whether the table was replaced; False when a blocking test failed.
    rows : int
        Rows built, published or not.
    columns : dict of str to str
        DuckDB types, in order.
    preview : tuple of tuple
        The last rows by key.
    tests : tuple of TestResult
        In the order of the model's tests.
    seconds : float
        Wall time of everything.
    exported_to : str
        Path or URL of the Parquet file, "" for tables that are not marts.
    files_read : int or None
        Files of the lake read again for a table made day by day; None for those rebuilt whole.

    """

    name: str
    published: bool
    rows: int
    columns: dict[str, str]
    preview: tuple[tuple[object, ...], ...]
    tests: tuple[TestResult, ...]
    seconds: float
    exported_to: str
    files_read: int | None = None

    @property
    def blocked_by(self) -> list[str]:
        """Names of the blocking tests that failed."""
        return [result.test.name for result in self.tests if result.test.blocking and not result.passed]


def build_model(
    connection: duckdb.DuckDBPyConnection, model: SqlModel, lake_root: str, *, now_ns: int | None = None
) -> BuildResult:
    """Build one table, test it, publish it and export it if it is a mart.

    Parameters
    ----------
    connection
        A writer of the warehouse; what the model reads must be there.
    model : SqlModel
        What to build.
    lake_root : str
        Folder or URL of the lake.
    now_ns : int, optional
        The present for tests of freshness, ns UTC; the clock's by default.

    Raises
    ------
    DataError
        If the statement fails or its columns are not those of the header; nothing is replaced then.

    """
    started = time.perf_counter()
    present = time.time_ns() if now_ns is None else now_ns
    with _explained(model):
        refreshed: Refreshed | None = None
        if model.header.is_partitioned:
            refreshed = refresh_table(
                connection,
                model,
                lake_root,
                lambda table: tuple(run_test(connection, table, test, present) for test in model.tests),
            )
        else:
            create_raw_views(connection, model.raw, lake_root)
        connection.execute("begin")
        try:
            result = _build(connection, model, lake_root, present, started, refreshed)
            connection.execute("commit" if result.published else "rollback")
        except BaseException:
            _roll_back(connection)
            _temporary(export_path(lake_root, model.name)).unlink(missing_ok=True)
            raise
        if result.published and model.is_mart:
            _publish_export(result.exported_to)
    return result


def build_all(
    connection: duckdb.DuckDBPyConnection,
    models: Mapping[str, SqlModel],
    lake_root: str,
    *,
    now_ns: int | None = None,
    on_built: Callable[[BuildResult], None] = lambda result: None,
) -> list[BuildResult]:
    """Build every table in order, leaving out what stands on a table that was not published.

    Parameters
    ----------
    connection, lake_root, now_ns
        As for `build_model`.
    models : mapping of str to SqlModel
        In an order in which they can be built.
    on_built : callable
        Told each result as it comes.

    """
    results: list[BuildResult] = []
    blocked: set[str] = set()
    for model in models.values():
        if blocked & ancestors(model.name, models):
            continue
        result = build_model(connection, model, lake_root, now_ns=now_ns)
        if not result.published:
            blocked.add(model.name)
        results.append(result)
        on_built(result)
    return results


def audit_table(
    connection: duckdb.DuckDBPyConnection, model: SqlModel, *, now_ns: int | None = None
) -> tuple[TestResult, ...]:
    """Run the tests of a table as it stands in the warehouse."""
    present = time.time_ns() if now_ns is None else now_ns
    with _explained(model):
        return tuple(run_test(connection, model.name, test, present) for test in model.tests)


def export_path(lake_root: str, name: str) -> str:
    """Return where a mart is exported: `<lake_root>/marts/<name>.parquet`."""
    return f"{lake_root}/marts/{name}.parquet"


def _build(
    connection: duckdb.DuckDBPyConnection,
    model: SqlModel,
    lake_root: str,
    now_ns: int,
    started: float,
    refreshed: Refreshed | None,
) -> BuildResult:
    order = ", ".join(model.header.keys)
    if refreshed is None:
        connection.execute(
            f"create or replace table {model.name} as select * from (\n{model.sql}\n) order by {order}"
        )
    columns = {row[0]: row[1] for row in connection.execute(f"describe {model.name}").fetchall()}
    _check_columns(model, columns)
    counted = connection.execute(f"select count(*) from {model.name}").fetchone()
    rows = int(counted[0]) if counted else 0
    kept_out = refreshed.kept_out if refreshed else ()
    tests = kept_out or tuple(run_test(connection, model.name, test, now_ns) for test in model.tests)
    descending = ", ".join(f"{key} desc" for key in model.header.keys)
    last = f"select * from {model.name} order by {descending} limit {PREVIEW_ROWS}"
    preview = tuple(reversed(connection.execute(last).fetchall()))
    published = all(result.passed or not result.test.blocking for result in tests)
    target = ""
    if published and model.is_mart:
        target = _write_export(connection, model, lake_root)
    seconds = time.perf_counter() - started
    files_read = refreshed.files_read if refreshed else None
    return BuildResult(model.name, published, rows, columns, preview, tests, seconds, target, files_read)


def _check_columns(model: SqlModel, columns: Iterable[str]) -> None:
    expected, found = list(model.header.columns), list(columns)
    if found != expected:
        raise DataError(
            f"{model.name}: expected the columns of its header ({', '.join(expected)}), was {', '.join(found)}",
            remedy="bring the header of the SQL file and its select together",
        )


def _write_export(connection: duckdb.DuckDBPyConnection, model: SqlModel, lake_root: str) -> str:
    target = export_path(lake_root, model.name)
    written = target
    if _is_local(target):
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        written = str(_temporary(target))
    order = ", ".join(model.header.keys)
    quoted = written.replace("'", "''")
    # DuckDB's single-file Parquet writer keeps the order of the rows, so the same rows give the same bytes.
    connection.execute(
        f"copy (select * from {model.name} order by {order}) to '{quoted}' (format parquet, compression zstd)"
    )
    return target


def _is_local(target: str) -> bool:
    return "://" not in target


def _temporary(target: str) -> Path:
    # One name, since the writer is alone: what a killed one left is overwritten by the next.
    path = Path(target)
    return path.with_name(f".{path.name}.tmp")


def _publish_export(target: str) -> None:
    if _is_local(target):  # an object store publishes an object when its upload is complete
        os.replace(_temporary(target), target)


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    with suppress(duckdb.TransactionException):  # the failure may have ended the transaction already
        connection.execute("rollback")


@contextmanager
def _explained(model: SqlModel) -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if is_damage(error):
            raise  # the warehouse itself says what to do
        raise DataError(
            f"building {model.name} failed: {error}",
            remedy="if the message names a lake file, ingest that day again; else mend the SQL file",
        ) from error
    except OSError as error:
        raise DataError(
            f"exporting {model.name} failed: {error}", remedy="check space and permissions"
        ) from error
