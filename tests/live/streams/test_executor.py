"""The executor with streams on the local testnet: fed by them, traded with them, whole again after faults on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hean_live.app.runner import Runner
from hean_live.recorder.segments import closed_segments
from tests.live.conftest import BEFORE_MS, DAYS, SETTLEMENT_MS
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.local_testnet.server import RunningTestnet, start_testnet

HIGH = 0.002
Started = Callable[..., Runner]


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT",), days=DAYS, now_ms=BEFORE_MS, equity="100000", speed=1.0) as running:
        yield running


@pytest.fixture
def started(testnet: RunningTestnet, tmp_path: Path) -> Iterator[Started]:
    runners: list[Runner] = []

    def start(**changes: Any) -> Runner:
        settings = local_settings(
            tmp_path, testnet, streams=True, record=True, recorder_free_gb=0.0, reconcile_s=60.0, **changes
        )
        cache_bundle(settings, funding_bundle(constant_predictor(HIGH)))
        runner = make_runner(settings)
        runners.append(runner)
        runner.warm_up()
        return runner

    yield start
    for runner in runners:
        runner.shut_down("the test ends")


def is_free(runner: Runner) -> Callable[[], bool]:
    return lambda: not runner._halts()


def test_streams_feed_the_executor(started: Started, tmp_path: Path) -> None:
    runner = started()
    streams = runner._parts.streams
    assert streams is not None
    poll_until(runner, is_free(runner))
    assert streams.data_tickers().tickers["BTCUSDT"].next_funding_ns is not None
    assert runner._parts.feed.quotes["BTCUSDT"].mark > 0
    poll_until(runner, lambda: not streams.market.problems())
    poll_until(runner, lambda: streams.market.hub.markets.counts.ticks > 4)
    counts = streams.market.hub.markets.counts
    assert (counts.malformed, counts.gaps, counts.late_trades) == (0, 0, 0)
    assert streams.market.hub.board.counts.malformed == 0
    streams.close()
    assert closed_segments(tmp_path / "tape")


@pytest.mark.parametrize("order_entry", ["rest", "socket"])
def test_a_position_is_entered_with_streams(
    started: Started, testnet: RunningTestnet, order_entry: str
) -> None:
    runner = started(order_entry=order_entry)
    parts = runner._parts
    assert parts.streams is not None
    poll_until(runner, is_free(runner))
    testnet.clock(now_ms=SETTLEMENT_MS - 90 * 60_000)
    poll_until(
        runner,
        lambda: (
            parts.account is not None
            and parts.account.books is not None
            and parts.account.books.net.get("BTCUSDT", 0) != 0
            and not parts.journal.active_orders()
        ),
        each=lambda: testnet.advance(seconds=10),
    )
    assert parts.streams.private is not None
    assert parts.streams.private.counts.rows > 0
    assert parts.streams.private.counts.unreadable == 0
    if order_entry == "socket":
        assert parts.streams._trade is not None
        assert parts.streams._trade.counts.answered > 0


def test_dropped_sockets_halt_entries_until_the_account_is_reconciled(
    started: Started, testnet: RunningTestnet
) -> None:
    runner = started()
    streams = runner._parts.streams
    assert streams is not None
    assert streams.private is not None
    poll_until(runner, is_free(runner))
    opened = streams.private.connection.counts.opened
    connections = [stream.connection for stream in (streams.private, streams.market.stream)]
    for connection in connections:
        streams.thread.call(connection.restart, "the test says so")
    journal = runner._parts.journal

    def said(kind: str) -> bool:
        return any(event["code"] == "PRIVATE_STREAM" for event in journal.events(kind))

    # Both words of the stream may come within one poll: the journal keeps them, the halt may be over already.
    poll_until(runner, lambda: said("error") and said("recovered") and not runner._halts())
    assert streams.private.connection.counts.opened == opened + 1
    poll_until(runner, lambda: not streams.market.problems())
    assert streams.market.hub.completeness[0].gaps == 1
