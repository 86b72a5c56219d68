"""Mutated venue messages through the real clients, parsers, books and engine: nothing dies of them, nothing trades on them.

A short run on the local testnet records what the venue really says while a position is held; the messages are then served
again from memory, one of them bent at a time: bytes flipped, cut, doubled; values of other types, huge, negative, NaN, nested,
absent. Between any two bad messages the good ones are served.
"""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from benchmarks.survive_trader import assemble
from hean_live.app.runner import Runner
from hean_live.app.state import HOLDING
from hean_live.market.ticker_board import TickerBoard
from hean_live.simulation.process import ENTRY_BEFORE_S
from hean_live.venues.streams.private import PrivateStream
from models.errors import HeanError

SYMBOLS = ("ETHUSDT", "SOLUSDT")
INTERVAL_MS = 8 * 3_600_000
_POLL_EVERY = 40
_GIVEN_UP_S = 5.5
_HUGE = ("1e400", "9" * 400, 10**400, -(10**30), 1e308, "1E+999999999", "-0", "1e-400", 2**63, 2**64)
_ODD = (
    None,
    True,
    False,
    [],
    {},
    "",
    " ",
    "NaN",
    "Infinity",
    "null",
    "\ud800",
    "\x00",
    0,
    -1,
    1.5,
    "Buy",
    [[]],
    {"a": {}},
)


class Replay(BaseAdapter):
    """Serves recorded bodies by path, and a bent one where told to."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        super().__init__()
        self._bodies = bodies
        self.bad: dict[str, bytes] = {}
        self.created: list[bytes] = []

    def send(self, request: Any, **_options: Any) -> requests.Response:
        """Answer one request."""
        path = urlsplit(request.url).path
        if path == "/v5/order/create":
            self.created.append(request.body)
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.url = request.url
        response._content = self.bad.pop(path, None) or self._bodies.get(path, b'{"retCode":0,"result":{}}')
        response.headers["Content-Type"] = "application/json"
        return response

    def close(self) -> None:
        """Nothing to close."""


def record(home: Path, seed: int) -> tuple[Runner, dict[str, bytes]]:
    """Trade on a local testnet until a position is held; returns the executor and what it was told last, by path."""
    command = [
        sys.executable,
        "-m",
        "hean_live.cli",
        "testnet",
        "--port",
        "0",
        "--speed",
        "20",
        "--equity",
        "100000",
    ]
    command += ["--symbols", ",".join(SYMBOLS), "--days", "3", "--extra-days", "2", "--seed", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    bodies: dict[str, bytes] = {}

    def keep(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        bodies[urlsplit(response.url).path] = response.content

    try:
        ready = json.loads(process.stdout.readline())
        url = ready["base_url"]
        now = requests.get(f"{url}/testnet/state", timeout=10).json()["market_time_ms"]
        start = now // INTERVAL_MS * INTERVAL_MS + INTERVAL_MS - (ENTRY_BEFORE_S - 1) * 1000
        requests.post(f"{url}/testnet/clock", json={"now_ms": start}, timeout=10)
        runner = assemble(home, url, ready["api_key"], ready["api_secret"], SYMBOLS)
        for session in sessions(runner):
            session.hooks["response"].append(keep)
        deadline = time.monotonic() + 30
        while not is_holding(runner):
            if time.monotonic() > deadline:
                raise SystemExit("no position was opened on the local testnet within 30 s")
            runner.poll()
            time.sleep(0.05)
        requests.post(f"{url}/testnet/clock", json={"speed": 0}, timeout=10)
        venue = runner._parts.account._venue
        runner._parts.account.ask_soon()
        runner.poll()
        venue.find_order(SYMBOLS[0], "hn-S1-ETHUSDT-1-e9")
        venue.fee_rates()
        venue.key_info()
        runner._parts.feed._orders.clock_offset_ms()
        return runner, bodies
    finally:
        process.kill()
        process.wait(10)


def sessions(runner: Runner) -> list[requests.Session]:
    """Return the HTTP sessions of an executor."""
    return [runner._parts.feed._orders._session, runner._parts.account._venue._http.client]


def is_holding(runner: Runner) -> bool:
    """Whether every campaign holds its position and nothing is under way."""
    campaigns = [state.campaign for state in runner._parts.engine._states.values()]
    return all(campaign is not None and campaign.phase == HOLDING for campaign in campaigns)


class Bender:
    """Bends messages, structure-aware half of the time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def bend(self, body: bytes) -> bytes:
        """Return a bent copy."""
        return self._bend_bytes(body) if self._random.random() < 0.4 else self._bend_tree(body)

    def _bend_bytes(self, body: bytes) -> bytes:
        data = bytearray(body)
        at = self._random.randrange(len(data))
        how = self._random.randrange(5)
        if how == 0:
            data[at] ^= 1 << self._random.randrange(8)
        elif how == 1:
            del data[at:]
        elif how == 2:
            data[at:at] = data[at : at + self._random.randrange(1, 60)]
        elif how == 3:
            del data[at : at + self._random.randrange(1, 20)]
        else:
            data[at] = self._random.randrange(256)
        return bytes(data)

    def _bend_tree(self, body: bytes) -> bytes:
        tree = json.loads(body)
        for _ in range(self._random.choice((1, 1, 1, 3))):
            self._bend_node(tree)
        return json.dumps(tree).encode()

    def _bend_node(self, tree: Any) -> None:
        node = tree
        while True:
            keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                return
            key = self._random.choice(keys)
            child = node[key]
            if isinstance(child, dict | list) and child and self._random.random() < 0.85:
                node = child
                continue
            self._replace(node, key, child)
            return

    def _replace(self, node: Any, key: Any, child: Any) -> None:
        how = self._random.randrange(7)
        if how == 0:
            del node[key]
        elif how == 1:
            node[key] = self._random.choice(_HUGE)
        elif how == 2:
            node[key] = copy.deepcopy(self._random.choice(_ODD))
        elif how == 3 and isinstance(node, list):
            node.append(copy.deepcopy(child))
        elif how == 4:
            node[key] = [child] if self._random.random() < 0.5 else {"nested": child}
        elif how == 5 and isinstance(child, str) and child:
            node[key] = child[::-1] if self._random.random() < 0.5 else "-" + child
        else:
            node[key] = json.loads("[" * 90 + "]" * 90)


