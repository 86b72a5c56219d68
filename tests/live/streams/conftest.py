"""A scripted venue and a thread for sockets, for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hean_live.venues.streams.thread import StreamThread
from tests.live.streams.scripted import ScriptedVenue, scripted_venue


@pytest.fixture
def testnet() -> None:
    """Keep the executor's own testnet out: these tests need none."""


@pytest.fixture
def scripted() -> Iterator[ScriptedVenue]:
    with scripted_venue() as venue:
        yield venue


@pytest.fixture
def thread() -> Iterator[StreamThread]:
    running = StreamThread("test-streams")
    running.start()
    yield running
    running.stop()
