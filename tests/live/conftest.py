"""A local testnet for each test, ninety minutes before a settlement, and the executor's parts against it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from hean_live.execution.journal import Journal
from hean_live.venues.bybit import BybitVenue
from tests.local_testnet.server import START_MS, RunningTestnet, start_testnet

DAY_MS = 86_400_000
DAYS = 10
SETTLEMENT_MS = START_MS + DAYS * DAY_MS + 8 * 3_600_000
BEFORE_MS = SETTLEMENT_MS - 91 * 60_000


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("HEAN_") or name in ("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "JOURNAL_STREAM"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def compiled() -> None:
    """The bank's loop in the kernel cache, however long that takes: tests wait for what is done with it."""
    subprocess.run([sys.executable, "-m", "hean_live.shadow.warm"], check=True)


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT", "ETHUSDT"), days=DAYS, now_ms=BEFORE_MS, equity="100000") as running:
        yield running


@pytest.fixture
def venue(testnet: RunningTestnet) -> BybitVenue:
    return BybitVenue(testnet.base_url, testnet.api_key, testnet.api_secret, timeout_s=2.0)


@pytest.fixture
def journal(tmp_path: object) -> Iterator[Journal]:
    from pathlib import Path

    opened = Journal(Path(str(tmp_path)) / "journal.sqlite")
    opened.stamp(BEFORE_MS * 1_000_000, 1)
    yield opened
    opened.close()
