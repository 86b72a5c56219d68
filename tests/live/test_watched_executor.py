"""A running executor as seen from outside: alerts at a webhook and in a mailbox, metrics over HTTP, JSON logs."""

from __future__ import annotations

import json
import signal
import time

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from hean_live.app.monitor import Monitor
from hean_live.metrics.executor import ExecutorMetrics
from tests.live.conftest import BEFORE_MS, DAYS, SETTLEMENT_MS
from tests.live.receivers import SECRET_PART, Hook, Inbox, free_port
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.live.test_restart import live_process, move_on, rows, wait_for
from tests.local_testnet.server import start_testnet

HIGH = 0.002


@pytest.fixture
def hook():
    server = Hook()
    yield server
    server.stop()


@pytest.fixture
def inbox():
    server = Inbox()
    yield server
    server.stop()


@pytest.fixture
def port(monkeypatch, hook, inbox):
    """Configure channels and metrics by environment variables, which a process inherits; returns the port of metrics."""
    number = free_port()
    for name, value in {
        "ALERT_WEBHOOK_URL": hook.url,
        "ALERT_SMTP_HOST": "127.0.0.1",
        "ALERT_SMTP_PORT": inbox.port,
        "ALERT_SMTP_TLS": "false",
        "ALERT_FROM": "hean@example.org",
        "ALERT_TO": "me@example.org,you@example.org",
        "METRICS_PORT": number,
        "LOG_JSON": "true",
    }.items():
        monkeypatch.setenv(f"HEAN_LIVE_{name}", str(value))
    return number


def scraped(port):
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }, text


def later(testnet, port):
    """What is measured after ten more seconds of the market."""
    testnet.advance(seconds=10)
    time.sleep(0.2)
    return scraped(port)[0]


