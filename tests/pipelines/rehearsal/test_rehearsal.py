"""Choices, settings, orders by hand and figures of the rehearsal; the whole of it is run by `benchmarks.strategies`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hean_live.app.configured_rules import engine_rules
from hean_live.execution.journal import Journal
from hean_live.settings import load_settings as load_live
from hean_pipelines.demo.children import Children
from hean_pipelines.rehearsal.executor import RehearsalFailed
from hean_pipelines.rehearsal.plan import PINNED, empty_home, make_plan, write_settings
from hean_pipelines.rehearsal.results import count, learned, traded
from hean_pipelines.rehearsal.run import Rehearsal
from hean_pipelines.rehearsal.venue import TestnetHands
from hean_pipelines.settings import load_settings as load_pipelines
from models.errors import ConfigError, DataError
from tests.local_testnet.server import start_testnet


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("HEAN_"):
            monkeypatch.delenv(name)


def test_a_plan_begins_shortly_before_what_it_wants_to_see() -> None:
    with_model = make_plan(24.0, 60.0, None, days=75, seed=7)
    without = make_plan(0.5, 60.0, ("BTCUSDT", "XRPUSDT"), days=0, seed=7)
    assert (with_model.now.hour, with_model.now.minute) == (6, 15)
    assert (without.now.hour, without.now.minute) == (7, 50)
    assert with_model.by_hand not in with_model.symbols
    assert without.by_hand == "SOLUSDT"
    assert (with_model.now.date() - with_model.first_day).days == 75


@pytest.mark.parametrize(
    ("hours", "speed", "symbols"),
    [(0.0, 60.0, None), (24.0, 0.5, None), (24.0, 1e6, None), (1.0, 60.0, ("XRPUSDT", "SOLUSDT", "ETHUSDT"))],
)
def test_what_makes_no_sense_is_refused(hours: float, speed: float, symbols: tuple[str, ...] | None) -> None:
    with pytest.raises(ConfigError):
        make_plan(hours, speed, symbols, days=0, seed=7)


def test_the_settings_written_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(1.0, 60.0, None, days=0, seed=7)
    write_settings(tmp_path, plan, "http://127.0.0.1:1")
    live = load_live(home=tmp_path)
    assert live.uses_streams
    assert live.market_clock == "venue"
    assert live.symbols == plan.symbols
    assert live.stream_fresh_s == 600.0
    assert live.shadows
    assert live.max_signal_age_s == 240.0
    assert engine_rules(live).bank.gates.data.decision_age_s == 240.0
    pipelines = load_pipelines(home=tmp_path)
    assert pipelines.allow_synthetic_evidence
    honest = make_plan(1.0, 60.0, None, days=0, seed=7, synthetic_evidence=False, equity_usd=300.0)
    write_settings(tmp_path, honest, "http://127.0.0.1:1")
    assert not load_pipelines(home=tmp_path).allow_synthetic_evidence
    assert load_live(home=tmp_path).shadow_equity_usd == 300


def test_pinned_are_strategies_the_executor_carries_out_and_not_s1() -> None:
    assert len(PINNED) == 15
    assert {"enhanced_grid", "inventory_neutral_mm", "rebate_farmer"} < set(PINNED)
    other_markets = {"basis_arbitrage", "cross_exchange_funding"}
    assert not {"funding_pressure", "synthetic_convexity", *other_markets} & set(PINNED)


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    empty_home(home)
    (home / "left").write_text("over")
    empty_home(home)
    assert not (home / "left").exists()
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        empty_home(tmp_path)


def test_figures_are_those_of_the_journal(tmp_path: Path) -> None:
    assert traded(tmp_path)["orders"] == 0
    assert learned(tmp_path) == {}
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.event("block", {"reason": "EVIDENCE"})
        journal.event("block", {"reason": "EVIDENCE"})
        journal.event("error", {"code": "REGISTRY"})
    found = traded(tmp_path)
    assert found["blocks"] == {"EVIDENCE": 2}
    assert found["errors"] == {"REGISTRY": 1}
    assert count(tmp_path, "SELECT count(*) FROM events") == 3


def test_orders_by_hand_are_carried_out_or_refused_aloud() -> None:
    with start_testnet(("BTCUSDT",)) as testnet:
        ready = {"base_url": testnet.base_url, "api_key": testnet.api_key, "api_secret": testnet.api_secret}
        hands = TestnetHands(ready)
        hands.order("BTCUSDT", "Buy", "0.001")
        assert str(testnet.venue.exchange.position("BTCUSDT").qty) == "0.001"
        assert hands.price("BTCUSDT") > 0
        before_ms = hands.market_ms()
        hands.set_speed(1000.0)
        assert hands.market_ms() >= before_ms
        with pytest.raises(DataError, match="refused"):
            hands.order("BTCUSDT", "Buy", "100000")


def test_a_step_that_fails_leaves_nothing_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    empty_home(home)
    rehearsal = Rehearsal(home, make_plan(1.0, 60.0, None, days=0, seed=7), lambda _words: None)

    def fail(name: str, *_arguments: object, **_options: object) -> None:
        if name == "warm":
            return  # compiling takes minutes on a cold machine, and is not what this is about
        assert rehearsal.children.alive("testnet")
        raise RehearsalFailed("the test says so")

    monkeypatch.setattr(rehearsal.children, "run", fail)
    with pytest.raises(RehearsalFailed):
        rehearsal.run()
    assert not rehearsal.children.alive("testnet")


def test_a_module_runs_like_a_command_and_a_running_one_is_measured(tmp_path: Path) -> None:
    children = Children(tmp_path / "logs", {"HEAN_HOME": str(tmp_path)})
    assert children.run("json", ["--help"], 60.0, module="json.tool").seconds > 0.0
    assert "usage" in children.log_of("json").read_text()
    try:
        children.start("testnet", ["testnet", "--days", "2", "--symbols", "BTCUSDT"], 120.0)
        assert children.cpu_s("testnet") > 0.0
        assert children.peak_mb("testnet") > 0.0
    finally:
        children.close()
    assert children.cpu_s("testnet") == 0.0
