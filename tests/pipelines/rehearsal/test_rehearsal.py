"""Choices, settings, orders by hand and figures of the rehearsal; the whole of it is run by `benchmarks.strategies`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from hean_live.execution.journal import Journal
from hean_live.settings import load_settings as load_live
from hean_pipelines.rehearsal.plan import empty_home, make_plan, write_settings
from hean_pipelines.rehearsal.results import count, learned, traded
from hean_pipelines.rehearsal.run import Rehearsal, RehearsalFailed
from hean_pipelines.rehearsal.venue import TestnetHands
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

    def fail(*_arguments: object, **_options: object) -> None:
        assert rehearsal.children.alive("testnet")
        raise RehearsalFailed("the test says so")

    monkeypatch.setattr(rehearsal, "_start", fail)
    with pytest.raises(RehearsalFailed):
        rehearsal.run()
    assert not rehearsal.children.alive("testnet")
