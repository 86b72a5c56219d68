"""New listings from the venue to the alert: announced once, taken into the universe, watched for a day, kept when closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.build import build_definitions
from hean_pipelines.defs.listings.contracts import parse_contract
from hean_pipelines.defs.listings.definitions import WATCH, WATCH_JOB, open_listings_client
from hean_pipelines.defs.listings.store import Listed, Listings, ingested_symbols
from hean_pipelines.defs.listings.watch import poll, summarise
from hean_pipelines.instance import open_instance
from hean_pipelines.resources.lake import Lake
from hean_pipelines.settings import PipelineSettings, load_settings
from tests.local_testnet.server import START_MS, RunningTestnet, start_testnet
from tests.pipelines.listings.webhook import Hook, serve_hook
from tests.support import shared_path

HOUR_MS = 3_600_000
SYMBOLS = ("BTCUSDT", "FRESHUSDT", "AUCTIONUSDT", "GONEUSDT")


class Home:
    """A testnet, a home, and what the daemon would do: ticks with the cursor it kept, each by definitions loaded anew."""

    def __init__(self, net: RunningTestnet, hook: Hook, folder: Path) -> None:
        self.net, self.hook = net, hook
        self.settings: PipelineSettings = load_settings(
            home=folder,
            venue_url=net.base_url,
            universe=("BTCUSDT", "GONEUSDT"),
            partitions_start=date(2025, 1, 1),
            partitions_end=date(2025, 1, 10),
            alert_webhook_url=hook.url,
        )
        self.cursor: str | None = None
        self.store = Listings(self.settings.lake_root)

    def at(self, hours: float) -> None:
        self.net.clock(now_ms=START_MS + int(hours * HOUR_MS))

    def look(self) -> None:
        repository = build_definitions(self.settings).get_repository_def()
        with dg.build_sensor_context(cursor=self.cursor, repository_def=repository) as context:
            ticked = repository.get_sensor_def("new_listings").evaluate_tick(context)
        self.cursor = ticked.cursor

    def tick(self) -> dg.RunRequest | None:
        """The watch schedule's answer."""
        repository = build_definitions(self.settings).get_repository_def()
        context = dg.build_schedule_context(
            scheduled_execution_time=datetime(2026, 1, 1, tzinfo=UTC), repository_def=repository
        )
        requests = repository.get_schedule_def("listing_watch").evaluate_tick(context).run_requests
        return requests[0] if requests else None

    def poll(self):
        from hean_pipelines.defs.listings.definitions import _once

        with open_listings_client(self.settings) as client:
            return poll(client, self.store, _once(self.settings))

    def alerts(self, word: str) -> list[str]:
        return [text for text in self.hook.texts if f"*{word}" in text]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with start_testnet(SYMBOLS, days=2, extra_days=4) as net, serve_hook() as hook:
        yield Home(net, hook, tmp_path)


def test_a_launch_is_announced_once_and_joins_the_universe(home: Home) -> None:
    home.look()
    assert home.hook.texts == []
    assert ingested_symbols(home.settings) == ("BTCUSDT", "GONEUSDT")
    home.at(73.5)
    home.look()
    [text] = home.alerts("NEW_LISTING FRESHUSDT")
    assert "trades since 2025-01-04 01:00 UTC, funding every 4 h, at most 2.000%" in text
    assert ingested_symbols(home.settings) == ("BTCUSDT", "GONEUSDT", "FRESHUSDT")
    home.at(77.5)
    home.look()
    home.cursor = None  # as if Dagster's home were made anew
    home.look()
    assert len(home.alerts("NEW_LISTING FRESHUSDT")) == 1


def test_neither_a_lost_store_nor_a_lost_cursor_repeats_an_announcement(home: Home) -> None:
    home.at(73.5)
    home.look()
    # Killed after the alert was told and before the fact was stored.
    (home.settings.lake_root / "listings" / "FRESHUSDT.json").unlink()
    home.cursor = None
    home.look()
    assert len(home.alerts("NEW_LISTING FRESHUSDT")) == 1
    assert "FRESHUSDT" in ingested_symbols(home.settings)


