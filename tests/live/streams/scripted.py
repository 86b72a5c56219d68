"""A venue of a few lines with real sockets on loopback, driven step by step by a test."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

KEY, SECRET = "key-of-the-test", "secret-of-the-test"
SYMBOL = "BTCUSDT"


def eventually(done: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait until `done` is true and return what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = done()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not so after {seconds} s: {done}")


@dataclass
class Script:
    """A symbol's messages, numbered as the venue numbers them."""

    symbol: str = SYMBOL
    update: int = 100
    seq: int = 1000
    trade: int = 0
    mid: float = 100.0
    trades: list[dict[str, Any]] = field(default_factory=list)
    start_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    @property
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def snapshot(self, mid: float | None = None) -> dict[str, Any]:
        self.mid = mid or self.mid
        self.seq += 1
        bids = [[f"{self.mid - 0.5 - k:.1f}", "5"] for k in range(10)]
        asks = [[f"{self.mid + 0.5 + k:.1f}", "5"] for k in range(10)]
        return self._book("snapshot", bids, asks)

    def delta(
        self, bids: list[list[str]] | None = None, asks: list[list[str]] | None = None
    ) -> dict[str, Any]:
        self.update += 1
        self.seq += 1
        return self._book("delta", bids or [], asks or [])

    def _book(self, kind: str, bids: Any, asks: Any) -> dict[str, Any]:
        data = {"s": self.symbol, "b": bids, "a": asks, "u": self.update, "seq": self.seq}
        topic = f"orderbook.50.{self.symbol}"
        return {"topic": topic, "type": kind, "ts": self.now_ms, "data": data, "cts": self.now_ms}

    def print_trade(self, size: str = "1", side: str = "Buy", at_ms: int | None = None) -> dict[str, Any]:
        """Make a trade; it can also be read by REST."""
        self.trade += 1
        row = {
            "T": at_ms or self.now_ms,
            "s": self.symbol,
            "S": side,
            "v": size,
            "p": f"{self.mid:.1f}",
            "i": f"trade-{self.trade}",
            "BT": False,
            "seq": self.seq,
        }
        self.trades.append(row)
        body = {"topic": f"publicTrade.{self.symbol}", "type": "snapshot", "ts": row["T"], "data": [row]}
        return body

    def ticker(self, kind: str = "delta", **fields: str) -> dict[str, Any]:
        whole = {
            "lastPrice": f"{self.mid}",
            "markPrice": f"{self.mid}",
            "indexPrice": f"{self.mid}",
            "bid1Price": f"{self.mid - 0.5}",
            "bid1Size": "5",
            "ask1Price": f"{self.mid + 0.5}",
            "ask1Size": "5",
            "fundingRate": "0.0001",
            "nextFundingTime": str((self.now_ms // 28_800_000 + 1) * 28_800_000),
            "fundingIntervalHour": "8",
            "openInterest": "1000",
        }
        data = {"symbol": self.symbol, **(whole if kind == "snapshot" else {}), **fields}
        return {
            "topic": f"tickers.{self.symbol}",
            "type": kind,
            "ts": self.now_ms,
            "cs": self.seq,
            "data": data,
        }


class ScriptedVenue:
    """REST and the three sockets of a venue; attributes steer it, `push` sends."""

    def __init__(self) -> None:
        self.scripts = {SYMBOL: Script()}
        self.subscribed: list[str] = []
        self.connections = 0
        self.accept = True  # False: connections are refused
        self.answers_subscriptions = True
        self.begins_with_snapshots = True
        self.rest_fails = False
        self.recent_limit = 1000
        self.orders: list[dict[str, Any]] = []
        self.reply_to_order: Callable[[dict[str, Any]], dict[str, Any] | str | None] = acknowledge
        self.sign_in_succeeds = True
        self._sockets: dict[str, list[web.WebSocketResponse]] = {"public": [], "private": [], "trade": []}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()
        self.port = 0

    # --- steering, from the test's thread

    @property
    def script(self) -> Script:
        return self.scripts[SYMBOL]

    def url(self, kind: str) -> str:
        paths = {"public": "public/linear", "private": "private", "trade": "trade"}
        return f"ws://127.0.0.1:{self.port}/v5/{paths[kind]}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def push(self, message: dict[str, Any] | bytes, kind: str = "public") -> None:
        text = message.decode("utf-8", "replace") if isinstance(message, bytes) else json.dumps(message)
        self._do(self._push(kind, text))

    def drop(self, kind: str = "public") -> None:
        """Cut every connection of a kind without a closing frame."""
        self._do(self._drop(kind))

    def say_goodbye(self, kind: str = "public") -> None:
        self._do(self._close_politely(kind))

    def open_sockets(self, kind: str = "public") -> int:
        return sum(not socket.closed for socket in self._sockets[kind])

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        for kind in self._sockets:
            self.drop(kind)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # --- the server

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        for path in ("/v5/public/linear", "/v5/private", "/v5/trade"):
            app.router.add_get(path, self._socket)
        app.router.add_get("/v5/market/recent-trade", self._recent)
        app.router.add_get("/v5/market/tickers", self._tickers)
        app.router.add_get("/v5/market/instruments-info", self._instruments)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    async def _push(self, kind: str, text: str) -> None:
        for socket in self._sockets[kind]:
            if not socket.closed:
                await socket.send_str(text)

    async def _drop(self, kind: str) -> None:
        for socket in self._sockets[kind]:
            transport = socket._req.transport if socket._req is not None else None
            if transport is not None:
                transport.abort()
        self._sockets[kind].clear()

    async def _close_politely(self, kind: str) -> None:
        sockets, self._sockets[kind] = self._sockets[kind], []
        for socket in sockets:
            await socket.close(code=1000)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        kind = request.path.split("/")[2]
        if not self.accept:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self._sockets[kind].append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                with suppress(ConnectionError):
                    await self._on_request(socket, kind, json.loads(message.data))
        return socket

    async def _on_request(self, socket: web.WebSocketResponse, kind: str, body: dict[str, Any]) -> None:
        op = body["op"]
        if op == "ping":
            pong = {"success": True, "ret_msg": "pong", "op": "ping"}
            await socket.send_json(pong if kind == "public" else {"op": "pong", "retCode": 0})
        elif op == "auth":
            await socket.send_json(self._signed_in(kind, body))
        elif op in ("subscribe", "unsubscribe"):
            if not self.answers_subscriptions:
                return
            await socket.send_json({"success": True, "ret_msg": "", "op": op, "req_id": body.get("req_id")})
            if op == "subscribe":
                self.subscribed += body["args"]
                await self._begin(socket, body["args"])
        else:
            self.orders.append(body)
            reply = self.reply_to_order(body)
            if reply == "drop":
                await self._drop("trade")
            elif reply == "garbage":
                await socket.send_str('{"retCode":0,"reqId":"tr')
            elif isinstance(reply, dict):
                await socket.send_json(reply)

    def _signed_in(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        key, expires, signature = body["args"]
        text = f"GET/realtime{expires}".encode()
        right = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest() == signature
        fine = key == KEY and right and expires > time.time() * 1000 and self.sign_in_succeeds
        if kind == "trade":
            return {"retCode": 0 if fine else 10004, "retMsg": "OK", "op": "auth", "connId": "c"}
        return {"success": fine, "ret_msg": "", "op": "auth", "conn_id": "c"}

    async def _begin(self, socket: web.WebSocketResponse, topics: list[str]) -> None:
        if not self.begins_with_snapshots:
            return
        for topic in topics:
            script = self.scripts.get(topic.rpartition(".")[2])
            if script is not None and topic.startswith("orderbook."):
                await socket.send_json(script.snapshot())
            elif script is not None and topic.startswith("tickers."):
                await socket.send_json(script.ticker("snapshot"))

    async def _recent(self, request: web.Request) -> web.Response:
        if self.rest_fails:
            return web.Response(status=502)
        rows = [
            {
                "execId": row["i"],
                "symbol": row["s"],
                "price": row["p"],
                "size": row["v"],
                "side": row["S"],
                "time": str(row["T"]),
                "isBlockTrade": row["BT"],
                "seq": str(row["seq"]),
            }
            for row in self.scripts[request.query["symbol"]].trades[-self.recent_limit :]
        ]
        return _envelope({"category": "linear", "list": rows[::-1]})

    async def _tickers(self, _request: web.Request) -> web.Response:
        rows = [script.ticker("snapshot")["data"] for script in self.scripts.values()]
        return _envelope({"category": "linear", "list": rows})

    async def _instruments(self, request: web.Request) -> web.Response:
        row = {
            "symbol": request.query["symbol"],
            "contractType": "LinearPerpetual",
            "status": "Trading",
            "baseCoin": "BTC",
            "quoteCoin": "USDT",
            "settleCoin": "USDT",
            "launchTime": "1584230400000",
            "priceScale": "2",
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
            "priceFilter": {"minPrice": "0.1", "maxPrice": "1000000", "tickSize": "0.1"},
            "lotSizeFilter": {
                "maxOrderQty": "1000",
                "minOrderQty": "0.001",
                "qtyStep": "0.001",
                "minNotionalValue": "5",
            },
            "fundingInterval": 480,
        }
        return _envelope({"category": "linear", "list": [row], "nextPageCursor": ""})


def acknowledge(body: dict[str, Any]) -> dict[str, Any]:
    """Answer an order as the venue does."""
    data = {"orderId": "o1", "orderLinkId": body["args"][0]["orderLinkId"]}
    return {
        "reqId": body["reqId"],
        "retCode": 0,
        "retMsg": "OK",
        "op": body["op"],
        "data": data,
        "connId": "c",
    }


def _envelope(result: Any) -> web.Response:
    return web.json_response(
        {"retCode": 0, "retMsg": "OK", "result": result, "time": time.time_ns() // 1_000_000}
    )


@contextmanager
def scripted_venue() -> Iterator[ScriptedVenue]:
    venue = ScriptedVenue()
    venue.start()
    try:
        yield venue
    finally:
        venue.stop()
