"""Published files through Dagster: a range in one run, what the UI shows, and a file that fails."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.defs.archives.assets import archive_definitions
from hean_pipelines.resources.lake import Lake
from hean_pipelines.settings import PipelineSettings, load_settings
from tests.pipelines.market_data.archive_tree import bybit_day, served

TRADES = "raw_bybit__trades"


def run(settings: PipelineSettings, first: str, last: str) -> dg.ExecuteInProcessResult:
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = archive_definitions(settings).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        asset_selection=[dg.AssetKey(TRADES)],
        tags=tags,
        run_config={"ops": {TRADES: {"config": {"symbols": ["BTCUSDT"]}}}},
        raise_on_error=False,
        instance=dg.DagsterInstance.ephemeral(),
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for day in ("2025-01-02", "2025-01-03"):
        bybit_day(folder, day, ["1,Buy,1,100,a", "2,Sell,1,100,b"])
    return folder


def test_a_range_is_one_run_with_its_findings_in_the_metadata(tmp_path, site):
    with served(site) as url:
        settings = load_settings(home=tmp_path / "home", bybit_archive_url=url)
        result = run(settings, "2025-01-01", "2025-01-03")
    assert result.success
    metadata = result.asset_materializations_for_node(TRADES)[0].metadata
    assert metadata["rows"].value == 4
    assert metadata["files_not_published"].value == 1
    assert Lake(settings.lake_root).row_count(TRADES) == 4


def test_a_bad_file_fails_the_run_and_keeps_the_good_days(tmp_path, site):
    bybit_day(site, "2025-01-03", ["1,Buy,0,100,a"])
    with served(site) as url:
        settings = load_settings(home=tmp_path / "home", bybit_archive_url=url)
        result = run(settings, "2025-01-02", "2025-01-03")
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    words = failure.step_failure_data.user_failure_data.description
    assert "BTCUSDT 2025-01-03" in words
    assert Lake(settings.lake_root).row_count(TRADES) == 2
