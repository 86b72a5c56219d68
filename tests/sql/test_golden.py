"""Every SQL file turns a tiny input into the output written beside it, by hand, in `golden/`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from hean_pipelines.sql.column_tests import run_test
from tests.sql.support import all_models, column_types, create_table, parse_table

GOLDEN = Path(__file__).parent / "golden"


def test_every_sql_file_has_a_golden_pair():
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == sorted(all_models())


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.yaml")))
def test_golden(name: str):
    model = all_models()[name]
    pair = yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())
    assert pair["shows"]
    with duckdb.connect() as connection:
        for table in (*model.raw, *model.models):
            create_table(connection, table, pair["inputs"].get(table, []))
        assert set(pair["inputs"]) <= {*model.raw, *model.models}
        connection.execute(
            f"create table result as select * from ({model.sql}\n) order by {', '.join(model.header.keys)}"
        )
        cursor = connection.execute("select * from result")
        columns = [column[0] for column in cursor.description]
        found = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        expected = parse_table(pair["output"], column_types(name))
        assert columns == list(model.header.columns)
        assert len(found) == len(expected), found
        for row, wanted in zip(found, expected, strict=True):
            assert row == {key: _near(value) for key, value in wanted.items()}
        broken = [
            result.test.name
            for test in model.tests
            if not (result := run_test(connection, "result", test, 0)).passed and test.severity == "error"
        ]
    assert broken == pair.get("breaks", [])


def _near(value: object) -> object:
    return (
        value
        if isinstance(value, (bool, int, str, date)) or value is None
        else pytest.approx(value, rel=1e-12)
    )
