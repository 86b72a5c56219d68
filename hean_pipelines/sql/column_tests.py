"""Tests of a table's rows, declared in YAML beside its SQL: each is a select of the rows that break a rule.

    tests:
      - not_null: [symbol, rate]
      - unique: [symbol, ts]
      - accepted_values: {column: source, values: [a, b]}
      - between: {column: rate, min: -0.05, max: 0.05, severity: warn}
      - relationships: {column: symbol, to: other_model, field: symbol}
      - expression: {name: high_is_highest, sql: "high >= low", blocking: true}
      - freshness: {column: available_at, max_age_h: 24}

The header's keys make a test of their own, `keys`: unique and none null. `severity` is `error` (default) or `warn`; a
`blocking` test that fails keeps the table from being published. As in SQL's CHECK, null breaks no rule but not_null.
What does not belong here: what happens after a failure (`build`, the assets).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hean_pipelines.sql.header import Header
from models.errors import ConfigError

if TYPE_CHECKING:
    import duckdb

_OPTIONS = {
    "not_null": set(),
    "unique": set(),
    "accepted_values": {"column", "values"},
    "between": {"column", "min", "max"},
    "relationships": {"column", "to", "field"},
    "expression": {"name", "sql"},
    "freshness": {"column", "max_age_h"},
}
_COMMON = {"severity", "blocking"}
SAMPLE_ROWS = 10


@dataclass(frozen=True)
class ColumnTest:
    """One rule about a table's rows.

    Attributes
    ----------
    name : str
        Unique within the table, letters, digits and underscores.
    failing : str
        A select of the rows that break the rule; `{table}` and `{now_ns}` stand for the table and the present.
    description : str
        The rule in words.
    severity : str
        `error` or `warn`.
    blocking : bool
        Whether a failure keeps the table from being published.
    reads : str
        Another model the rule looks at, or "".

    """

    name: str
    failing: str
    description: str
    severity: str = "error"
    blocking: bool = False
    reads: str = ""


@dataclass(frozen=True)
class TestResult:
    """What a test found: how many rows break the rule, and the first of them."""

    __test__ = False  # pytest would take the class for a test of its own

    test: ColumnTest
    failures: int
    columns: tuple[str, ...]
    sample: tuple[tuple[object, ...], ...]

    @property
    def passed(self) -> bool:
        """Whether no row breaks the rule."""
        return self.failures == 0


def key_test(keys: tuple[str, ...], *, blocking: bool) -> ColumnTest:
    """Return the test that the keys are unique and none of them null."""
    columns = ", ".join(keys)
    nulls = " or ".join(f"{key} is null" for key in keys)
    return ColumnTest(
        name="keys",
        failing=f"select {columns}, count(*) as copies from {{table}} group by {columns} having copies > 1 or {nulls}",
        description=f"({columns}) is unique and not null",
        blocking=blocking,
    )


def load_tests(path: Path, header: Header, *, keys_block: bool) -> tuple[ColumnTest, ...]:
    """Read the tests of one table; the test of its keys comes first.

    Parameters
    ----------
    path : Path
        The YAML file; a table may do without.
    header : Header
        The table's header, which names its keys and columns.
    keys_block : bool
        Whether the test of the keys is blocking.

    Raises
    ------
    ConfigError
        If a test is unknown, names an unknown column or lacks an option.

    """
    tests = [key_test(header.keys, blocking=keys_block)]
    if path.is_file():
        tests += [_parse_test(entry, header, path) for entry in _entries(path)]
    names = [test.name for test in tests]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"{path}: expected different names of tests, {', '.join(twice)} was there twice")
    return tuple(tests)


def run_test(connection: duckdb.DuckDBPyConnection, table: str, test: ColumnTest, now_ns: int) -> TestResult:
    """Count the rows of `table` that break the rule and keep the first ten."""
    failing = test.failing.replace("{table}", table).replace("{now_ns}", str(now_ns))
    counted = connection.execute(f"select count(*) from ({failing})").fetchone()
    failures = int(counted[0]) if counted else 0
    if not failures:
        return TestResult(test, 0, (), ())
    cursor = connection.execute(f"select * from ({failing}) limit {SAMPLE_ROWS}")
    columns = tuple(column[0] for column in cursor.description)
    return TestResult(test, failures, columns, tuple(cursor.fetchall()))


def _entries(path: Path) -> list[dict[str, Any]]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: expected YAML, could not be parsed: {error}") from None
    entries = content.get("tests") if isinstance(content, dict) and set(content) == {"tests"} else None
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and len(entry) == 1 for entry in entries
    ):
        raise ConfigError(f"{path}: expected the single key 'tests' with a list of '<kind>: <options>'")
    return entries


def _parse_test(entry: dict[str, Any], header: Header, path: Path) -> ColumnTest:
    kind, given = next(iter(entry.items()))
    if kind not in _OPTIONS:
        raise ConfigError(f"{path}: expected a test of {', '.join(_OPTIONS)}, was '{kind}'")
    options = {"columns": given} if isinstance(given, list) else given
    expected = {"columns"} if kind in ("not_null", "unique") else _OPTIONS[kind]
    if not isinstance(options, dict) or set(options) - _COMMON != expected:
        raise ConfigError(f"{path}: expected {kind} with {', '.join(sorted(expected))}, was {given}")
    columns = options.get("columns") or [options["column"]] if "sql" not in options else []
    unknown = [column for column in columns if column not in header.columns]
    if unknown:
        raise ConfigError(
            f"{path}: expected columns of the header in {kind}, was {', '.join(map(str, unknown))}"
        )
    severity, blocking = options.get("severity", "error"), options.get("blocking", False)
    if (
        severity not in ("error", "warn")
        or not isinstance(blocking, bool)
        or (blocking and severity == "warn")
    ):
        raise ConfigError(
            f"{path}: expected severity error or warn, and blocking true or false with error, was {given}"
        )
    name, failing, description = _BUILDERS[kind](options)
    if not re.fullmatch(r"\w+", name):
        raise ConfigError(f"{path}: expected a name of letters, digits and underscores, was '{name}'")
    return ColumnTest(name, failing, description, severity, blocking, str(options.get("to", "")))


def _not_null(options: dict[str, Any]) -> tuple[str, str, str]:
    columns = options["columns"]
    where = " or ".join(f"{column} is null" for column in columns)
    return (
        "not_null__" + "__".join(columns),
        f"select * from {{table}} where {where}",
        f"{', '.join(columns)} not null",
    )


def _unique(options: dict[str, Any]) -> tuple[str, str, str]:
    columns = ", ".join(options["columns"])
    return (
        "unique__" + "__".join(options["columns"]),
        f"select {columns}, count(*) as copies from {{table}} group by {columns} having copies > 1",
        f"({columns}) is unique",
    )


def _accepted_values(options: dict[str, Any]) -> tuple[str, str, str]:
    column, values = options["column"], ", ".join(map(_literal, options["values"]))
    return (
        f"accepted_values__{column}",
        f"select * from {{table}} where {column} not in ({values})",
        f"{column} is one of {values}",
    )


def _between(options: dict[str, Any]) -> tuple[str, str, str]:
    column, low, high = options["column"], _literal(options["min"]), _literal(options["max"])
    return (
        f"between__{column}",
        f"select * from {{table}} where not ({column} between {low} and {high})",
        f"{column} lies between {low} and {high}",
    )


def _relationships(options: dict[str, Any]) -> tuple[str, str, str]:
    column, other, field = options["column"], options["to"], options["field"]
    return (
        f"relationships__{column}",
        f"select * from {{table}} where {column} is not null "
        f"and not exists (select 1 from {other} as other where other.{field} = {{table}}.{column})",
        f"every {column} is a {field} of {other}",
    )


def _expression(options: dict[str, Any]) -> tuple[str, str, str]:
    return options["name"], f"select * from {{table}} where not ({options['sql']})", options["sql"]


def _freshness(options: dict[str, Any]) -> tuple[str, str, str]:
    column, age_ns = options["column"], int(options["max_age_h"] * 3_600_000_000_000)
    return (
        f"freshness__{column}",
        f"select max({column}) as newest, {{now_ns}}::bigint as now_ns from {{table}} "
        f"having newest is null or newest < {{now_ns}} - {age_ns}",
        f"the newest {column} is at most {options['max_age_h']} h old",
    )


def _literal(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


_BUILDERS = {
    "not_null": _not_null,
    "unique": _unique,
    "accepted_values": _accepted_values,
    "between": _between,
    "relationships": _relationships,
    "expression": _expression,
    "freshness": _freshness,
}
