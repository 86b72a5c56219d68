"""Tiny tables for SQL files: written as text, typed by the lake's declarations or by the SQL itself.

A table is text with `|` between cells, the first line naming columns, or a list of mappings; columns left out are null.
Whole numbers may be written as times: `1d2h30m15s` is that many nanoseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache

import duckdb

from hean_pipelines.sql.build import build_all
from hean_pipelines.sql.model import RAW_NAME, SqlModel, load_models
from hean_pipelines.sql.raw_views import dataset_columns

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_TIME = re.compile(r"(\d+)([dhms])")
Table = str | list[Mapping[str, object]]


@cache
def all_models() -> dict[str, SqlModel]:
    """Return the project's SQL files."""
    return load_models()


@cache
def table_types() -> dict[str, dict[str, str]]:
    """Return the columns and types of every table, as its SQL makes them of an empty lake."""
    import tempfile

    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as lake:
        return {result.name: result.columns for result in build_all(connection, all_models(), lake)}


def column_types(name: str) -> dict[str, str]:
    """Return the columns and types of a raw dataset or a model."""
    return dataset_columns(name) if RAW_NAME.match(name) else table_types()[name]


def ns(text: str) -> int:
    """Return nanoseconds of `1d2h30m15s`."""
    return sum(int(number) * _UNITS[unit] for number, unit in _TIME.findall(text)) * 10**9


def parse_table(table: Table, types: Mapping[str, str]) -> list[dict[str, object]]:
    """Return rows with every column of `types`, converted to it."""
    if isinstance(table, str):
        lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
        table = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    unknown = {column for row in table for column in row} - set(types)
    assert not unknown, f"columns {unknown} are not among {list(types)}"
    return [{column: _cell(row.get(column), kind) for column, kind in types.items()} for row in table]


def create_table(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> None:
    """Make a table of the right types with these rows."""
    types = column_types(name)
    columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
    connection.execute(f"create table {name} ({columns})")
    for row in parse_table(table, types):
        connection.execute(f"insert into {name} values ({', '.join('?' * len(row))})", list(row.values()))


def _cell(value: object, kind: str) -> object:
    if value is None or value == "null":
        return None
    if kind.upper() in ("BIGINT", "INTEGER"):
        return ns(value) if isinstance(value, str) and _TIME.match(value) else int(str(value))
    if kind.upper() == "DOUBLE":
        return float(str(value))
    if kind.upper() == "BOOLEAN":
        return {"true": True, "false": False}[str(value).lower()]
    if kind.upper() == "DATE":
        return date.fromisoformat(str(value))
    return "" if value == "''" else str(value)
