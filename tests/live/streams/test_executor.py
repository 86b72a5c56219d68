"""The executor with streams on the local testnet: fed, halted, woken, and going on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hean_live.app.runner import Runner
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


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT",), days=DAYS, now_ms=BEFORE_MS, equity="100000", speed=1.0) as running:
        yield running


@pytest.fixture
def runner(testnet: RunningTestnet, tmp_path: Path) -> Iterator[Runner]:
    settings = local_settings(tmp_path, testnet, streams=True, record=True, recorder_free_gb=0.0)
    cache_bundle(settings, funding_bundle(constant_predictor(0.001)))
    running = make_runner(settings)
    running.warm_up()
    yield running
    if running._parts.streams is not None:
        running.shut_down("the test ends")


def test_streams_feed_the_executor_and_halt_it_while_they_are_gone(runner: Runner) -> None:
    streams = runner._parts.streams
    assert streams is not None
    poll_until(runner, lambda: not streams.problems() and not runner._halts())
    assert not streams.market.tickers().stale
    ticker = streams.market.tickers().tickers["BTCUSDT"]
    assert runner._parts.feed.quotes["BTCUSDT"].mark > 0
    assert ticker.next_funding_ns is not None
    poll_until(runner, lambda: not streams.market.problems())
    assert streams.market.hub.markets.counts.malformed == 0
    assert streams.market.hub.markets.counts.gaps == 0
