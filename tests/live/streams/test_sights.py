"""Over loopback: what the streams see of a market pulls quotes, blocks entries, holds a position and stops it; and replays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hean_live.app.runner import Runner
from hean_live.replay.replay import replay
from hean_live.replay.segments import read_lines
from hean_live.replay.session import find_segments
from tests.live.conftest import BEFORE_MS, DAYS, SETTLEMENT_MS
from tests.live.streams.primed import Past, prime, tell
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.local_testnet.server import RunningTestnet, start_testnet

HIGH = 0.002  # a forecast far above the last rate: S1 goes short
SIGNAL_MS = SETTLEMENT_MS - 90 * 60_000
Started = Callable[..., Runner]
CALM = [0.5 + 0.1 * np.sin(k) for k in range(220)]
ONE_SIDED = [1.0] * 55


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT",), days=DAYS, now_ms=BEFORE_MS, equity="100000", speed=1.0) as running:
        yield running


@pytest.fixture
def running() -> Iterator[list[Runner]]:
    runners: list[Runner] = []
    yield runners
    for runner in runners:
        runner.shut_down("the test ends")


@pytest.fixture
def started(testnet: RunningTestnet, tmp_path: Path, running: list[Runner]) -> Started:
    def start(**changes: Any) -> Runner:
        settings = local_settings(tmp_path, testnet, streams=True, reconcile_s=60.0, **changes)
        cache_bundle(settings, funding_bundle(constant_predictor(HIGH)))
        runner = make_runner(settings)
        running.append(runner)
        runner.warm_up()
        poll_until(runner, lambda: not runner._halts())
        return runner

    return start


def touch(testnet: RunningTestnet) -> tuple[float, float]:
    (row,) = testnet.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"]
    return float(row["bid1Price"]), float(row["ask1Price"])


def events(runner: Runner, kind: str) -> list[dict[str, Any]]:
    return [dict(event) for event in runner._parts.journal.events(kind)]


def exit_states(runner: Runner) -> dict[str, Any]:
    memory = json.loads(runner._parts.engine.memory().states)["*"]
    return dict(memory.get("exits", {}))


def enter(runner: Runner, testnet: RunningTestnet) -> None:
    """Take the signal and wait until the entry is over."""
    testnet.clock(now_ms=SIGNAL_MS)
    poll_until(runner, lambda: bool(exit_states(runner)), each=lambda: testnet.advance(seconds=10))


@pytest.mark.parametrize(
    ("setting", "kind", "reason"),
    [
        ({"max_book_age_s": 0.001}, "block", "STALE_BOOK"),
        ({"max_open_interest_age_s": 0.001}, "block", "STALE_OPEN_INTEREST"),
        ({"pull_book_age_s": 0.001}, "pull", "STALE_BOOK"),
    ],
)
def test_an_age_beyond_its_limit(
    started: Started, testnet: RunningTestnet, setting: dict[str, Any], kind: str, reason: str
) -> None:
    runner = started(**setting)
    testnet.clock(now_ms=SIGNAL_MS)
    poll_until(runner, lambda: any(event["reason"] == reason for event in events(runner, kind)))
    (event,) = [event for event in events(runner, kind) if event["reason"] == reason]
    assert "at most 0.001 s old" in event["arithmetic"]
    assert runner._parts.journal.orders_of("BTCUSDT") == []


def test_a_spread_beyond_its_median(
    started: Started, testnet: RunningTestnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bid, ask = touch(testnet)
    prime(monkeypatch, Past.of_prices(np.full(100, (bid + ask) / 2), spread=ask - bid))
    runner = started(pull_spread_ratio=0.9)
    testnet.clock(now_ms=SIGNAL_MS)
    poll_until(runner, lambda: bool(events(runner, "pull")))
    (pull,) = events(runner, "pull")
    assert pull["reason"] == "WIDE_SPREAD"
    assert runner._parts.journal.orders_of("BTCUSDT") == []


def test_toxic_flow_pulls_what_rests(
    started: Started, testnet: RunningTestnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bid, ask = touch(testnet)
    prime(monkeypatch, Past.of_prices([(bid + ask) / 2] * 5, spread=ask - bid, buys=CALM))
    runner = started(quote_layers="layered")
    journal, streams = runner._parts.journal, runner._parts.streams
    assert streams is not None
    testnet.clock(now_ms=SIGNAL_MS)
    # The minute that has passed comes as a few large prints: one-sided buckets, and nothing rests in them.
    poll_until(runner, lambda: bool(events(runner, "pull")) and not journal.active_orders())
    tell(streams, Past.of_prices([bid], spread=ask - bid, buys=CALM))
    poll_until(runner, lambda: len(journal.active_orders()) == 3)
    tell(streams, Past.of_prices([bid], spread=ask - bid, buys=ONE_SIDED))
    poll_until(runner, lambda: not journal.active_orders())
    assert {pull["reason"] for pull in events(runner, "pull")} == {"TOXIC"}
    rows = journal.orders_of("BTCUSDT")
    assert {(row.state, row.order_type) for row in rows} == {("cancelled", "Limit/PostOnly")}


def rising(testnet: RunningTestnet) -> Past:
    """Up by three percent and down again within 112 minutes, to where the market stands."""
    bid, ask = touch(testnet)
    return Past.of_prices((bid + ask) / 2 * (1 + 0.03 * np.sin(np.linspace(0, np.pi, 560))), spread=ask - bid)


def test_a_position_entered_in_a_trend_is_held_and_the_session_replays(
    started: Started,
    testnet: RunningTestnet,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    running: list[Runner],
) -> None:
    prime(monkeypatch, rising(testnet))
    runner = started(exit_plans="S1=ladder", stop_fraction="0.05")
    enter(runner, testnet)
    (state,) = exit_states(runner).values()
    assert state["is_trend"]
    assert state["sigma"] > 0.0
    journal = runner._parts.journal

    def tiers() -> set[str]:
        return {row.client_id.rsplit("-", 1)[1] for row in journal.active_orders() if row.leg == "exit"}

    poll_until(runner, lambda: tiers() == {"x4"})
    testnet.clock(now_ms=testnet.now_ms + 46 * 60_000)
    poll_until(runner, lambda: len(tiers()) > 1 or bool(events(runner, "exit")))
    running.remove(runner)
    runner.shut_down("test")
    outcome = replay(find_segments(tmp_path))
    assert (outcome.first, outcome.unfinished, outcome.unanswered) == (None, [], 0)
    (segment,) = find_segments(tmp_path)
    text = json.dumps(list(read_lines(segment)))
    assert '"sights"' in text
    assert '"is_trend": true' in text


def test_a_position_against_a_quiet_market_is_stopped_by_sigma(
    started: Started, testnet: RunningTestnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bid, ask = touch(testnet)
    mids = (bid + ask) / 2 + 0.1 * (np.arange(250) % 2)
    prime(monkeypatch, Past.of_prices(mids, spread=ask - bid))
    runner = started(exit_plans="S1=ladder")
    enter(runner, testnet)
    (state,) = exit_states(runner).values()
    assert not state["is_trend"]
    assert 0.0 < state["sigma"] < 0.005
    poll_until(runner, lambda: bool(events(runner, "exit")), each=lambda: testnet.advance(seconds=20))
    (left,) = events(runner, "exit")
    assert left["reason"] == "sigma stop"
    assert "2.5 ×" in left["arithmetic"]
