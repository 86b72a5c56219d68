"""`hean backfill`: planned without asking anybody, then one recorded run; its words and exit codes."""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.backfill import run_backfill
from hean_pipelines.backfill_plan import plan_backfill
from hean_pipelines.commands import backfill as command
from hean_pipelines.instance import open_instance
from hean_pipelines.partitions import RANGE_END_TAG, RANGE_START_TAG
from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_schemas import MARKET_DATASETS
from hean_pipelines.settings import PipelineSettings, load_settings
from models.errors import ConfigError
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.pipelines.market_data.support import fingerprint, true_funding

FUNDING, TICKERS = "raw_bybit__settlement_funding", "raw_bybit__snapshot_tickers"
FIRST, LAST = date(2025, 1, 1), date(2025, 1, 4)


@pytest.fixture(scope="module")
def net() -> Iterator[RunningTestnet]:
    with start_testnet(symbols=("BTCUSDT", "ETHUSDT"), days=3) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One Dagster instance for all: making one takes seconds. Lakes are each test's own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _environment(
    net: RunningTestnet, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    # open_instance points the process at its home: given back afterwards.
    for name in ("DAGSTER_HOME", "DAGSTER_TELEMETRY_DISABLED", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HEAN_HOME", str(home))
    monkeypatch.setenv("HEAN_PIPELINES_LAKE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("HEAN_PIPELINES_VENUE_URL", net.base_url)
    monkeypatch.setenv("HEAN_PIPELINES_UNIVERSE", "BTCUSDT,ETHUSDT")
    monkeypatch.setenv("HEAN_PIPELINES_MAX_ATTEMPTS", "1")
    yield
    net.clear_faults()


@pytest.fixture
def settings() -> PipelineSettings:
    return load_settings()


def hean(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["backfill", *argv])
    return args.run(args)


def test_plan_counts_days_and_requests_and_asks_nobody(settings: PipelineSettings) -> None:
    offline = settings.model_copy(update={"venue_url": "http://127.0.0.1:9"})
    plan = plan_backfill(offline, date(2025, 1, 1), date(2025, 12, 31))
    assert (plan.days, plan.symbols) == (365, ("BTCUSDT", "ETHUSDT"))
    assert set(plan.requests) == set(MARKET_DATASETS)
    assert plan.requests["raw_bybit__5m_perp_klines"] == 2 * 106
    assert plan.requests["raw_bybit__5m_open_interest"] == 2 * 526
    assert plan.requests[FUNDING] == 2 * 6


def test_wishes_that_cannot_be_are_refused(settings: PipelineSettings) -> None:
    with pytest.raises(ConfigError, match="2019-01-01 is no partition") as error:
        plan_backfill(settings, date(2019, 1, 1), LAST)
    assert "PARTITIONS_START" in error.value.remedy
    with pytest.raises(ConfigError, match="must not be after"):
        plan_backfill(settings, LAST, FIRST)
    with pytest.raises(ConfigError, match="raw_nonsense") as error:
        plan_backfill(settings, FIRST, LAST, datasets=("raw_nonsense",))
    assert FUNDING in error.value.remedy
    with pytest.raises(ConfigError, match="btcusdt"):
        plan_backfill(settings, FIRST, LAST, symbols=("btcusdt",))


def test_range_is_one_recorded_run_with_every_partition(
    net: RunningTestnet, settings: PipelineSettings
) -> None:
    plan = plan_backfill(settings, FIRST, LAST, datasets=(FUNDING, TICKERS))
    result = run_backfill(settings, plan)
    assert result.success
    assert result.exit_code == 0
    rows = {row.dataset: row for row in result.rows}
    assert rows[FUNDING].rows == sum(len(true_funding(net, symbol)[0]) for symbol in plan.symbols)
    assert rows[TICKERS].rows == 2
    with open_instance(settings) as instance:
        tags = instance.get_run_by_id(result.run_id).tags
        assert (tags[RANGE_START_TAG], tags[RANGE_END_TAG]) == ("2025-01-01", "2025-01-04")
        days = instance.get_materialized_partitions(dg.AssetKey(FUNDING))
        assert sorted(days) == ["2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"]


def test_days_per_run_cuts_the_range_and_gives_the_same_lake(
    settings: PipelineSettings, tmp_path: Path
) -> None:
    plan = plan_backfill(settings, FIRST, LAST, datasets=(FUNDING,))
    whole = run_backfill(settings, plan)
    once = fingerprint(settings.lake_root)
    with open_instance(settings) as instance:
        before = instance.get_runs_count()
    cut = load_settings(lake_root=tmp_path / "cut", days_per_run=3)
    result = run_backfill(cut, plan)
    assert result.success
    assert result.rows[0].rows == whole.rows[0].rows
    assert fingerprint(cut.lake_root) == once
    with open_instance(settings) as instance:
        assert instance.get_runs_count() == before + 2


def test_command_fetches_the_chosen_and_prints_rows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    chosen = (
        "--start",
        "2025-01-01",
        "--end",
        "2025-01-03",
        "--symbols",
        "ETHUSDT,NOPEUSDT",
        "--datasets",
        FUNDING,
    )
    assert hean(*chosen, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "dry run: nothing was fetched" in shown
    assert "3 days, 2 symbols" in shown
    assert not (tmp_path / "lake").exists()
    assert hean(*chosen) == 0
    shown = capsys.readouterr().out
    assert FUNDING in shown
    assert "skipped: NOPEUSDT" in shown
    assert Lake(tmp_path / "lake").symbols(FUNDING) == ["ETHUSDT"]


def test_failures_have_words_and_exit_codes(net: RunningTestnet, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ("--start", "2025-01-01", "--end", "2025-01-03", "--datasets", FUNDING)
    assert hean(*chosen, "--venue-url", "http://127.0.0.1:9") == 4
    assert "error: raw_bybit__settlement_funding: GET http://127.0.0.1:9" in capsys.readouterr().err
    net.fault("http_status", status=403, path_prefix="/v5/market/funding")
    assert hean(*chosen) == 4
    assert "wait 10 minutes" in capsys.readouterr().err.replace("\n", " ")
    net.fault("ret_code", ret_code=10005, path_prefix="/v5/market/funding")
    assert hean(*chosen) == 7
    assert "10005" in capsys.readouterr().err


def test_wrong_options_are_usage_errors() -> None:
    for argv in ((), ("--start", "01.01.2025"), ("--start", "2025-01-01", "--symbols", ",")):
        with pytest.raises(SystemExit) as stop:
            hean(*argv)
        assert stop.value.code == 2


def test_other_venues_are_chosen_by_group_or_name() -> None:
    settings = load_settings()
    plan = plan_backfill(settings, date(2025, 1, 1), date(2025, 1, 31), datasets=("okx", "raw_bybit__trades"))
    assert set(plan.requests) == {
        "raw_bybit__trades",
        "raw_okx__settlement_funding",
        "raw_okx__snapshot_funding",
        "raw_okx__snapshot_instruments",
        "raw_okx__snapshot_open_interest",
    }
    assert plan.requests["raw_bybit__trades"] == 31 * len(settings.universe)
    with pytest.raises(ConfigError, match="unknown datasets nope"):
        plan_backfill(settings, date(2025, 1, 1), date(2025, 1, 2), datasets=("nope",))
