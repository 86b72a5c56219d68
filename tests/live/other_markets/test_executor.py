"""The executor with other markets on the local testnet: what its shadows are told, what is measured, and that it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hean_live.doctor import examine
from hean_live.metrics.executor import ExecutorMetrics
from tests.live.conftest import BEFORE_MS, DAYS
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.local_testnet.server import RunningTestnet, start_testnet

SYMBOLS = ("BTCUSDT", "ETHUSDT")


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(SYMBOLS, days=DAYS, now_ms=BEFORE_MS, speed=1.0) as running:
        yield running


@pytest.mark.usefixtures("compiled")
def test_outlooks_of_other_markets_reach_the_board(testnet: RunningTestnet, tmp_path: Path) -> None:
    settings = local_settings(
        tmp_path,
        testnet,
        symbols=SYMBOLS,
        streams=True,
        shadows=True,
        pairs={"ETHUSDT": "BTCUSDT"},
        other_venue_url=testnet.base_url,
        spot_poll_s=0.5,
        other_venue_poll_s=0.5,
    )
    cache_bundle(settings, funding_bundle(constant_predictor(0.0001)))
    runner = make_runner(settings)
    parts = runner._parts
    try:
        board, monitor = parts.outlooks, parts.monitor
        assert board is not None
        assert monitor is not None
        monitor.metrics = ExecutorMetrics()
        poll_until(runner, lambda: len(board.funding_spreads()) == len(SYMBOLS))
        rows = board.newest("ETHUSDT")
        assert rows is not None
        row = rows[0]
        for market in ("spot", "other"):
            assert 0.0 < row[f"{market}_bid"] <= row[f"{market}_ask"]
            assert 0 < row[f"{market}_at_ns"] <= row["at_ns"]
        assert row["spot_bid"] == pytest.approx(row["other_bid"], rel=0.01)
        assert board.partner("ETHUSDT") == "BTCUSDT"
        poll_until(runner, lambda: not parts.alarms.active)
        monitor.polled(parts, {}, dry_run=True)
        name = "hean_cross_exchange_spread_per_hour"
        shown = monitor.metrics.registry.get_sample_value(name, {"symbol": "ETHUSDT"})
        assert shown == pytest.approx(board.funding_spreads()["ETHUSDT"])
        testnet.fault("http_status", status=502, path_prefix="/v5/market/tickers", count=400)
        poll_until(runner, lambda: "SPOT" in parts.alarms.active)
        testnet.clear_faults()
        poll_until(runner, lambda: "SPOT" not in parts.alarms.active)
    finally:
        runner.shut_down("the test ends")
    assert not any(thread.name == "other-markets" for thread in threading.enumerate())


def test_the_doctor_says_who_is_silent_and_why(testnet: RunningTestnet, tmp_path: Path) -> None:
    def found(**changes: object) -> dict[str, tuple[bool, str]]:
        settings = local_settings(
            tmp_path, testnet, symbols=SYMBOLS, **{"streams": True, "shadows": True, **changes}
        )
        return {row.name: (row.ok, row.detail) for row in examine(settings)}

    silent = found()
    assert silent["spot market"] == (True, f"{testnet.base_url} lists all 2 coins")
    assert silent["other venue"] == (
        True,
        "S17 is silent: no other_venue_url, such as https://fapi.binance.com, is set",
    )
    known = found(other_venue_url=testnet.base_url)
    assert known["other venue"] == (True, f"{testnet.base_url} lists BTCUSDT, ETHUSDT")
    gone = found(other_venue_url="http://127.0.0.1:9")
    assert not gone["other venue"][0]
    assert "no answer" in gone["other venue"][1]
    assert "no shadows" in found(shadows=False)["other venue"][1]
