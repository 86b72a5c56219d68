"""Which columns a column is made of, found by parsing the SQL (sqlglot).

Only columns a value is computed from count, not those rows are joined or filtered by. Findings are kept beside the SQL
in `lineage.json`, each under the hash of the text it was found in, as `dependencies.json` is and for the same reason.
What does not belong here: which tables a statement reads (`dependencies`), showing any of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.sql.dependencies import text_hash
from hean_pipelines.sql.model import SqlModel, sql_root
from models.errors import DataError

if TYPE_CHECKING:
    from sqlglot.lineage import Node

CACHE_NAME = "lineage.json"
Lineage = dict[str, tuple[tuple[str, str], ...]]
"""Column of a model to the (table, column) pairs it is made of, sorted."""


def parse_lineage(model: SqlModel, columns: Mapping[str, tuple[str, ...]]) -> Lineage:
    """Return what each column of a model is made of.

    Parameters
    ----------
    model : SqlModel
    columns : mapping of str to tuple of str
        Columns of every table it reads.

    Raises
    ------
    DataError
        If a column cannot be traced.

    """
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, object] = {
        name: dict.fromkeys(columns[name], "unknown") for name in (*model.raw, *model.models)
    }
    try:
        tree = qualify(
            sqlglot.parse_one(model.sql, dialect="duckdb"),
            dialect="duckdb",
            schema=schema,
            validate_qualify_columns=False,
            identify=False,
        )
        scope = build_scope(tree)
        found = {
            column: lineage(column, tree, schema=schema, dialect="duckdb", scope=scope, copy=False)
            for column in model.header.columns
        }
    except SqlglotError as error:
        raise DataError(f"{model.name}: the lineage of its columns could not be found: {error}") from None
    return {column: _sources(node, columns) for column, node in found.items()}


def table_columns(models: Mapping[str, SqlModel]) -> dict[str, tuple[str, ...]]:
    """Return the columns of every dataset of the lake and every model, by its header."""
    raw = {
        name: (*dataset.columns, *(("file_row_number",) if dataset.keeps_order else ()))
        for name, dataset in DATASETS.items()
    }
    return raw | {name: tuple(model.header.columns) for name, model in models.items()}


def all_lineage(models: Mapping[str, SqlModel], root: Path | None = None) -> dict[str, Lineage]:
    """Return the lineage of every model, from `lineage.json` where the text is that it was found in."""
    kept = _read_cache(root or sql_root())
    columns = table_columns(models)
    return {
        name: found
        if (found := kept.get(text_hash(model.sql))) is not None
        else parse_lineage(model, columns)
        for name, model in models.items()
    }


def cache_text(models: Mapping[str, SqlModel]) -> str:
    """Return the content of the cache, every model parsed."""
    columns = table_columns(models)
    lines = []
    for name, model in sorted(models.items()):
        found = {
            column: [".".join(pair) for pair in sources]
            for column, sources in parse_lineage(model, columns).items()
        }
        entry = {"sha256": text_hash(model.sql), "columns": found}
        lines.append(f"{json.dumps(name)}: {json.dumps(entry)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


@cache
def _read_cache(root: Path) -> dict[str, Lineage]:
    path = root / CACHE_NAME
    if not path.is_file():
        return {}
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {
        entry["sha256"]: {
            column: tuple((table, name) for table, _, name in (pair.partition(".") for pair in sources))
            for column, sources in entry["columns"].items()
        }
        for entry in entries.values()
    }


def _sources(node: Node, columns: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    from sqlglot import exp

    found = set()
    for each in node.walk():
        if each.downstream or not isinstance(each.expression, exp.Table):
            continue
        table, column = each.expression.name, each.name.rpartition(".")[2].strip('"')
        if column in columns.get(table, ()):
            found.add((table, column))
    return tuple(sorted(found))
