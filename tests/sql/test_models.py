"""Loading SQL files: dependencies come from the SQL, the order follows, and rules are kept."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hean_pipelines.sql.dependencies import (
    CACHE_NAME,
    build_order,
    cache_text,
    parse_dependencies,
    read_cache,
    text_hash,
)
from hean_pipelines.sql.model import ancestors, load_models, sql_root
from models.errors import ConfigError
from tests.sql.support import all_models, table_types

HEADER = "-- description: d\n-- grain: g\n-- keys: k\n-- columns:\n--   k: key\n"


def _write(root: Path, name: str, sql: str, tests: str = "") -> None:
    layer = {"stg": "staging", "int": "intermediate", "mart": "marts"}[name.split("_")[0]]
    (root / layer).mkdir(parents=True, exist_ok=True)
    (root / layer / f"{name}.sql").write_text(HEADER + sql)
    if tests:
        (root / layer / f"{name}.yaml").write_text(tests)


def test_tables_are_found_in_the_sql():
    sql = """
        with own as (select * from stg_a__x), second as (select * from own)
        select (select max(v) from raw_b__y) as m from second
        asof left join int_c__z as z on second.t >= z.t
        where exists (select 1 from mart_d__w where true)
        union all by name select 'stg_not__me' as m -- from stg_comment__only
    """
    found = parse_dependencies(sql, Path("x.sql"))
    assert found == ("int_c__z", "mart_d__w", "raw_b__y", "stg_a__x")


@pytest.mark.parametrize(
    "sql", ["select 1; select 2", "create table t as select 1", "delete from t", "select from where", ""]
)
def test_only_one_select_a_file(sql: str):
    with pytest.raises(ConfigError, match="one select"):
        parse_dependencies(sql, Path("x.sql"))


def test_order_puts_inputs_first_and_is_stable():
    assert build_order({"c": ("b", "a"), "b": ("a",), "a": (), "d": ()}) == ["a", "d", "b", "c"]
    names = list(all_models())
    for model in all_models().values():
        assert all(names.index(parent) < names.index(model.name) for parent in model.models)


def test_circles_are_refused(tmp_path: Path):
    _write(tmp_path, "stg_a__x", "select k from stg_a__y")
    _write(tmp_path, "stg_a__y", "select k from stg_a__x")
    with pytest.raises(ConfigError, match="in a circle"):
        load_models(tmp_path)


def test_unknown_tables_are_refused(tmp_path: Path):
    _write(tmp_path, "stg_a__x", "select k from raw_bybit__unknown union all select k from typo")
    with pytest.raises(ConfigError, match="typo, raw_bybit__unknown"):
        load_models(tmp_path)


def test_names_follow_their_folder(tmp_path: Path):
    _write(tmp_path, "stg_a__x", "select 1 as k")
    (tmp_path / "staging" / "stg_a__x.sql").rename(tmp_path / "staging" / "mart_a__x.sql")
    with pytest.raises(ConfigError, match="expected a name such as stg_"):
        load_models(tmp_path)


def test_tests_without_sql_are_refused(tmp_path: Path):
    _write(tmp_path, "stg_a__x", "select 1 as k")
    (tmp_path / "staging" / "stg_a__typo.yaml").write_text("tests: []")
    with pytest.raises(ConfigError, match=re.escape("expected stg_a__typo.sql beside it")):
        load_models(tmp_path)


def test_relationships_point_upstream_only(tmp_path: Path):
    relationship = "tests: [{relationships: {column: k, to: stg_a__y, field: k}}]"
    _write(tmp_path, "stg_a__y", "select 1 as k")
    _write(tmp_path, "int_a__x", "select k from stg_a__y", relationship)
    _write(tmp_path, "mart_a__x", "select k from int_a__x", relationship)
    assert ancestors("mart_a__x", load_models(tmp_path)) == {"int_a__x", "stg_a__y"}
    _write(tmp_path, "mart_a__z", "select 1 as k", relationship)
    with pytest.raises(ConfigError, match="which the model does not stand on"):
        load_models(tmp_path)


def test_kept_dependencies_are_those_of_the_sql():
    models = all_models()
    found = {
        name: (text_hash(model.sql), parse_dependencies(model.sql, Path(name)))
        for name, model in models.items()
    }
    kept = (sql_root() / CACHE_NAME).read_text()
    assert kept == cache_text(found), "run `hean warehouse models --write-dependencies`"


def test_changed_sql_is_parsed_again(tmp_path: Path):
    _write(tmp_path, "stg_a__x", "select 1 as k")
    sql = (tmp_path / "staging" / "stg_a__x.sql").read_text()
    (tmp_path / CACHE_NAME).write_text(cache_text({"stg_a__x": (text_hash(sql), ("raw_hean__equity",))}))
    assert read_cache(tmp_path)
    assert load_models(tmp_path)["stg_a__x"].raw == ("raw_hean__equity",)
    _write(tmp_path, "stg_a__x", "select 2 as k")
    assert load_models(tmp_path)["stg_a__x"].raw == ()


def test_loading_models_needs_no_sqlglot_and_no_duckdb():
    code = (
        "import sys; from hean_pipelines.sql.model import load_models; load_models(); "
        "sys.exit(bool({'sqlglot', 'duckdb', 'polars', 'dagster'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_staging_reads_one_raw_dataset_each_and_only_staging_and_tables_by_day_read_raw():
    for model in all_models().values():
        if model.layer == "staging":
            assert (len(model.raw), model.models) == (1, ())
        elif model.header.is_partitioned:
            assert (model.models, model.raw != ()) == ((), True)
        else:
            assert model.raw == ()


def test_every_table_says_when_it_was_known():
    assert all("available_at" in types for types in table_types().values())