def test_an_announcement_the_webhook_refuses_is_made_up_for(home: Home) -> None:
    home.at(73.5)
    home.hook.replies = [503] * 9
    home.look()
    assert home.hook.texts == []
    home.hook.replies = []
    repository = build_definitions(home.settings).get_repository_def()
    repository.get_sensor_def("pending_alerts").evaluate_tick(dg.build_sensor_context())
    assert len(home.alerts("NEW_LISTING FRESHUSDT")) == 1


def test_a_launch_while_nobody_looked_is_not_forgotten(home: Home) -> None:
    home.look()
    home.at(73 + 40)
    home.look()
    [text] = home.alerts("NEW_LISTING FRESHUSDT")
    assert "its first day is over" in text
    assert "FRESHUSDT" in ingested_symbols(home.settings)
    assert not home.store.get("FRESHUSDT").watched


def test_what_trades_for_long_is_no_news(home: Home) -> None:
    home.at(73 + 30)
    home.look()
    assert not home.alerts("NEW_LISTING")
    assert not home.alerts("PRE_LISTING")


def test_the_watch_runs_for_a_day_alerts_once_a_side_and_is_summed_up(home: Home) -> None:
    assert home.tick() is None
    home.at(73.25)
    home.look()
    quarter, seen = 0.25, []
    while home.net.now_ms < START_MS + (73 + 24) * HOUR_MS:
        assert home.tick() is not None if len(seen) % 24 == 0 else True
        result = home.poll()
        assert "FRESHUSDT" in result.rates
        truth = home.net.venue.market.quote("linear", "FRESHUSDT", home.net.now_ms).funding_rate
        assert result.rates["FRESHUSDT"] == pytest.approx(float(truth), abs=5e-9)
        seen.append(result.rates["FRESHUSDT"])
        home.at(73.25 + quarter * len(seen))
    assert len(seen) == 95
    extreme = [rate for rate in seen if abs(rate) > 0.003]
    assert extreme
    assert len(home.alerts("LISTING_FUNDING FRESHUSDT")) == len({rate > 0 for rate in extreme})
    assert home.tick() is not None, "one more run closes the watch"
    with open_instance(home.settings) as instance:
        job = build_definitions(home.settings).resolve_job_def(WATCH_JOB)
        done = job.execute_in_process(instance=instance)
        [event] = done.get_asset_materialization_events()
        stored = instance.get_latest_materialization_event(dg.AssetKey(WATCH))
    facts = {name: value.value for name, value in event.materialization.metadata.items()}
    assert stored is not None
    assert (facts["symbol"], facts["count"]) == ("FRESHUSDT", 95)
    assert facts["max_rate"] == max(seen, key=abs)
    assert facts["mean_rate"] == pytest.approx(sum(seen) / 95)
    assert home.tick().tags["symbols"] == "AUCTIONUSDT", "which began four hours later"
    assert "FRESHUSDT" not in home.poll().rates
    assert "FRESHUSDT" in ingested_symbols(home.settings)


def test_a_pre_listing_is_announced_as_such_and_watched_from_continuous_trading(home: Home) -> None:
    home.at(72)
    home.look()
    [text] = home.alerts("PRE_LISTING AUCTIONUSDT")
    assert "phase NotStarted" in text
    assert "CallAuction 2025-01-04 02:00 UTC" in text
    assert "ContinuousTrading 2025-01-04 05:00 UTC" in text
    assert "AUCTIONUSDT" not in ingested_symbols(home.settings)
    assert home.tick() is None
    home.at(75)
    home.look()
    assert home.tick().tags["symbols"] == "FRESHUSDT"
    assert "AUCTIONUSDT" not in home.poll().rates
    home.at(77.25)  # between two looks of the sensor: the watch itself sees it begin
    assert home.tick().tags["symbols"] == "AUCTIONUSDT,FRESHUSDT"
    assert home.poll().opened == ["AUCTIONUSDT"]
    assert len(home.alerts("NEW_LISTING AUCTIONUSDT")) == 1
    assert "AUCTIONUSDT" in ingested_symbols(home.settings)
    for hours in (80, 100, 111):  # the last after the venue says Trading
        home.at(hours)
        home.look()
    home.poll()
    assert home.store.get("AUCTIONUSDT").summary.count == 1
    assert len(home.alerts("PRE_LISTING AUCTIONUSDT")) == len(home.alerts("NEW_LISTING AUCTIONUSDT")) == 1


