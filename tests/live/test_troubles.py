"""What is worth an alert: reconnects by the hour, extreme funding by symbol and side, the registry, what is stuck."""

from __future__ import annotations

from types import SimpleNamespace

from hean_live.app.monitor import Monitor
from hean_live.app.troubles import (
    HOUR_NS,
    Reconnects,
    account_troubles,
    alarm_troubles,
    funding_extremes,
    shadow_troubles,
)
from hean_live.settings import load_settings
from hean_live.shadow.service import ShadowService
from hean_live.shadow.tap import EventTap
from models.market.bybit_v5_market import parse_ticker
from tests.live.support import local_settings, make_runner

MINUTE_NS = 60_000_000_000


def ticker(symbol, rate):
    return parse_ticker({"symbol": symbol, "fundingRate": rate, "lastPrice": "1", "markPrice": "1"})


def test_the_first_opening_of_a_stream_is_no_reconnect():
    reconnects = Reconnects()
    assert reconnects.take({"market": 0}, 0) == {}
    assert reconnects.take({"market": 1}, 1) == {}
    assert reconnects.take({"market": 1, "private": 1}, 2) == {}
    assert reconnects.take({"market": 3, "private": 1}, 3) == {"market": 2}
    assert dict(reconnects.troubles()) == {}


def test_several_reconnects_within_an_hour_are_a_trouble_until_they_are_an_hour_old():
    reconnects = Reconnects()
    for k in range(4):
        reconnects.take({"market": 1 + k, "private": 1}, k * 10 * MINUTE_NS)
    assert [code for code, _ in reconnects.troubles()] == ["RECONNECTS market"]
    reconnects.take({"market": 4, "private": 1}, 10 * MINUTE_NS + HOUR_NS + 1)
    assert dict(reconnects.troubles()) == {}


def test_extreme_funding_is_named_by_symbol_and_side():
    tickers = {
        row.symbol: row for row in (ticker("A", "0.0031"), ticker("B", "-0.004"), ticker("C", "0.003"))
    }
    found = dict(funding_extremes(tickers, ("A", "B", "C", "D")))
    assert list(found) == ["FUNDING A longs pay", "FUNDING B shorts pay"]
    assert "+0.3100%" in found["FUNDING A longs pay"].text
    assert funding_of_others(tickers) == {}


def funding_of_others(tickers):
    return dict(funding_extremes(tickers, ()))


def test_alarms_are_troubles_but_for_the_one_the_account_says_better():
    found = dict(alarm_troubles({"MARKET_DATA": "no answer", "RECONCILE": "no answer"}))
    assert list(found) == ["MARKET_DATA"]


def test_shadows_that_do_not_work_are_told_of_but_not_while_they_compile():
    service = ShadowService({}, EventTap(()), 10_000.0)
    ((code, trouble),) = shadow_troubles(service)
    assert (code, "being compiled" in trouble.text, trouble.lasting_s) == ("SHADOWS", True, 900.0)
    service.problem = ""
    assert dict(shadow_troubles(service)) == dict(shadow_troubles(None)) == {}


def test_a_registry_that_cannot_be_reached_is_told_until_it_is(monkeypatch):
    now = [0]
    monitor = Monitor(load_settings(), clock_ns=lambda: now[0])
    told = []
    monitor._desk._tell = lambda alert: told.append((alert.code, alert.over))
    subject = "registry hean-funding"
    bodies = (
        ("error", {"code": "REGISTRY", "subject": subject, "status": "unreachable", "detail": "no answer"}),
        ("registry", {"subject": subject, "status": "reachable again"}),
    )
    for kind, body in bodies:
        monitor.on_event(kind, "", "", body)
        for _ in range(20):
            now[0] += 1_000_000_000
            monitor.polled(idle_parts(), {}, dry_run=True)
    assert told == [(subject, False), (subject, True)]


def idle_parts():
    """What is asked of an executor without account, streams and market."""
    return SimpleNamespace(
        streams=None,
        kill_switch=SimpleNamespace(reason=""),
        account=None,
        alarms=SimpleNamespace(active={}),
        shadows=None,
        feed=SimpleNamespace(tickers={}, read_at=0.0),
        engine=SimpleNamespace(symbols=()),
    )


def test_a_tripped_switch_is_told_and_what_stays_open_too(testnet, tmp_path):
    runner = make_runner(local_settings(tmp_path, testnet))
    parts = runner._parts
    assert dict(account_troubles(parts)) == {}
    runner.kill("by hand")
    runner.poll()
    found = dict(account_troubles(parts))
    assert found["KILL_SWITCH"].severity == "critical"
    assert "by hand" in found["KILL_SWITCH"].text
    assert "KILL_STUCK" not in found  # nothing is open
    parts.account.problem = "the venue does not answer"
    found = dict(account_troubles(parts))
    assert set(found) == {"KILL_SWITCH", "UNRECONCILED", "KILL_STUCK"}
    assert found["KILL_STUCK"].lasting_s == 120.0
    runner.shut_down("the test ends")
    runner.farewell()
