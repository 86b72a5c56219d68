"""Assets made from SQL files: names, dependencies, checks, failures, automation, and runs of the whole graph."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.defs.warehouse.definitions import sql_asset, warehouse_definitions
from hean_pipelines.defs.warehouse.metadata import markdown_table
from hean_pipelines.defs.warehouse.pictures import coverage_figure
from hean_pipelines.resources.warehouse import POOL, Warehouse
from hean_pipelines.settings import load_settings
from hean_pipelines.sql.model import SqlModel, ancestors, load_models
from tests.pipelines.warehouse.lake_data import write_day

SQL = """-- description: Equity.
-- grain: one row per look
-- keys: at_ns
-- columns:
--   at_ns: ns UTC
--   equity_usd: quote currency
select * from (values (1, 10.0), (2, {second})) as looks (at_ns, equity_usd) {more}
"""
TESTS = "tests: [{expression: {name: rich, sql: equity_usd > 5}}]"
DAYS = dg.DailyPartitionsDefinition("2025-03-01", end_offset=1)


def _model(folder: Path, second: float = 20.0, more: str = "") -> SqlModel:
    marts = folder / "sql" / "marts"
    marts.mkdir(parents=True, exist_ok=True)
    (marts / "mart_a__x.sql").write_text(SQL.format(second=second, more=more))
    (marts / "mart_a__x.yaml").write_text(TESTS)
    return load_models(folder / "sql")["mart_a__x"]


def _warehouse(home: Path, timeout_s: float = 20.0) -> Warehouse:
    return Warehouse(
        database=str(home / "warehouse.duckdb"), lake_root=str(home / "lake"), lock_timeout_s=timeout_s
    )


def _materialize(home: Path, model: SqlModel, warehouse: Warehouse | None = None):
    resources = {"warehouse": warehouse or _warehouse(home)}
    return dg.materialize([sql_asset(model)], resources=resources, raise_on_error=False)


def test_every_sql_asset_names_its_op(tmp_path: Path):
    definitions = warehouse_definitions(load_settings(home=tmp_path))
    models = load_models()
    assets = {asset.key.to_user_string(): asset for asset in definitions.assets}
    assert set(assets) == set(models)
    for name, asset in assets.items():
        spec, model = asset.specs_by_key[asset.key], models[name]
        assert (asset.op.name, asset.op.pool) == (name, POOL)
        assert (spec.group_name, spec.partitions_def) == (model.layer, None)
        assert {dep.asset_key.to_user_string() for dep in spec.deps} == {*model.models, *model.raw}
        assert {"sql", "duckdb"} <= spec.kinds
        assert spec.description.startswith(model.header.description)
        checks = {check.name: check.blocking for check in asset.check_specs}
        assert checks == {test.name: test.blocking for test in model.tests}
        assert checks["keys"] is model.is_mart
    assert definitions.resources["warehouse"].database == str(tmp_path / "warehouse.duckdb")


def test_definitions_join_partitioned_raw_assets(tmp_path: Path):
    raw = [
        dg.AssetSpec(name, partitions_def=DAYS)
        for name in {raw for model in load_models().values() for raw in model.raw}
    ]
    merged = dg.Definitions.merge(
        warehouse_definitions(load_settings(home=tmp_path)), dg.Definitions(assets=raw)
    )
    graph = merged.resolve_asset_graph()
    key = dg.AssetKey("stg_bybit__funding")
    assert graph.get(key).parent_keys == {dg.AssetKey("raw_bybit__settlement_funding")}
    mapping = graph.get_partition_mapping(key, dg.AssetKey("raw_bybit__settlement_funding"))
    assert isinstance(mapping, dg.AllPartitionMapping)


def test_good_table_is_materialized_with_metadata(tmp_path: Path):
    result = _materialize(tmp_path, _model(tmp_path))
    assert result.success
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["dagster/row_count"].value == 2
    columns = metadata["dagster/column_schema"].value.columns
    assert [(column.name, column.description) for column in columns] == [
        ("at_ns", "ns UTC"),
        ("equity_usd", "quote currency"),
    ]
    assert "| 2 | 20.0 |" in metadata["preview"].value
    assert metadata["parquet"].value == str(tmp_path / "lake" / "marts" / "mart_a__x.parquet")
    assert metadata["seconds"].value >= 0
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"keys": True, "rich": True}


def test_failing_check_shows_rows_and_does_not_block(tmp_path: Path):
    result = _materialize(tmp_path, _model(tmp_path, second=1.0))
    assert result.success
    (failed,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert (failed.check_name, failed.severity) == ("rich", dg.AssetCheckSeverity.ERROR)
    assert failed.metadata["failing_rows"].value == 1
    assert "| 2 | 1.0 |" in failed.metadata["first_failing_rows"].value


def test_blocking_check_stops_downstream_and_keeps_the_former_table(tmp_path: Path):
    assert _materialize(tmp_path, _model(tmp_path)).success

    @dg.asset(deps=["mart_a__x"])
    def downstream() -> None:
        raise AssertionError("ran on a table that was not published")

    model = _model(tmp_path, more="union all select 1, 99.0")
    warehouse = _warehouse(tmp_path)
    result = dg.materialize(
        [sql_asset(model), downstream], resources={"warehouse": warehouse}, raise_on_error=False
    )
    assert not result.success
    assert result.get_asset_materialization_events() == []
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"keys": False, "rich": True}
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "was not published, the former table stays: keys failed" in str(failure.step_failure_data)
    with warehouse.reader() as connection:
        assert connection.execute("select count(*) from mart_a__x").fetchone() == (2,)


def test_broken_statement_fails_with_its_remedy(tmp_path: Path):
    result = _materialize(tmp_path, _model(tmp_path, more="where error('no such luck') is null"))
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "building mart_a__x failed" in str(failure.step_failure_data)
    assert "mend the SQL file" in str(failure.step_failure_data)


def test_busy_warehouse_asks_for_a_retry(tmp_path: Path):
    warehouse = _warehouse(tmp_path, timeout_s=0.1)
    asset = sql_asset(_model(tmp_path))
    context = dg.build_op_context()
    with warehouse.writer("somebody"), pytest.raises(dg.RetryRequested) as caught:
        list(asset(context, warehouse))
    assert caught.value.max_retries == 3
    assert "held by process" in str(caught.value.__cause__)


@pytest.fixture(scope="module")
def graph() -> dg.Definitions:
    raw = dg.AssetSpec("raw_bybit__settlement_funding", partitions_def=DAYS)
    models = load_models()
    tables = [sql_asset(models[name]) for name in ("stg_bybit__funding", "int_bybit__funding_intervals")]
    return dg.Definitions(assets=[raw, *tables], resources={"warehouse": _warehouse(Path("unused"))})


def _tick(graph: dg.Definitions, instance: dg.DagsterInstance, cursor: object = None):
    return dg.evaluate_automation_conditions(
        graph, instance=instance, cursor=cursor, asset_selection=dg.AssetSelection.all()
    )


def test_one_ingested_day_is_enough_to_rebuild(graph: dg.Definitions):
    instance = dg.DagsterInstance.ephemeral()
    staging, intermediate = dg.AssetKey("stg_bybit__funding"), dg.AssetKey("int_bybit__funding_intervals")
    tick = _tick(graph, instance)
    for key in (staging, intermediate):
        instance.report_runless_asset_event(dg.AssetMaterialization(key))
    tick = _tick(graph, instance, tick.cursor)
    assert tick.total_requested == 0
    day = dg.AssetMaterialization("raw_bybit__settlement_funding", partition="2025-03-02")
    instance.report_runless_asset_event(day)
    tick = _tick(graph, instance, tick.cursor)
    # What stands on a table that is about to be rebuilt goes into the same run, after it.
    assert (tick.get_num_requested(staging), tick.get_num_requested(intermediate)) == (1, 1)
    for key in (staging, intermediate):
        instance.report_runless_asset_event(dg.AssetMaterialization(key))
    tick = _tick(graph, instance, tick.cursor)
    assert tick.total_requested == 0


def test_the_whole_graph_runs_from_a_lake(tmp_path: Path):
    settings = load_settings(home=tmp_path)
    write_day(settings.lake_root, 0)
    definitions = warehouse_definitions(settings)
    result = dg.materialize(list(definitions.assets), resources=dict(definitions.resources))
    assert result.success
    failed = {
        (check.asset_key.to_user_string(), check.check_name)
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }
    assert failed == {("mart_bybit__settlement_funding", "freshness__available_at")}  # the day is of 2025
    exported = {path.stem for path in (settings.lake_root / "marts").glob("*.parquet")}
    assert exported == {model.name for model in load_models().values() if model.is_mart}


def test_columns_show_where_they_come_from(tmp_path: Path):
    definitions = warehouse_definitions(load_settings(home=tmp_path))
    name = "mart_market__funding_panel"
    (asset,) = (each for each in definitions.assets if each.key == dg.AssetKey(name))
    lineage = asset.specs_by_key[asset.key].metadata["dagster/column_lineage"].value.deps_by_column
    assert [(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage["rate_per_hour"]] == [
        ("int_market__funding_intervals", "funding_rate"),
        ("int_market__funding_intervals", "interval_h"),
    ]
    assert list(lineage) == list(load_models()[name].header.columns)


def test_coverage_is_drawn(tmp_path: Path):
    write_day(tmp_path / "lake", 0)
    models = load_models()
    wanted = [sql_asset(models[name]) for name in (*_below(models, "mart_coverage__symbol_day"),)]
    result = dg.materialize(wanted, resources={"warehouse": _warehouse(tmp_path)})
    shown = {
        event.asset_key.to_user_string(): event.materialization.metadata.get("coverage")
        for event in result.get_asset_materialization_events()
    }
    assert shown.pop("mart_coverage__symbol_day").value.startswith(
        "![coverage by dataset and day](data:image/png"
    )
    assert set(shown.values()) == {None}


def test_coverage_of_an_empty_lake_has_no_picture():
    assert coverage_figure(lambda sql: []) is None


def _below(models: dict[str, SqlModel], name: str) -> list[str]:
    return [each for each in models if each == name or each in ancestors(name, models)]


def test_markdown_table_escapes():
    assert markdown_table(("a", "b"), [(None, "x|y\nz")]) == "| a | b |\n| --- | --- |\n| null | x\\|y z |"
