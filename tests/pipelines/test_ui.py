"""Dagster for real: webserver and daemon as `hean dev` starts them, on a home of their own, driven in a headless browser.

Runs only where there is a Chromium and Playwright's package; screenshots are left in the test's temporary folder.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
import requests

from hean_pipelines.instance import DAGSTER_YAML
from hean_pipelines.resources.lake import Lake
from tests.local_testnet.server import start_testnet
from tests.support import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

ASSET = "raw_bybit__5m_perp_klines"
GROUPS = ("market_data", "other_venues", "archives", "listings", "staging", "marts", "features", "training")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_S = 150


@dataclass
class Dagster:
    """Webserver and daemon of one home; each started when asked for."""

    home: Path
    environment: dict[str, str]
    url: str
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str) -> None:
        with (self.home / "dagster.log").open("ab") as log:
            self.running.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                )
            )

    def ask(self, query: str) -> dict:
        answer = requests.post(f"{self.url}/graphql", json={"query": query}, timeout=30)
        answer.raise_for_status()
        return answer.json()["data"]

    def is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/server_info", timeout=5).ok
        except requests.RequestException:
            return False

    def materialized(self) -> int:
        found = self.ask(
            f'{{ assetNodeOrError(assetKey: {{path: ["{ASSET}"]}}) '
            "{ ... on AssetNode { partitionStats { numMaterialized } } } }"
        )
        return found["assetNodeOrError"]["partitionStats"]["numMaterialized"]

    def wait(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if done():
                return
            time.sleep(0.5)
        log = (self.home / "dagster.log").read_text(errors="replace")
        pytest.fail(f"{what} did not happen within {PATIENCE_S} s; the log ends:\n{log[-3000:]}")


@contextmanager
def dagster_on(home: Path, venue_url: str) -> Iterator[Dagster]:
    folder = home / "dagster"
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(DAGSTER_YAML)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HEAN_", "DAGSTER_"))}
    environment = own | {
        "HEAN_HOME": str(home),
        "HEAN_PIPELINES_VENUE_URL": venue_url,
        "HEAN_PIPELINES_UNIVERSE": "BTCUSDT",
        "HEAN_PIPELINES_PARTITIONS_START": "2025-01-01",
        "HEAN_PIPELINES_PARTITIONS_END": "2025-01-31",
        "HEAN_PIPELINES_SCHEDULES_RUNNING": "true",
        "DAGSTER_HOME": str(folder),
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "DAGSTER_TELEMETRY_DISABLED": "1",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    served = Dagster(home, environment, f"http://127.0.0.1:{port}")
    try:
        served.start(
            "dagster_webserver", "-m", "tests.pipelines.ui_definitions", "-h", "127.0.0.1", "-p", port
        )
        served.wait("the webserver's start", served.is_up)
        yield served
    finally:
        for process in reversed(served.running):
            process.terminate()
        for process in served.running:
            process.wait(60)


@contextmanager
def browser_page(shots: Path) -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.set_default_timeout(30_000)
            yield page
        except BaseException:
            page.screenshot(path=shots / "failure.png")
            raise
        finally:
            browser.close()


@pytest.mark.timeout(400)  # three processes that import Dagster, on a busy machine
def test_graph_backfill_failed_check_and_schedule_tick_in_the_browser(tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="Playwright's package is not installed")
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on this machine")
    with (
        start_testnet(("BTCUSDT",), days=32, extra_days=2) as net,
        dagster_on(tmp_path, net.base_url) as served,
        browser_page(tmp_path) as page,
    ):
        see_graph(served, page, tmp_path)
        launch_backfill(served, page, tmp_path)
        # Only now: the daemon looks for backfills at its start, and then twice a minute.
        served.start("dagster._daemon", "run", "-m", "tests.pipelines.ui_definitions")
        served.wait("the backfill of January", lambda: served.materialized() == 31)
        see_backfill(served, page, tmp_path)
        lake = Lake(tmp_path / "lake")
        assert lake.row_count(ASSET) == 31 * 288
        break_a_day(lake)
        see_failed_check(served, page, tmp_path)
        see_tick(served, page, tmp_path)


def see_graph(served: Dagster, page: Page, shots: Path) -> None:
    page.goto(f"{served.url}/asset-groups")
    for group in GROUPS:
        page.get_by_text(group, exact=True).first.wait_for()
    page.screenshot(path=shots / "graph.png")


def launch_backfill(served: Dagster, page: Page, shots: Path) -> None:
    page.goto(f"{served.url}/assets/{ASSET}")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_text("31 partitions").first.wait_for()
    page.screenshot(path=shots / "dialog.png")
    page.get_by_role("button", name="Launch backfill").click()
    served.wait("the backfill's launch", lambda: bool(backfills(served)))


def backfills(served: Dagster) -> list[dict]:
    asked = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { status numPartitions } } } }"
    found = served.ask(asked)["partitionBackfillsOrError"]["results"]
    assert all(each["numPartitions"] == 31 for each in found)
    return found


def see_backfill(served: Dagster, page: Page, shots: Path) -> None:
    page.goto(f"{served.url}/assets/{ASSET}?view=partitions")
    page.get_by_text("2025-01-17", exact=True).first.wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=shots / "partitions.png")


def break_a_day(lake: Lake) -> None:
    """Take three hours out of a day of bars."""
    day = date(2025, 1, 20)
    rows = lake.read_partition(ASSET, "BTCUSDT", day)
    lake.write_partition(ASSET, "BTCUSDT", day, pl.concat([rows[:100], rows[136:]]))


def see_failed_check(served: Dagster, page: Page, shots: Path) -> None:
    page.goto(f"{served.url}/assets/{ASSET}?view=checks")
    page.get_by_role("button", name="Execute all").click()
    outcome = (
        f'{{ assetChecksOrError: assetNodeOrError(assetKey: {{path: ["{ASSET}"]}}) {{ ... on AssetNode '
        "{ assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization "
        "{ status } } } } } } }"
    )

    def failed() -> bool:
        checks = served.ask(outcome)["assetChecksOrError"]["assetChecksOrError"]["checks"]
        found = {
            each["name"]: (each["executionForLatestMaterialization"] or {}).get("status") for each in checks
        }
        return found["gaps"] == "FAILED" and found["order"] == "SUCCEEDED"

    served.wait("the failure of the check", failed)
    page.goto(f"{served.url}/assets/{ASSET}?view=checks&checkDetail=gaps")
    page.get_by_text("Failed", exact=True).first.wait_for()
    page.screenshot(path=shots / "check.png")


def see_tick(served: Dagster, page: Page, shots: Path) -> None:
    asked = (
        '{ scheduleOrError(scheduleSelector: {repositoryName: "__repository__", '
        'repositoryLocationName: "tests.pipelines.ui_definitions", scheduleName: "listing_watch"}) '
        "{ ... on Schedule { scheduleState { ticks { status skipReason } } } } }"
    )

    def ticks() -> list[dict]:
        return served.ask(asked)["scheduleOrError"]["scheduleState"]["ticks"]

    served.wait("the schedule's tick", lambda: bool(ticks()) and ticks()[-1]["status"] == "SKIPPED")
    assert ticks()[-1]["skipReason"] == "no watch is open"
    page.goto(f"{served.url}/locations/tests.pipelines.ui_definitions/schedules/listing_watch")
    page.get_by_text("0 runs requested").first.wait_for()
    page.screenshot(path=shots / "tick.png")
