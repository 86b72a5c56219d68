"""The lake's raw datasets as views: what a `raw_…` name means inside a SQL file.

A view has exactly the declared columns, whatever the files hold: a column an older file lacks is null, an undeclared
one is dropped, and without any file the view is empty. Views are temporary: they name paths of this machine.
What does not belong here: the declarations (`resources.lake_schemas`) and writing the lake.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    return {name: _TYPES[kind] for name, kind in dataset_named(dataset).columns.items()}


def raw_select(connection: duckdb.DuckDBPyConnection, dataset: str, lake_root: str) -> str:
    """Return a select of every row of a dataset, with its declared columns and types.

    Parameters
    ----------
    connection
        Used to see whether there are files.
    dataset : str
        Name of a declared dataset.
    lake_root : str
        Folder or URL of the lake.

    """
    columns = dataset_columns(dataset)
    typed_nulls = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns.items())
    empty = f"select {typed_nulls} where false"
    pattern = f"{lake_root}/{dataset}/venue=*/symbol=*/date=*/data.parquet".replace("'", "''")
    if not connection.execute(f"select 1 from glob('{pattern}') limit 1").fetchone():
        return empty
    cast = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in columns.items())
    files = f"select * from read_parquet('{pattern}', hive_partitioning = false, union_by_name = true)"
    return f"select {cast} from ({empty} union all by name {files})"


def create_raw_views(connection: duckdb.DuckDBPyConnection, datasets: Iterable[str], lake_root: str) -> None:
    """Make or renew a temporary view for each dataset."""
    for dataset in datasets:
        select = raw_select(connection, dataset, lake_root)
        connection.execute(f'create or replace temporary view "{dataset}" as {select}')
