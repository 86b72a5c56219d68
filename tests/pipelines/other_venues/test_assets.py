"""The other venues' assets against the local testnet and a server of files, by base addresses alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from hean_live.local_testnet.other_venues.sentiment import COINGLASS_KEY
from hean_pipelines.defs.other_venues.assets import FEAR_GREED, other_venue_definitions
from hean_pipelines.resources.lake import Lake
from hean_pipelines.settings import PipelineSettings, load_settings
from tests.local_testnet.server import START_MS, start_testnet
from tests.pipelines.market_data.archive_tree import served, write_zip

FUNDING = "raw_binance__settlement_funding"
TODAY = "2025-03-02"  # 60 days after the testnet's first


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with start_testnet(("BTCUSDT", "ETHUSDT"), days=60) as testnet:
        yield testnet.base_url


def run(settings: PipelineSettings, names: list[str], first: str, last: str) -> dg.ExecuteInProcessResult:
    job = other_venue_definitions(settings).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        asset_selection=[dg.AssetKey(name) for name in names],
        tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
        raise_on_error=False,
        instance=dg.DagsterInstance.ephemeral(),
    )


def settings_for(home: Path, url: str, files: str, **more: object) -> PipelineSettings:
    return load_settings(
        home=home,
        binance_url=url,
        okx_url=url,
        coinglass_url=url,
        fear_greed_url=url,
        binance_archive_url=files,
        universe=("BTCUSDT", "ETHUSDT", "NOPEUSDT"),
        **more,
    )


def test_published_months_come_from_files_and_the_rest_from_rest(tmp_path, url):
    rows = ["calc_time,funding_interval_hours,last_funding_rate"]
    rows += [f"{START_MS + 31 * 86_400_000 + i * 28_800_000},8,0.00012345" for i in range(28 * 3)]
    for symbol in ("BTCUSDT", "ETHUSDT"):
        name = f"{symbol}-fundingRate-2025-02.zip"
        write_zip(tmp_path / "site/data/futures/um/monthly/fundingRate" / symbol / name, rows)
    with served(tmp_path / "site") as files:
        settings = settings_for(tmp_path / "home", url, files)
        result = run(settings, [FUNDING], "2025-01-30", "2025-03-01")
    assert result.success
    lake = Lake(settings.lake_root)
    assert lake.row_count(FUNDING, ["BTCUSDT"], date(2025, 1, 30), date(2025, 3, 1)) == 31 * 3
    february = lake.read_partition(FUNDING, "BTCUSDT", date(2025, 2, 14))
    assert february["funding_rate"].unique().to_list() == [0.00012345]
    assert lake.read_partition(FUNDING, "BTCUSDT", date(2025, 3, 1))["mark_price"].null_count() == 0
    metadata = result.asset_materializations_for_node(FUNDING)[0].metadata
    assert (metadata["files"].value, metadata["ranges_by_rest"].value) == (2, 2)
    assert "NOPEUSDT" in metadata["symbols_not_listed"].value


def test_histories_and_snapshots_of_every_venue_and_their_checks(tmp_path, url):
    (tmp_path / "site").mkdir()
    with served(tmp_path / "site") as files:
        settings = settings_for(tmp_path / "home", url, files, coinglass_key=COINGLASS_KEY)
        definitions = other_venue_definitions(settings)
        names = [key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()]
        result = run(settings, [n for n in names if n != FEAR_GREED], "2025-03-01", TODAY)
    failures = [
        event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure
    ]
    assert result.success, failures
    lake = Lake(settings.lake_root)
    assert lake.row_count("raw_okx__settlement_funding") > 0
    assert lake.symbols("raw_okx__settlement_funding") == ["BTC-USDT-SWAP", "ETH-USDT-SWAP"]
    assert lake.row_count("raw_binance__1m_premium_index_klines", ["BTCUSDT"]) == 1440
    assert lake.row_count("raw_okx__snapshot_open_interest") == 2
    assert lake.row_count("raw_binance__snapshot_premium_index") == 2
    broken = [
        (c.asset_key.to_user_string(), c.check_name)
        for c in result.get_asset_check_evaluations()
        if not c.passed
    ]
    assert {name for _, name in broken} <= {"freshness"}


def test_without_a_key_coinglass_is_not_asked_and_nothing_is_invented(tmp_path, url):
    settings = settings_for(tmp_path / "home", url, url)
    name = "raw_coinglass__snapshot_taker_volume"
    result = run(settings, [name], TODAY, TODAY)
    assert result.success
    assert "no CoinGlass key" in result.asset_materializations_for_node(name)[0].metadata["not_asked"].value
    assert Lake(settings.lake_root).symbols(name) == []


def test_the_index_of_fear_and_greed(tmp_path, url):
    settings = settings_for(tmp_path / "home", url, url)
    assert run(settings, [FEAR_GREED], "2025-02-01", "2025-02-10").success
    lake = Lake(settings.lake_root)
    assert lake.row_count(FEAR_GREED, ["CRYPTO"]) == 10


def test_running_twice_gives_the_same_bytes(tmp_path, url):
    (tmp_path / "site").mkdir()
    with served(tmp_path / "site") as files:
        settings = settings_for(tmp_path / "home", url, files)
        run(settings, [FUNDING], "2025-02-01", "2025-02-03")
        path = Lake(settings.lake_root).partition_path(FUNDING, "BTCUSDT", date(2025, 2, 2))
        before = path.read_bytes()
        run(settings, [FUNDING], "2025-02-01", "2025-02-03")
    assert path.read_bytes() == before
