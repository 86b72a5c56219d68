"""Column tests: each kind on both outcomes, each declared test can fail, faulty declarations are refused."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from hean_pipelines.sql.column_tests import load_tests, run_test
from hean_pipelines.sql.header import Header
from models.errors import ConfigError
from tests.sql.support import all_models, column_types, create_table, ns, parse_table

HERE = Path(__file__).parent
BROKEN = yaml.safe_load((HERE / "broken.yaml").read_text())
HEADER = Header("d", "g", ("k",), {"k": "", "v": "", "seen": ""})
DECLARED = [(model.name, test.name) for model in all_models().values() for test in model.tests]

KINDS = {
    "not_null: [v]": (["(1, 1.0, 0)"], ["(1, null, 0)"]),
    "unique: [k, v]": (["(1, 1.0, 0)", "(1, 2.0, 0)"], ["(1, 1.0, 0)", "(1, 1.0, 1)"]),
    "accepted_values: {column: k, values: [1, 2]}": (["(1, 1.0, 0)", "(null, 1.0, 0)"], ["(3, 1.0, 0)"]),
    "between: {column: v, min: 0, max: 1}": (
        ["(1, 1.0, 0)", "(2, null, 0)"],
        ["(1, 'nan', 0)", "(2, -0.1, 0)"],
    ),
    "relationships: {column: k, to: other, field: id}": (["(1, 1.0, 0)", "(null, 1.0, 0)"], ["(7, 1.0, 0)"]),
    "expression: {name: positive, sql: 'v > 0'}": (["(1, 1.0, 0)", "(2, null, 0)"], ["(1, 0.0, 0)"]),
    "freshness: {column: seen, max_age_h: 1}": (["(1, 1.0, 0)", "(2, 1.0, 7200000000000)"], ["(1, 1.0, 0)"]),
}


def _load(tmp_path: Path, text: str):
    path = tmp_path / "t.yaml"
    path.write_text(f"tests:\n  - {text}\n")
    return load_tests(path, HEADER, keys_block=False)


@pytest.mark.parametrize(("text", "good", "bad"), [(text, *rows) for text, rows in KINDS.items()])
def test_each_kind_on_both_outcomes(tmp_path: Path, text: str, good: list[str], bad: list[str]):
    test = _load(tmp_path, text)[1]
    now_ns = 3 * 3_600_000_000_000
    with duckdb.connect() as connection:
        connection.execute("create table other as select 1 as id")
        for table, rows in (("good", good), ("bad", bad)):
            connection.execute(f"create table {table} (k bigint, v double, seen bigint)")
            connection.execute(f"insert into {table} values {', '.join(rows)}")
        passed, failed = run_test(connection, "good", test, now_ns), run_test(connection, "bad", test, now_ns)
    assert passed.passed
    assert passed.failures == 0
    assert not failed.passed
    assert failed.failures == len(failed.sample) >= 1
    assert failed.columns


def test_keys_must_be_unique_and_not_null(tmp_path: Path):
    test = load_tests(tmp_path / "absent.yaml", HEADER, keys_block=True)[0]
    with duckdb.connect() as connection:
        connection.execute("create table t (k bigint); insert into t values (1), (2)")
        assert run_test(connection, "t", test, 0).passed
        connection.execute("insert into t values (2), (null)")
        result = run_test(connection, "t", test, 0)
    assert (test.name, test.blocking, result.failures) == ("keys", True, 2)


def test_sample_is_bounded(tmp_path: Path):
    test = _load(tmp_path, "not_null: [v]")[1]
    with duckdb.connect() as connection:
        connection.execute("create table t as select null as v from range(25)")
        result = run_test(connection, "t", test, 0)
    assert (result.failures, len(result.sample)) == (25, 10)


def test_empty_table_is_not_fresh(tmp_path: Path):
    test = _load(tmp_path, "freshness: {column: seen, max_age_h: 1}")[1]
    with duckdb.connect() as connection:
        connection.execute("create table t (seen bigint)")
        assert not run_test(connection, "t", test, 0).passed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense: [v]", "expected a test of"),
        ("not_null: [missing]", "expected columns of the header"),
        ("between: {column: v, min: 0}", "expected between with column, max, min"),
        ("between: {column: w, min: 0, max: 1}", "expected columns of the header"),
        ("expression: {name: a b, sql: v > 0}", "letters, digits and underscores"),
        ("expression: {name: a, sql: v > 0, severity: fatal}", "expected severity error or warn"),
        (
            "expression: {name: a, sql: v > 0, severity: warn, blocking: true}",
            "blocking true or false with error",
        ),
        ("not_null: [v]\n  - not_null: [v]", "was there twice"),
        ("justtext", "expected the single key 'tests'"),
        ("{unclosed", "expected YAML"),
    ],
)
def test_faulty_declarations_are_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(ConfigError, match=re.escape(message)):
        _load(tmp_path, text)


def test_every_expression_has_a_breaking_row():
    expressions = {
        f"{model.name}.{test.name}"
        for model in all_models().values()
        for test in model.tests
        if test.name != "keys" and "__" not in test.name
    }
    assert set(BROKEN) == expressions


@pytest.mark.parametrize(("name", "test_name"), DECLARED, ids=[".".join(pair) for pair in DECLARED])
def test_each_declared_test_can_fail(name: str, test_name: str):
    model = all_models()[name]
    test = next(test for test in model.tests if test.name == test_name)
    golden = yaml.safe_load((HERE / "golden" / f"{name}.yaml").read_text())["output"]
    rows = parse_table(golden, column_types(name))[:1]
    with duckdb.connect() as connection:
        create_table(connection, name, rows)
        for table in {test.reads} - {"", name}:
            create_table(connection, table, [])
            connection.execute(f"insert into {table} (symbol) select symbol from {name}")
        assert run_test(connection, name, test, 0).passed
        now_ns = _break(connection, name, test_name)
        assert not run_test(connection, name, test, now_ns).passed


def _break(connection: duckdb.DuckDBPyConnection, table: str, test_name: str) -> int:
    """Make the table break one test; return the present to test it at."""
    kind, _, column = test_name.partition("__")
    first = f"update {table} set {{}} where rowid = 0"
    if test_name == "keys":
        connection.execute(f"insert into {table} select * from {table} limit 1")
    elif kind == "freshness":
        return 10**19 // 2
    elif kind == "not_null":
        connection.execute(first.format(f"{column.split('__')[0]} = null"))
    elif kind in ("accepted_values", "between"):
        kind_of = connection.execute(f"select typeof({column}) from {table} limit 1").fetchone()[0]
        connection.execute(first.format(f"{column} = {repr('NOPE') if kind_of == 'VARCHAR' else 1_000_003}"))
    elif kind == "relationships":
        connection.execute(first.format(f"{column} = 'NOPE'"))
    else:
        for changed, value in BROKEN[f"{table}.{test_name}"].items():
            connection.execute(first.format(f"{changed} = {_literal(value)}"))
    return 0


def _literal(value: object) -> str:
    return str(ns(value)) if isinstance(value, str) and value[0].isdigit() else str(value)