def ended(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.communicate(timeout=30)


def test_a_killed_executor_is_told_of_once_and_its_metrics_say_what_it_did(
    testnet, tmp_path, hook, inbox, port
):
    cache_bundle(local_settings(tmp_path, testnet), funding_bundle(constant_predictor(HIGH)))
    process = live_process(tmp_path, testnet)
    try:
        assert json.loads(process.stdout.readline())["ready"] is True
        testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
        wait_for(lambda: rows(tmp_path, "SELECT count(*) FROM orders") != [(0,)])
        wait_for(lambda: ("hean_position_usd", ("BTCUSDT",)) in later(testnet, port))
        found, text = scraped(port)
        process.send_signal(signal.SIGUSR1)
        wait_for(lambda: hook.about("KILL_SWITCH*") and inbox.about("KILL_SWITCH"))
        wait_for(lambda: scraped(port)[0].get(("hean_entries_halted", ("KILL_SWITCH",))) == 1.0)
        time.sleep(0.5)  # many polls: none tells it again
    finally:
        output, log = ended(process)
    assert len(hook.about("KILL_SWITCH*")) == len(inbox.about("KILL_SWITCH")) == 1
    assert "SIGUSR1" in hook.about("KILL_SWITCH*")[0]
    assert 90_000 < found[("hean_equity_usd", ())] < 110_000
    assert found[("hean_position_usd", ("BTCUSDT",))] < 0  # a short
    assert found[("hean_feed_age_seconds", ("tickers",))] < 5
    assert found[("hean_events_total", ("forecast",))] >= 1
    assert found[("hean_signals_total", ("S1", "BTCUSDT"))] == 1
    assert found[("hean_tick_to_order_seconds_count", ())] >= 1
    assert found[("hean_model_info", ("1",))] == 1
    assert all(set(json.loads(line)) >= {"at", "level", "logger", "text"} for line in log.splitlines())
    process = live_process(tmp_path, testnet, "--re-arm")
    try:
        assert json.loads(process.stdout.readline())["ready"] is True
        wait_for(lambda: hook.about("KILL_SWITCH_ARMED"))
    finally:
        output_2, log_2 = ended(process)
    assert len(hook.about("KILL_SWITCH*")) == 1
    traces = [path for path in tmp_path.rglob("*") if path.is_file()]
    held = [path for path in traces if any(secret in path.read_bytes() for secret in secrets(testnet))]
    assert held == []
    words = "".join([output, log, output_2, log_2, text, *hook.texts, *inbox.mails]).encode()
    assert not any(secret in words for secret in secrets(testnet))


def secrets(testnet):
    return [testnet.api_secret.encode(), SECRET_PART.encode()]


def test_an_executor_that_ends_by_an_error_says_so(testnet, tmp_path, hook, port, monkeypatch):
    monkeypatch.setenv("HEAN_LIVE_RECONCILE_S", "0.2")
    process = live_process(tmp_path, testnet)
    try:
        assert json.loads(process.stdout.readline())["ready"] is True
        testnet.fault("ret_code", path_prefix="/v5/position/list", ret_code=10003)
        testnet.fault("ret_code", path_prefix="/v5/order/realtime", ret_code=10003)
        assert process.wait(timeout=90) == 3
    finally:
        ended(process)
    assert len(hook.about("STOPPED")) == 1


def test_forecast_errors_and_trades_are_measured_when_the_rate_is_known(testnet, tmp_path):
    settings = local_settings(tmp_path, testnet)
    cache_bundle(settings, funding_bundle(constant_predictor(HIGH)))
    runner = make_runner(settings)
    metrics = ExecutorMetrics()
    runner._parts.monitor.metrics = metrics
    runner.warm_up()
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    value = metrics.registry.get_sample_value
    poll_until(
        runner,
        lambda: value("hean_events_total", {"kind": "forecast"}) == 1,
        each=lambda: testnet.advance(seconds=10),
    )
    labels = {"symbol": "BTCUSDT", "horizon_min": "90"}
    poll_until(
        runner, lambda: value("hean_forecast_error", labels) is not None, each=lambda: move_on(testnet)
    )
    history = testnet.get("/v5/market/funding/history", category="linear", symbol="BTCUSDT", limit=1)
    paid = float(history["result"]["list"][0]["fundingRate"])
    assert value("hean_forecast_error", labels) == pytest.approx(HIGH - paid)
    trades = {"strategy": "S1", "mode": "shadow"}
    poll_until(runner, lambda: value("hean_trades_total", trades) == 1, each=lambda: move_on(testnet))
    assert value("hean_profit_usd", trades) == pytest.approx(
        rows(tmp_path, "SELECT pnl_usd FROM trades WHERE mode = 'shadow'")[0][0]
    )
    runner.shut_down("the test ends")
    runner.farewell()


def test_streams_are_measured_too(tmp_path):
    with start_testnet(("BTCUSDT",), days=DAYS, now_ms=BEFORE_MS, equity="1000", speed=1.0) as testnet:
        settings = local_settings(tmp_path, testnet, streams=True)
        runner = make_runner(settings)
        parts, metrics = runner._parts, ExecutorMetrics()
        parts.monitor = Monitor(settings, metrics)
        value = metrics.registry.get_sample_value

        def beat():
            parts.monitor.polled(parts, runner._halts(), dry_run=False)

        poll_until(runner, lambda: not runner._halts())
        beat()
        assert value("hean_feed_age_seconds", {"feed": "stream BTCUSDT"}) < 5
        assert value("hean_reconnects_total", {"stream": "market"}) is None
        connection = parts.streams.market.stream.connection
        parts.streams.thread.call(connection.restart, "the test asks for it")
        poll_until(runner, lambda: connection.counts.opened == 2)
        parts.streams.market.hub.markets.state[0]["market"]["internal"]["cascade"]["detected"] += 2
        beat()
        beat()
        assert value("hean_reconnects_total", {"stream": "market"}) == 1
        assert value("hean_cascades_total", {"symbol": "BTCUSDT"}) == 2
        runner.shut_down("the test ends")
        runner.farewell()
