"""A SQL file as an object, and loading the whole folder of them.

What does not belong here: running them (`build`) and what their tests mean (`column_tests`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.sql.column_tests import ColumnTest, load_tests
from hean_pipelines.sql.dependencies import build_order, parse_dependencies, read_cache, text_hash
from hean_pipelines.sql.header import Header, parse_header, with_parameters
from models.errors import ConfigError

LAYERS = {"staging": "stg", "intermediate": "int", "marts": "mart"}
RAW_NAME = re.compile(r"^raw_[a-z0-9]+__\w+$")


@dataclass(frozen=True)
class SqlModel:
    """One SQL file: a table of the warehouse.

    Attributes
    ----------
    name : str
        The file's name without ending; also the table's and the asset's.
    layer : str
        `staging`, `intermediate` or `marts`.
    sql : str
        The whole text, header included, with the header's parameters put in.
    header : Header
        What the file says about itself.
    models : tuple of str
        Other files it reads.
    raw : tuple of str
        Datasets of the lake it reads.
    tests : tuple of ColumnTest
        What must hold of its rows, the test of its keys first.

    """

    name: str
    layer: str
    sql: str
    header: Header
    models: tuple[str, ...]
    raw: tuple[str, ...]
    tests: tuple[ColumnTest, ...]

    @property
    def is_mart(self) -> bool:
        """Whether other processes read it, from Parquet."""
        return self.layer == "marts"


def sql_root() -> Path:
    """Return the folder of the SQL files."""
    import dbt_like_sql

    return Path(dbt_like_sql.__path__[0])


def load_models(root: Path | None = None) -> dict[str, SqlModel]:
    """Load every SQL file, in an order in which they can be built.

    Parameters
    ----------
    root : Path, optional
        Folder with `staging/`, `intermediate/`, `marts/`; the package `dbt_like_sql` by default.

    Raises
    ------
    ConfigError
        If a file breaks a rule: header, name, one select, unknown tables, circles, tests.

    """
    folder = root or sql_root()
    cache = read_cache(folder)
    found = {model.name: model for model in _load_files(folder, cache)}
    for model in found.values():
        _check_tables(model, found)
    order = build_order({model.name: model.models for model in found.values()})
    models = {name: found[name] for name in order}
    for model in models.values():
        _check_relationships(model, models)
    return models


def ancestors(name: str, models: Mapping[str, SqlModel]) -> set[str]:
    """Return every model that `name` stands on, directly or not."""
    seen: set[str] = set()
    waiting = list(models[name].models)
    while waiting:
        parent = waiting.pop()
        if parent not in seen:
            seen.add(parent)
            waiting += models[parent].models
    return seen


def _load_files(folder: Path, cache: Mapping[str, tuple[str, ...]]) -> Iterator[SqlModel]:
    for layer, prefix in LAYERS.items():
        for path in sorted((folder / layer).glob("*.sql")):
            name = path.stem
            if not name.startswith(f"{prefix}_") or "__" not in name:
                raise ConfigError(
                    f"{path}: expected a name such as {prefix}_<source>__<entity>.sql, was {path.name}"
                )
            sql = path.read_text(encoding="utf-8")
            header = parse_header(sql, path)
            sql = with_parameters(sql, header, path)
            kept = cache.get(text_hash(sql))
            reads = parse_dependencies(sql, path) if kept is None else kept
            raw = tuple(table for table in reads if RAW_NAME.match(table))
            tests = load_tests(path.with_suffix(".yaml"), header, keys_block=layer == "marts")
            yield SqlModel(name, layer, sql, header, tuple(t for t in reads if t not in raw), raw, tests)
        _check_yaml(folder / layer)


def _check_yaml(folder: Path) -> None:
    for path in sorted(folder.glob("*.yaml")):
        if not path.with_suffix(".sql").is_file():
            raise ConfigError(f"{path}: expected {path.stem}.sql beside it, was absent")


def _check_tables(model: SqlModel, models: Mapping[str, SqlModel]) -> None:
    unknown = [table for table in model.models if table not in models]
    unknown += [dataset for dataset in model.raw if dataset not in DATASETS]
    if unknown:
        raise ConfigError(
            f"{model.name} reads {', '.join(unknown)}: expected SQL files or datasets of the lake"
        )


def _check_relationships(model: SqlModel, models: Mapping[str, SqlModel]) -> None:
    for test in model.tests:
        # Otherwise the other table might be built later, and the test would compare with its last version.
        if test.reads and test.reads not in ancestors(model.name, models):
            raise ConfigError(
                f"{model.name}: test {test.name} reads {test.reads}, which the model does not stand on",
                remedy="relationships may only point at tables the select reads, directly or through others",
            )
