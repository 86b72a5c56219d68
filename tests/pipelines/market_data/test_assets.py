"""The assets in Dagster: a range is one run, symbols are an option, failures are told, checks and schedule are wired."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.defs.market_data import market_data_definitions
from hean_pipelines.defs.market_data.schedules import days_to_refresh
from hean_pipelines.defs.market_data.tape_extracts import EXTRACTS
from hean_pipelines.defs.market_data.tapes import NAME as TAPE
from hean_pipelines.partitions import RANGE_END_TAG, RANGE_START_TAG, daily_partitions
from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_schemas import MARKET_DATASETS
from hean_pipelines.settings import PipelineSettings, load_settings
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.pipelines.market_data.support import fingerprint, true_funding

ROOT = Path(__file__).resolve().parents[3]
FUNDING = "raw_bybit__settlement_funding"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def net() -> Iterator[RunningTestnet]:
    with start_testnet(symbols=("BTCUSDT", "ETHUSDT"), days=4) as running:
        yield running


@pytest.fixture
def settings(net: RunningTestnet, tmp_path: Path) -> PipelineSettings:
    return load_settings(
        home=tmp_path, venue_url=net.base_url, universe=("BTCUSDT", "ETHUSDT"), max_attempts=1
    )


def materialize(
    settings: PipelineSettings, names: list[str], first: str, last: str, **config
) -> dg.ExecuteInProcessResult:
    job = market_data_definitions(settings).resolve_implicit_global_asset_job_def()
    ops = {"ops": {name: {"config": config} for name in names}} if config else {}
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in names],
            tags={RANGE_START_TAG: first, RANGE_END_TAG: last},
            run_config=QUIET | ops,
            raise_on_error=False,
        )


def metadata_of(result: dg.ExecuteInProcessResult, name: str) -> dict:
    found = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.materialization.asset_key == dg.AssetKey(name)
    ]
    assert found, f"{name} was not materialized"
    return {key: value.value for key, value in found[0].metadata.items()} | {
        "partitions": [each.partition for each in found]
    }


def test_a_range_is_one_run_and_every_day_is_marked(net: RunningTestnet, settings: PipelineSettings) -> None:
    result = materialize(settings, list(MARKET_DATASETS), "2025-01-01", "2025-01-05")
    assert result.success
    told = metadata_of(result, FUNDING)
    assert told["partitions"] == [f"2025-01-0{day}" for day in range(1, 6)]
    assert told["rows"] == sum(len(true_funding(net, symbol)[0]) for symbol in settings.universe)
    assert told["rows_by_symbol"].keys() == {"BTCUSDT", "ETHUSDT"}
    assert told["venue_time_ns"] == net.now_ms * 1_000_000
    assert {"requests", "retries", "seconds", "network_s", "parse_s", "write_s"} <= told.keys()
    checks = result.get_asset_check_evaluations()
    assert {check.asset_key.to_user_string() for check in checks} == set(MARKET_DATASETS)
    assert [(str(check.asset_key), check.check_name) for check in checks if not check.passed] == []
    assert len(checks) == 8 * 5 + 3 * 4 + 1
    once = fingerprint(settings.lake_root)
    assert materialize(settings, list(MARKET_DATASETS), "2025-01-01", "2025-01-05").success
    assert fingerprint(settings.lake_root) == once


def test_symbols_are_an_option_and_unknown_ones_are_skipped(settings: PipelineSettings) -> None:
    result = materialize(settings, [FUNDING], "2025-01-02", "2025-01-03", symbols=["ETHUSDT", "NOPEUSDT"])
    assert result.success
    assert Lake(settings.lake_root).symbols(FUNDING) == ["ETHUSDT"]
    told = metadata_of(result, FUNDING)
    assert list(told["symbols_skipped"]) == ["NOPEUSDT"]
    assert told["symbols_failed"] == {}


def test_symbol_without_history_is_told_in_the_metadata(settings: PipelineSettings) -> None:
    result = materialize(settings, [FUNDING], "2024-12-01", "2024-12-02")
    assert result.success
    assert metadata_of(result, FUNDING)["symbols_without_history"] == ["BTCUSDT", "ETHUSDT"]


def test_a_failing_symbol_fails_the_asset_and_the_rest_is_kept(
    net: RunningTestnet, settings: PipelineSettings
) -> None:
    # The clock of the venue is asked first, then the first symbol's funding: that one fails.
    net.fault("http_status", status=500, path_prefix="/v5/market/funding")
    one_by_one = settings.model_copy(update={"connections": 1})
    result = materialize(one_by_one, [FUNDING], "2025-01-01", "2025-01-05")
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert "1 of 2 symbols failed: BTCUSDT: GET http" in failure.user_failure_data.description
    assert "HTTP 500" in failure.user_failure_data.description
    assert Lake(settings.lake_root).symbols(FUNDING) == ["ETHUSDT"]


def test_unreachable_venue_is_told_with_what_to_do(settings: PipelineSettings) -> None:
    gone = settings.model_copy(update={"venue_url": "http://127.0.0.1:9"})
    result = materialize(gone, [FUNDING], "2025-01-01", "2025-01-02")
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert "127.0.0.1:9" in failure.user_failure_data.description
    assert "Remedy:" in failure.user_failure_data.description
    assert failure.user_failure_data.metadata["exit_code"].value == 4


def test_a_failed_check_is_seen_in_the_run(net: RunningTestnet, settings: PipelineSettings) -> None:
    assert materialize(settings, [FUNDING], "2025-01-01", "2025-01-05").success
    path = Lake(settings.lake_root).partition_path(FUNDING, "BTCUSDT", date(2025, 1, 2))
    path.unlink()
    definitions = market_data_definitions(settings)
    wanted = dg.AssetSelection.checks_for_assets(FUNDING)
    job = dg.define_asset_job("judge", selection=wanted).resolve(
        asset_graph=definitions.resolve_asset_graph()
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
    assert result.success
    found = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert not found["gaps"].passed
    assert found["gaps"].severity is dg.AssetCheckSeverity.WARN
    assert found["gaps"].metadata["examples"].value


def test_partitions_begin_and_end_where_the_settings_say(tmp_path: Path) -> None:
    bounded = load_settings(home=tmp_path, partitions_start="2025-01-01", partitions_end="2025-03-01")
    keys = daily_partitions(bounded)
    assert (keys.get_first_partition_key(), keys.get_last_partition_key()) == ("2025-01-01", "2025-03-01")
    open_ended = daily_partitions(load_settings(home=tmp_path))
    assert open_ended.get_last_partition_key() == datetime.now(UTC).date().isoformat()


def test_every_asset_is_single_run_in_the_group_with_the_pool(settings: PipelineSettings) -> None:
    definitions = market_data_definitions(settings)
    assert {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()} == {
        *MARKET_DATASETS,
        TAPE,
        *EXTRACTS,
    }
    for asset in definitions.assets:
        assert asset.backfill_policy == dg.BackfillPolicy.single_run()
        assert asset.op.pool == (None if asset.key.to_user_string() in (TAPE, *EXTRACTS) else "bybit")
        spec = next(iter(asset.specs))
        assert (spec.group_name, spec.kinds) == ("market_data", {"bybit", "parquet"})
        assert spec.description
        assert not spec.owners
    cut = market_data_definitions(settings.model_copy(update={"days_per_run": 10}))
    assert {asset.backfill_policy.max_partitions_per_run for asset in cut.assets} == {10}


def test_schedule_refreshes_todays_partition_by_the_venues_clock(
    net: RunningTestnet, settings: PipelineSettings
) -> None:
    definitions = market_data_definitions(settings)
    schedule = definitions.resolve_schedule_def("hourly_market_data")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    started = market_data_definitions(settings.model_copy(update={"schedules_running": True}))
    assert (
        started.resolve_schedule_def("hourly_market_data").default_status is dg.DefaultScheduleStatus.RUNNING
    )
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=definitions.get_repository_def(),
            scheduled_execution_time=datetime(2026, 5, 5, 12, 7, tzinfo=UTC),
        )
        requests = schedule.evaluate_tick(context).run_requests
    # The testnet's clock stands at midnight of the fifth: the day before gained its last hour.
    assert [request.partition_key for request in requests] == ["2025-01-04", "2025-01-05"]
    assert len({request.run_key for request in requests}) == 2


def test_only_the_hour_after_midnight_refreshes_two_days() -> None:
    hour, midnight = 3_600 * 10**9, 20_000 * 86_400 * 10**9
    assert len(days_to_refresh(midnight + hour // 2)) == 2
    assert len(days_to_refresh(midnight + hour)) == 1
    assert len(days_to_refresh(midnight + 23 * hour)) == 1


def test_loading_definitions_imports_nothing_heavy_and_asks_nobody() -> None:
    script = (
        "import sys\n"
        "from hean_pipelines.defs.market_data import market_data_definitions\n"
        "from hean_pipelines.defs.own_activity import own_activity_definitions\n"
        "from hean_pipelines.settings import load_settings\n"
        "settings = load_settings(venue_url='http://127.0.0.1:9')\n"
        "market_data_definitions(settings), own_activity_definitions(settings)\n"
        "print([name for name in ('polars', 'duckdb', 'mlflow', 'pandas', 'sklearn') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