class Messages:
    """The offline world: one executor that holds a position, and everything its venue says."""

    def __init__(self, runner: Runner, bodies: dict[str, bytes], seed: int, fixtures: list[bytes]) -> None:
        self._runner = runner
        self._random = random.Random(seed)
        self._bender = Bender(seed)
        self._bodies = {path: body for path, body in bodies.items() if path.startswith("/v5/")}
        self._replay = Replay(self._bodies)
        for session in sessions(runner):
            session.mount("http://", self._replay)
            session.hooks["response"].clear()
        self._frames = [*private_frames(bodies), *fixtures]
        self._board = TickerBoard()
        self._told: list[Any] = []
        self._stream = PrivateStream("ws://127.0.0.1:1/", "key", "secret", self._told.append)
        self._calls = self._client_calls()
        self.crashes: Counter[str] = Counter()

    @property
    def created(self) -> int:
        """Orders sent."""
        return len(self._replay.created)

    def run(self, count: int) -> None:
        """Bend and serve `count` messages."""
        for number in range(count):
            kind = self._random.random()
            if number % _POLL_EVERY == 0:
                self._guard("engine", self._poll)
            elif kind < 0.45:
                self._guard("stream", self._stream_message)
            elif kind < 0.6:
                self._guard("tickers stream", self._ticker_message)
            else:
                path, call = self._random.choice(self._calls)
                self._replay.bad[path] = self._bender.bend(self._bodies[path])
                self._guard(path, call)
                self._replay.bad.clear()

    def settle(self) -> None:
        """Let the loop hear good messages alone for as long as it takes to give up what no venue confirms."""
        for _ in range(3):
            self._runner._parts.account._paused_until = 0.0
            self._runner._parts.account.ask_soon()
            self._runner.poll()
            time.sleep(_GIVEN_UP_S / 2)

    def _guard(self, where: str, act: Any) -> None:
        try:
            act()
        except HeanError:
            pass
        except Exception as error:
            self.crashes[f"{where}: {type(error).__name__}: {str(error)[:80]}"] += 1

    def _poll(self) -> None:
        """Let the loop go round with a bad reply somewhere, then with good ones alone."""
        account = self._runner._parts.account
        path = self._random.choice(sorted(self._bodies))
        self._replay.bad[path] = self._bender.bend(self._bodies[path])
        for _ in range(2):
            account._paused_until = 0.0
            account.ask_soon()
            self._runner._parts.feed._offset_due = 0.0
            self._guard(f"engine, {path}", self._runner.poll)
        self._replay.bad.clear()

    def _stream_message(self) -> None:
        self._stream.on_message(self._bender.bend(self._random.choice(self._frames)), time.time_ns())
        events, self._told[:] = list(self._told), []
        self._runner._parts.account.take(events)

    def _ticker_message(self) -> None:
        self._board.take(self._bender.bend(ticker_frame(self._bodies)), time.time_ns())

    def _client_calls(self) -> list[tuple[str, Any]]:
        venue, public = self._runner._parts.account._venue, self._runner._parts.feed._orders
        calls = [
            ("/v5/order/realtime", venue.open_orders),
            ("/v5/order/history", lambda: venue.find_order(SYMBOLS[0], "hn-S1-ETHUSDT-1-e9")),
            ("/v5/execution/list", lambda: venue.new_executions(lambda _exec_id: False)),
            ("/v5/position/list", venue.positions),
            ("/v5/account/wallet-balance", venue.wallet),
            ("/v5/account/fee-rate", venue.fee_rates),
            ("/v5/user/query-api", venue.key_info),
            ("/v5/market/tickers", public.tickers),
            ("/v5/market/time", public.clock_offset_ms),
            ("/v5/market/instruments-info", lambda: public.instruments(SYMBOLS)),
        ]
        return [(path, call) for path, call in calls if path in self._bodies]


