"""The lake's raw datasets as views: what a `raw_…` name means inside a SQL file.

A view has exactly the declared columns, whatever the files hold: a column an older file lacks is null, an undeclared
one is dropped, and without any file the view is empty. Where the order of rows is information (trades), a view also has
`file_row_number`. Views are temporary: they name paths of this machine.
What does not belong here: the declarations (`resources.lake_schemas`) and writing the lake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hean_pipelines.resources.lake_schemas import dataset_named

if TYPE_CHECKING:
    import duckdb

_TYPES = {"i64": "bigint", "f64": "double", "str": "varchar"}


def dataset_columns(dataset: str) -> dict[str, str]:
    """Return the declared columns of a dataset with their DuckDB types.

    Raises
    ------
    DataError
        If there is no such dataset.

    """
    declared = dataset_named(dataset)
    order = {"file_row_number": "bigint"} if declared.keeps_order else {}
    return {name: _TYPES[kind] for name, kind in declared.columns.items()} | order


def file_pattern(dataset: str, lake_root: str) -> str:
    """Return what all files of a dataset match, for use between single quotes in SQL."""
    return f"{lake_root}/{dataset}/venue=*/symbol=*/date=*/data.parquet".replace("'", "''")


def raw_select(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    lake_root: str,
    files: Sequence[str] | None = None,
) -> str:
    """Return a select of the rows of a dataset, with its declared columns and types.

    Parameters
    ----------
    connection
        Used to see whether there are files.
    dataset : str
        Name of a declared dataset.
    lake_root : str
        Folder or URL of the lake.
    files : sequence of str, optional
        Only these files; all by default.

    """
    columns = dataset_columns(dataset)
    typed_nulls = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns.items())
    empty = f"select {typed_nulls} where false"
    if files is None:
        pattern = file_pattern(dataset, lake_root)
        found = connection.execute(f"select 1 from glob('{pattern}') limit 1").fetchone()
        source = f"'{pattern}'" if found else ""
    else:
        source = "[" + ", ".join("'" + file.replace("'", "''") + "'" for file in files) + "]" if files else ""
    if not source:
        return empty
    cast = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in columns.items())
    options = "hive_partitioning = false, union_by_name = true"
    if dataset_named(dataset).keeps_order:
        options += ", file_row_number = true"
    rows = f"select * from read_parquet({source}, {options})"
    return f"select {cast} from ({empty} union all by name {rows})"


def create_raw_views(
    connection: duckdb.DuckDBPyConnection,
    datasets: Iterable[str],
    lake_root: str,
    files: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Make or renew a temporary view for each dataset, of all its files or of those given."""
    for dataset in datasets:
        chosen = None if files is None else files.get(dataset, ())
        select = raw_select(connection, dataset, lake_root, chosen)
        connection.execute(f'create or replace temporary view "{dataset}" as {select}')