def ingest(home: Home, name: str, day: str) -> dict:
    definitions = build_definitions(home.settings)
    with dg.DagsterInstance.ephemeral() as instance:
        done = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(name)], partition_key=day, instance=instance
        )
    [event] = done.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_delisted_symbol_is_told_kept_and_ingestion_says_it_is_closed(home: Home) -> None:
    bars, tickers = "raw_bybit__5m_perp_klines", "raw_bybit__snapshot_tickers"
    ingest(home, bars, "2025-01-02")
    home.at(74)
    home.look()
    home.look()
    assert len(home.alerts("DELISTED GONEUSDT 2025-01-03")) == 1
    lake = Lake(home.settings.lake_root)
    assert lake.dates(bars, "GONEUSDT") == [date(2025, 1, 2)]
    for name in (bars, tickers):
        facts = ingest(home, name, "2025-01-04")
        assert facts["symbols_skipped"] == {
            "GONEUSDT": "GONEUSDT is closed: its trading ended 2025-01-03 12:00 UTC; its history is kept"
        }
        assert facts["symbols_without_history"] == []
        assert set(facts["rows_by_symbol"]) >= {"BTCUSDT", "FRESHUSDT"}
    assert ingest(home, bars, "2025-01-03")["rows_by_symbol"]["GONEUSDT"] == 144
    assert "GONEUSDT" in ingested_symbols(home.settings)


def test_phases_as_the_venue_documents_them() -> None:
    lines = shared_path(
        "fixtures/bybit/jkorf/Endpoints__V5Api__ExchangeData__GetLinearInverseSymbolsPreListing.txt"
    ).read_text()
    [row] = json.loads(lines[lines.index("{") :])["result"]["list"]
    contract = parse_contract(row)
    assert (contract.symbol, contract.status, contract.phase) == (
        "PRE02ZROUSDT",
        "PreLaunch",
        "ContinuousTrading",
    )
    assert [phase.name for phase in contract.phases] == [
        "CallAuction",
        "CallAuctionNoCancel",
        "CrossMatching",
        "ContinuousTrading",
    ]
    assert contract.trades_from_ns == 1_718_707_800_000 * 10**6
    assert contract.phases[-1].end_ns is None
    assert contract.delivery_ns is None


def test_summaries() -> None:
    assert summarise([]).count == 0
    summary = summarise([0.001, -0.004, 0.002])
    assert (summary.count, summary.max_rate) == (3, -0.004)
    assert summary.mean_rate == pytest.approx(-0.001 / 3)


def test_the_store_gives_back_what_was_put(tmp_path: Path) -> None:
    store = Listings(tmp_path)
    listed = Listed("X", 1, 2, traded=True, watched=True, summary=summarise([0.5]))
    store.put(listed)
    assert store.all() == [listed]
    assert store.get("Y") is None
    for at in (5, 5, 9):
        rates = store.add_rate("X", at, 0.25)
    assert rates["seen_at"].to_list() == [5, 9]


def failing_run(instance: dg.DagsterInstance, fails: bool):
    @dg.op(name="train")
    def train() -> None:
        if fails:
            raise dg.Failure("no rows since 2025-01-03. Remedy: run the ingestion")

    @dg.job(name="retrain_funding")
    def retrain_funding() -> None:
        train()

    return retrain_funding.execute_in_process(instance=instance, raise_on_error=False)


def test_a_failed_run_is_told_once_while_it_keeps_failing_and_its_end_too(home: Home) -> None:
    repository = build_definitions(home.settings).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        for fails in (True, True, False, False, True):
            done = failing_run(instance, fails)
            event = done.get_run_failure_event() if fails else done.get_run_success_event()
            name = "failed_runs" if fails else "recovered_runs"
            context = dg.build_run_status_sensor_context(
                sensor_name=name, dagster_event=event, dagster_instance=instance, dagster_run=done.dagster_run
            )
            if fails:
                repository.get_sensor_def(name)(context.for_run_failure())
            else:
                repository.get_sensor_def(name)(context)
    told = home.hook.texts
    assert len(told) == 3
    assert "train: no rows since 2025-01-03. Remedy: run the ingestion" in told[0]
    assert "RUN_FAILED retrain_funding: over" in told[1]