def private_frames(bodies: dict[str, bytes]) -> list[bytes]:
    """Make frames of the private stream of the rows the venue listed by REST: their fields are the same."""
    frames = []
    topics = {
        "order": "/v5/order/realtime",
        "execution": "/v5/execution/list",
        "position": "/v5/position/list",
        "wallet": "/v5/account/wallet-balance",
    }
    for topic, path in topics.items():
        rows = json.loads(bodies[path])["result"]["list"] if path in bodies else []
        for row in rows:
            body = {"id": "1", "topic": topic, "creationTime": 1_700_000_000_000, "data": [row]}
            frames.append(json.dumps(body).encode())
    return frames


def ticker_frame(bodies: dict[str, bytes]) -> bytes:
    """Make a frame of the tickers stream of the row the venue listed by REST."""
    row = json.loads(bodies["/v5/market/tickers"])["result"]["list"][0]
    return json.dumps(
        {"topic": f"tickers.{row['symbol']}", "type": "snapshot", "ts": 1, "data": row}
    ).encode()


def fixture_frames(folder: Path) -> list[bytes]:
    """Return recorded frames of the private stream: the files that hold one object with topic and data."""
    frames = []
    for path in sorted(folder.rglob("*.json")) if folder.is_dir() else []:
        try:
            body = json.loads(path.read_text())
        except ValueError:
            continue
        if isinstance(body, dict) and isinstance(body.get("topic"), str) and "data" in body:
            frames.append(json.dumps(body).encode())
    return frames


def survive_messages(count: int, *, seed: int = 1, fixtures: Path | None = None) -> dict[str, Any]:
    """Serve `count` bent messages; returns the counts."""
    with tempfile.TemporaryDirectory(prefix="hean-messages-") as folder:
        runner, bodies = record(Path(folder), seed)
        world = Messages(runner, bodies, seed, fixture_frames(fixtures) if fixtures else [])
        held = dict(runner._parts.account.books.own)
        world.run(count)
        world.settle()
        own = runner._parts.account.books.own
        result = {
            "mutated_messages": count,
            "crashes": sum(world.crashes.values()),
            "orders_from_bad_messages": world.created,
            "position_kept": all(own.get(symbol) == qty for symbol, qty in held.items()),
            "crash_kinds": dict(world.crashes.most_common(20)),
        }
        runner._parts.journal.close()
        return result
