"""The metrics as Prometheus reads them: over HTTP, parsed by its own client's parser."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from hean_live.execution.records import TradeRow
from hean_live.metrics.executor import ExecutorMetrics, serve
from hean_live.shadow.tap import MOST_WAITING, EventTap
from models.errors import ConfigError
from models.market.tape import EVENT


def trade(pnl_usd: float, mode: str = "live") -> TradeRow:
    return TradeRow(
        "t", "S1", "BTCUSDT", "RANGE", mode, 1, Decimal(1), 0, Decimal(1), 1, Decimal(1), 0.0, 0.0, pnl_usd, 0.0, 0.0, None, "1"
    )  # fmt: skip


def scrape(metrics: ExecutorMetrics) -> dict[tuple[str, tuple[str, ...]], float]:
    server, thread = serve(metrics, "127.0.0.1", 0)
    try:
        text = requests.get(f"http://127.0.0.1:{server.server_port}/metrics", timeout=5).text
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_the_loop_tells_is_what_prometheus_reads():
    metrics = ExecutorMetrics()
    metrics.polled(
        ages_s={"tickers": 0.5},
        clock_offset_s=-0.012,
        equity_usd=498.5,
        positions_usd={"BTCUSDT": -60.0},
        halts={"STALE_STREAM": "words"},
        models={"hean-funding": "3"},
    )
    metrics.event("block", "S1", "BTCUSDT", {"reason": "SIZER_ZERO"})
    metrics.cascades("BTCUSDT", 1)
    metrics.trade(trade(1.5))
    metrics.trade(trade(-0.5))
    metrics.order_ready(0.00008)
    metrics.reconnected("public")
    metrics.forecast_error("BTCUSDT", 90, -2e-5)
    found = scrape(metrics)
    assert found[("hean_feed_age_seconds", ("tickers",))] == 0.5
    assert found[("hean_position_usd", ("BTCUSDT",))] == -60.0
    assert found[("hean_entries_halted", ("STALE_STREAM",))] == 1.0
    assert found[("hean_blocks_total", ("SIZER_ZERO", "S1"))] == 1.0
    assert found[("hean_cascades_total", ("BTCUSDT",))] == 1.0
    assert found[("hean_profit_usd", ("live", "S1"))] == 1.0
    assert found[("hean_trades_total", ("live", "S1"))] == 2.0
    assert found[("hean_tick_to_order_seconds_bucket", ("0.0001",))] == 1.0
    assert found[("hean_forecast_error", ("90", "BTCUSDT"))] == -2e-5


def test_what_is_over_is_gone():
    metrics = ExecutorMetrics()
    state = {"ages_s": {}, "clock_offset_s": None, "equity_usd": None, "models": {}}
    metrics.polled(**state, positions_usd={"BTCUSDT": 1.0}, halts={"KILL_SWITCH": ""})
    metrics.polled(**state, positions_usd={}, halts={})
    found = scrape(metrics)
    assert not [key for key in found if key[0] in ("hean_entries_halted", "hean_position_usd")]


def test_a_port_in_use_is_named():
    server, thread = serve(ExecutorMetrics(), "127.0.0.1", 0)
    with pytest.raises(ConfigError, match=str(server.server_port)):
        serve(ExecutorMetrics(), "127.0.0.1", server.server_port)
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_spread_is_shown_while_it_is_known():
    metrics = ExecutorMetrics()
    metrics.spreads({"BTCUSDT": 2e-5, "ETHUSDT": 1e-5})
    name = "hean_cross_exchange_spread_per_hour"
    found = scrape(metrics)
    assert (found[(name, ("BTCUSDT",))], found[(name, ("ETHUSDT",))]) == (2e-5, 1e-5)
    metrics.spreads({"ETHUSDT": 3e-5})
    assert {labels: value for (n, labels), value in scrape(metrics).items() if n == name} == {
        ("ETHUSDT",): 3e-5
    }


def test_messages_the_shadows_lost_are_counted_by_symbol():
    metrics = ExecutorMetrics()
    tap = EventTap(["BTCUSDT", "ETHUSDT"], on_lost=metrics.shadows_lost)
    rows = np.zeros(1, EVENT)
    for _ in range(MOST_WAITING + 1):
        tap.put(1, rows)
    name = "hean_shadow_messages_lost_total"
    found = {labels: value for (n, labels), value in scrape(metrics).items() if n == name}
    assert found == {("ETHUSDT",): MOST_WAITING}
    assert tap.lost == MOST_WAITING
