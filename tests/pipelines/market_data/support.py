"""What several market-data tests need: a client of a testnet, what its market really holds, a lake's fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hean_live.local_testnet.markets.base import BarKind
from hean_pipelines.sources.bybit import BybitPublicClient
from hean_pipelines.sources.http import PoliteHttp
from tests.local_testnet.server import START_MS, RunningTestnet

NS_PER_MS = 1_000_000
DAY_NS = 86_400 * 10**9
START_NS = START_MS * NS_PER_MS
FOREVER = 2**52


@contextmanager
def client_of(base_url: str, **options) -> Iterator[BybitPublicClient]:
    """A client that does not wait between attempts."""
    http = PoliteHttp(**{"requests_per_5s": 100_000, "sleep": lambda _s: None, **options})
    try:
        yield BybitPublicClient(base_url, http)
    finally:
        http.close()


def true_funding(net: RunningTestnet, symbol: str) -> tuple[np.ndarray, np.ndarray]:
    ts, rates = net.venue.market.funding(symbol, 0, FOREVER, 10**9, net.now_ms)
    return np.asarray(ts) * NS_PER_MS, np.asarray(rates, dtype=float)


def true_open_interest(
    net: RunningTestnet, symbol: str, step_ms: int = 300_000
) -> tuple[np.ndarray, np.ndarray]:
    ts, values = net.venue.market.open_interest(symbol, step_ms, START_MS, FOREVER, 10**9, net.now_ms)
    return np.asarray(ts) * NS_PER_MS, np.asarray(values, dtype=float)


def true_ratio(net: RunningTestnet, symbol: str) -> tuple[np.ndarray, np.ndarray]:
    ts, values = net.venue.market.long_ratio(symbol, 3_600_000, START_MS, FOREVER, 10**9, net.now_ms)
    return np.asarray(ts) * NS_PER_MS, np.asarray(values, dtype=float)


def true_bars(net: RunningTestnet, kind: str, symbol: str, interval: str) -> tuple[np.ndarray, np.ndarray]:
    """Opening times and closes of all bars, the running one included."""
    found = net.venue.market.bars(BarKind(kind), symbol, interval, START_MS, FOREVER, 10**6, net.now_ms)
    return np.asarray(found.ts_ms) * NS_PER_MS, np.asarray(found.close, dtype=float)


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
