"""A testnet of order flow, and executors on it that are stopped at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hean_live.local_testnet.setup import build_venue, open_market
from hean_live.local_testnet.venue import derive_keys
from tests.live.shadow.lives import START_MS, Lives
from tests.local_testnet.server import SEED, RunningTestnet, serve


@pytest.fixture
def testnet(request: pytest.FixtureRequest) -> Iterator[RunningTestnet]:
    """A testnet whose account has 300 USD, or what a test's indirect parameter says."""
    market, now_ms = open_market(
        "order-flow", seed=SEED, symbols=("BTCUSDT",), start_ms=None, now_ms=START_MS, days=3, extra_days=2
    )
    keys = derive_keys(SEED, can_withdraw=False)
    with serve(
        build_venue(market, keys, now_ms=now_ms, speed=0.0, equity=getattr(request, "param", "300"))
    ) as running:
        yield running


@pytest.fixture
def lives(compiled: None, testnet: RunningTestnet, tmp_path: Path) -> Iterator[Lives]:
    made = Lives(tmp_path, testnet)
    yield made
    made.stop()
