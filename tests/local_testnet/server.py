"""A local testnet in this process, in a thread of its own, over real HTTP on loopback.

    with start_testnet(days=10) as testnet:
        requests.get(f"{testnet.base_url}/v5/market/time")
        testnet.advance(hours=8)

The clock stands still unless told otherwise; markets are cached between tests, the account is always new.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import requests
from aiohttp import web

from hean_live.local_testnet.app import create_app
from hean_live.local_testnet.markets.synthetic import SyntheticMarket
from hean_live.local_testnet.setup import build_venue
from hean_live.local_testnet.venue import Venue, derive_keys
from models.simulation.bars import DAY_MS

START_MS = 1_735_689_600_000  # 2025-01-01T00:00Z
SEED = 7


@lru_cache(maxsize=8)
def synthetic_market(symbols: tuple[str, ...], seed: int, start_ms: int, days: int) -> SyntheticMarket:
    return SyntheticMarket(symbols, seed, start_ms, days)


@dataclass
class RunningTestnet:
    """Address, keys and control of a running testnet; `venue` is the live object behind it."""

    base_url: str
    api_key: str
    api_secret: str
    venue: Venue

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Public GET; returns the whole envelope."""
        answer = requests.get(self.base_url + path, params=params, timeout=10)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def state(self) -> dict[str, Any]:
        return self._control("GET", "/testnet/state", None)

    def clock(self, **move: float) -> dict[str, Any]:
        """One of speed=, advance_ms=, now_ms=, wall_offset_ms=."""
        return self._control("POST", "/testnet/clock", move)

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> dict[str, Any]:
        return self.clock(advance_ms=int(1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)))))

    @property
    def now_ms(self) -> int:
        return int(self.state()["market_time_ms"])

    def fault(self, kind: str, **fields: Any) -> None:
        """Queue a fault: http_status, ret_code, truncate, drop, delay; see `hean_live.local_testnet.faults.Fault`."""
        self._control("POST", "/testnet/faults", {"faults": [{"kind": kind, **fields}]})

    def clear_faults(self) -> None:
        self._control("DELETE", "/testnet/faults", None)

    def _control(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = requests.request(method, self.base_url + path, json=body, timeout=10)
        answer.raise_for_status()
        state: dict[str, Any] = answer.json()
        return state


@contextmanager
def serve(venue: Venue) -> Iterator[RunningTestnet]:
    """Serve a venue on a free port of loopback until the block ends."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    runner = web.AppRunner(create_app(venue), access_log=None, shutdown_timeout=0.2)
    ports: list[int] = []

    async def up() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(up())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, name="local-testnet", daemon=True)
    thread.start()
    if not started.wait(20):
        raise RuntimeError("the local testnet did not start within 20 s")
    keys = venue.keys
    try:
        yield RunningTestnet(f"http://127.0.0.1:{ports[0]}", keys.api_key, keys.api_secret, venue)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def start_testnet(
    symbols: Sequence[str] = ("BTCUSDT", "ETHUSDT", "SOLUSDT"),
    *,
    seed: int = SEED,
    start_ms: int = START_MS,
    days: int = 10,
    extra_days: int = 5,
    now_ms: int | None = None,
    speed: float = 0.0,
    equity: str = "500",
    can_withdraw: bool = False,
    ip_limit: int = 100_000,
    ban_ms: int = 600_000,
) -> Iterator[RunningTestnet]:
    """Run a synthetic testnet whose clock stands `days` after `start_ms` (or at `now_ms`).

    `ip_limit` is lifted by default so that tests sharing an address do not ban one another.
    """
    market = synthetic_market(tuple(symbols), seed, start_ms, days + extra_days)
    at = now_ms if now_ms is not None else start_ms + days * DAY_MS
    keys = derive_keys(seed, can_withdraw=can_withdraw)
    with serve(
        build_venue(market, keys, now_ms=at, speed=speed, equity=equity, ip_limit=ip_limit, ban_ms=ban_ms)
    ) as up:
        yield up
