"""A WebSocket client for tests that read in step with the server, and a testnet with live ticks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp

from hean_live.local_testnet.fault_schedule import FaultSchedule
from hean_live.local_testnet.markets.order_flow import OrderFlowMarket
from hean_live.local_testnet.setup import build_venue
from hean_live.local_testnet.venue import Venue, derive_keys
from models.simulation.bars import DAY_MS
from tests.local_testnet.server import SEED, START_MS, RunningTestnet, serve, synthetic_market

FLOW_START_MS = START_MS + DAY_MS + 7 * 3_600_000 + 59 * 60_000 + 30_000  # half a minute before a settlement
WAIT_S = 90.0  # the first subscriber of a cold machine waits for compiled code


class Socket:
    """One connection; every call returns when it is done."""

    def __init__(self, testnet: RunningTestnet, path: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._keys = testnet.api_key, testnet.api_secret
        url = testnet.base_url.replace("http", "ws") + path
        self._session, self._socket = self._loop.run_until_complete(self._open(url))

    @staticmethod
    async def _open(url: str) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
        session = aiohttp.ClientSession()
        try:
            return session, await session.ws_connect(url, timeout=aiohttp.ClientWSTimeout(ws_close=1.0))
        except BaseException:
            await session.close()
            raise

    def raw(self, timeout_s: float = WAIT_S) -> aiohttp.WSMessage:
        """Next frame, closing ones included."""
        return self._loop.run_until_complete(self._socket.receive(timeout_s))

    def text(self, timeout_s: float = WAIT_S) -> str:
        message = self.raw(timeout_s)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        return str(message.data)

    def next(self, timeout_s: float = WAIT_S) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.text(timeout_s))
        return parsed

    def say(self, fields: dict[str, Any] | str) -> None:
        self._loop.run_until_complete(
            self._socket.send_str(fields if isinstance(fields, str) else json.dumps(fields))
        )

    def ask(self, fields: dict[str, Any] | str) -> dict[str, Any]:
        """Send a request and return the next message, its answer."""
        self.say(fields)
        return self.next()

    def subscribe(self, *topics: str) -> None:
        answer = self.ask({"op": "subscribe", "args": list(topics)})
        assert answer["success"], answer

    def until_now(self) -> list[str]:
        """Everything the server had sent when this was asked: what comes before the answer to a ping."""
        self.say({"op": "ping", "req_id": "barrier"})
        found = []
        while '"barrier"' not in (text := self.text()):
            found.append(text)
        return found

    def ping_frame(self) -> bytes:
        """Send a ping frame and return the pong's payload."""

        async def ping() -> bytes:
            await self._socket.ping(b"are you there")
            message = await self._socket.receive(WAIT_S)
            assert message.type == aiohttp.WSMsgType.PONG
            return bytes(message.data)

        self._socket._autoping = False
        return self._loop.run_until_complete(ping())

    def authorise(self, *, ahead_ms: int = 10_000, secret: str = "", key: str = "") -> dict[str, Any]:
        expires = time.time_ns() // 1_000_000 + ahead_ms
        text = f"GET/realtime{expires}".encode()
        signature = hmac.new((secret or self._keys[1]).encode(), text, hashlib.sha256).hexdigest()
        return self.ask({"op": "auth", "args": [key or self._keys[0], expires, signature]})

    def close(self) -> None:
        self._loop.run_until_complete(self._socket.close())
        self._loop.run_until_complete(self._session.close())
        self._loop.close()


@contextmanager
def connect(testnet: RunningTestnet, path: str = "/v5/public/linear") -> Iterator[Socket]:
    socket = Socket(testnet, path)
    try:
        yield socket
    finally:
        socket.close()


def flow_venue(
    symbols: tuple[str, ...] = ("BTCUSDT", "XRPUSDT"),
    *,
    seed: int = SEED,
    schedule: FaultSchedule | None = None,
) -> Venue:
    """A venue with live ticks whose clock stands at `FLOW_START_MS`."""
    market = OrderFlowMarket(synthetic_market(symbols, seed, START_MS, 3), seed, FLOW_START_MS)
    return build_venue(
        market, derive_keys(seed), now_ms=FLOW_START_MS, speed=0.0, ip_limit=100_000, schedule=schedule
    )


@contextmanager
def flow_testnet(*args: Any, **kwargs: Any) -> Iterator[RunningTestnet]:
    with serve(flow_venue(*args, **kwargs)) as testnet:
        yield testnet
