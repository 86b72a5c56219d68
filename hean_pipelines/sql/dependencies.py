"""Which tables a SQL file reads, found by parsing it (sqlglot), and the order that follows.

sqlglot costs a quarter of what importing Dagster costs, and definitions are loaded often. So the findings are kept
beside the SQL, in `dependencies.json`, each under the hash of the text it was found in: a file whose text has changed
is parsed again. The cache is never trusted beyond that; `hean warehouse models --write-dependencies` renews it, and a
test fails while it is out of date. What does not belong here: what the tables are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from models.errors import ConfigError

CACHE_NAME = "dependencies.json"


def parse_dependencies(sql: str, path: Path) -> tuple[str, ...]:
    """Return the tables a statement reads, sorted, without its own common table expressions.

    Raises
    ------
    ConfigError
        If the file is not exactly one `select`.

    """
    import sqlglot
    from sqlglot import exp

    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise ConfigError(f"{path}: expected one select, could not be parsed: {error}") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        kinds = ", ".join(type(statement).__name__.lower() for statement in statements)
        raise ConfigError(f"{path}: expected exactly one select, was {kinds}")
    own = {cte.alias_or_name for cte in statements[0].find_all(exp.CTE)}
    tables = {table.name for table in statements[0].find_all(exp.Table) if table.name}
    return tuple(sorted(tables - own))


def text_hash(sql: str) -> str:
    """Return the SHA-256 of a statement's text."""
    return hashlib.sha256(sql.encode()).hexdigest()


def read_cache(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the kept findings by text hash; empty where there is no cache."""
    path = root / CACHE_NAME
    if not path.is_file():
        return {}
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {entry["sha256"]: tuple(entry["reads"]) for entry in entries.values()}


def cache_text(found: Mapping[str, tuple[str, tuple[str, ...]]]) -> str:
    """Return the content of the cache for `name -> (text hash, tables)`."""
    entries = {
        name: {"sha256": digest, "reads": list(reads)} for name, (digest, reads) in sorted(found.items())
    }
    return json.dumps(entries, indent=1) + "\n"


def build_order(reads: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the names so that each comes after what it reads; ties by name.

    Parameters
    ----------
    reads : mapping of str to tuple of str
        Models and the models they read.

    Raises
    ------
    ConfigError
        If models read each other in a circle.

    """
    sorter = TopologicalSorter(reads)
    try:
        sorter.prepare()
    except CycleError as error:
        raise ConfigError(f"SQL files read each other in a circle: {' -> '.join(error.args[1])}") from None
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order
