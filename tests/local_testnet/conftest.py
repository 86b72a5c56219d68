from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.local_testnet.server import RunningTestnet, start_testnet


@pytest.fixture(scope="session")
def testnet() -> Iterator[RunningTestnet]:
    """A testnet whose clock stands still, for tests that only read public data."""
    with start_testnet(("BTCUSDT", "ETHUSDT", "WIFUSDT")) as running:
        yield running


@pytest.fixture
def local_testnet() -> Iterator[Callable[..., RunningTestnet]]:
    """Starts testnets with arguments of `start_testnet`; all end with the test."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(start_testnet(*args, **kwargs))
