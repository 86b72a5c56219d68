"""What Dagster shows: every asset, job, schedule and check, from settings alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.build import build_definitions
from hean_pipelines.defs.schedules import learn_selection, retrain_selection
from hean_pipelines.settings import load_settings
from tests.local_testnet.server import start_testnet
from tests.support import ROOT

LAYERS = ("raw", "stg", "int", "mart", "feat", "forecast", "evidence", "model", "report")
JOBS = {
    "refresh_market_data",
    "retrain_funding",
    "learn_from_trades",
    "other_venues",
    "snapshot_other_venues",
    "watch_new_listings",
    "tell_sentiment",
}
SCHEDULES = {
    "hourly_market_data",
    "four_hourly_retrain",
    "four_hourly_learning",
    "daily_other_venues",
    "hourly_other_snapshots",
    "listing_watch",
    "hourly_sentiment",
}
SENSORS = {"new_listings", "pending_alerts", "failed_runs", "recovered_runs"}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(
        load_settings(home=tmp_path_factory.mktemp("home"), partitions_start=date(2024, 1, 1))
    )


def keys(definitions: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}


def test_definitions_load_and_hold_jobs_and_schedules(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
    repository = definitions.get_repository_def()
    assert set(repository.job_names) >= JOBS
    assert {schedule.name for schedule in repository.schedule_defs} == SCHEDULES
    assert {sensor.name for sensor in repository.sensor_defs} >= SENSORS


def test_schedules_start_stopped_unless_told(definitions: dg.Definitions, tmp_path: Path) -> None:
    stopped = definitions.get_repository_def().schedule_defs
    assert {s.default_status for s in stopped} == {dg.DefaultScheduleStatus.STOPPED}
    running = (
        build_definitions(load_settings(home=tmp_path, schedules_running=True))
        .get_repository_def()
        .schedule_defs
    )
    assert {s.default_status for s in running} == {dg.DefaultScheduleStatus.RUNNING}


def test_the_report_is_drawn_after_what_it_shows_and_nothing_waits_for_it(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    page = dg.AssetKey("report_hean__page")
    before = {key.to_user_string() for key in graph.get(page).parent_keys}
    assert {"model_hean__policy", "evidence_strategy__momentum_trader", "model_hean__regime_matrix"} <= before
    assert before <= keys(definitions)
    assert not graph.get(page).child_keys


def test_asset_names_begin_with_their_layer_and_have_group_and_description(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert key.to_user_string().startswith(tuple(f"{layer}_" for layer in LAYERS)), key
        assert node.group_name != "default", key
        assert node.description, key


def test_every_dependency_is_an_asset_of_ours(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    strangers = [
        key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).is_materializable
    ]
    assert strangers == []


def test_only_raw_assets_are_partitioned_by_one_shared_definition(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    partitioned = {k.to_user_string(): graph.get(k).partitions_def for k in graph.get_all_asset_keys()}
    found = {definition for definition in partitioned.values() if definition is not None}
    assert len(found) == 1
    assert all(name.startswith("raw_") == (p is not None) for name, p in partitioned.items())


def test_retrain_covers_marts_to_champion_and_touches_no_venue(definitions: dg.Definitions) -> None:
    chosen = {k.to_user_string() for k in retrain_selection().resolve(definitions.resolve_asset_graph())}
    assert {"mart_bybit__bar_premium", "feat_bybit__settlement_funding", "model_funding__champion"} <= chosen
    assert not [name for name in chosen if name.startswith("raw_")]


def test_learning_covers_journal_to_matrix_and_touches_no_venue(definitions: dg.Definitions) -> None:
    chosen = {k.to_user_string() for k in learn_selection().resolve(definitions.resolve_asset_graph())}
    assert {"raw_hean__trades", "mart_hean__trades", "model_hean__regime_matrix"} <= chosen
    assert not [name for name in chosen if name.startswith("raw_bybit")]


def test_retrain_never_runs_while_orders_are_placed() -> None:
    from hean_pipelines.defs.schedules import RETRAIN_CRON

    minute, hours = RETRAIN_CRON.split()[:2]
    starts = [datetime(2025, 1, 1, int(h), int(minute)) for h in hours.split(",")]  # noqa: DTZ001 - clock times only
    assert len(starts) == 6
    for start in starts:
        to_next = 240 - (start.hour * 60 + start.minute) % 240  # minutes to the next four-hourly settlement
        assert to_next > 90 + 30, "half an hour to finish before the first decision"


def test_loading_definitions_imports_nothing_heavy() -> None:
    heavy = ("mlflow", "lightgbm", "sklearn", "matplotlib", "polars", "pandas", "scipy")
    code = (
        "import sys; from hean_pipelines.build import build_definitions; build_definitions(); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_learning_takes_its_days_from_the_markets_clock(tmp_path: Path) -> None:
    with start_testnet(
        ("BTCUSDT",), days=3
    ) as testnet:  # the clock stands at midnight: the day before counts too
        settings = load_settings(home=tmp_path, venue_url=testnet.base_url, universe=("BTCUSDT",))
        repository = build_definitions(settings).get_repository_def()
        context = dg.build_schedule_context(
            scheduled_execution_time=datetime(2026, 1, 1, tzinfo=UTC), repository_def=repository
        )
        schedule = repository.get_schedule_def("four_hourly_learning")
        ticked = schedule.evaluate_tick(context)
    assert ticked.run_requests is not None
    assert [request.partition_key for request in ticked.run_requests] == ["2025-01-03", "2025-01-04"]


def test_other_venues_are_refreshed_for_three_days_and_their_present_for_today(tmp_path: Path) -> None:
    with start_testnet(("BTCUSDT",), days=3) as testnet:
        settings = load_settings(home=tmp_path, venue_url=testnet.base_url, universe=("BTCUSDT",))
        repository = build_definitions(settings).get_repository_def()
        keys_of = {}
        for name in ("daily_other_venues", "hourly_other_snapshots"):
            context = dg.build_schedule_context(
                scheduled_execution_time=datetime(2026, 1, 1, tzinfo=UTC), repository_def=repository
            )
            ticked = repository.get_schedule_def(name).evaluate_tick(context)
            keys_of[name] = [request.partition_key for request in ticked.run_requests or ()]
    assert keys_of["daily_other_venues"] == ["2025-01-02", "2025-01-03", "2025-01-04"]
    assert keys_of["hourly_other_snapshots"] == ["2025-01-04"]
