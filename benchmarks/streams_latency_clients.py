"""Three clients of the latency benchmark, each a process of its own.

    python -m benchmarks.streams_latency_clients hean PORTS FOLDER fsync|os
    python -m benchmarks.streams_latency_clients pybit PORTS FOLDER SECONDS
    python -m benchmarks.streams_latency_clients bare PORTS FOLDER -

`hean`: public stream → parser → book and features of all symbols → S5 at every tick → the order gate (R1) → the journal
→ the trade socket, all in the streams' loop. `pybit`: its own socket layer, which parses and merges books; the callback
answers the whales through `WebSocketTrading`, without features, strategy, risk or journal. `bare`: two blocking
sockets and a search for a whale's size, which is what this machine takes to wake a process and to send. nautilus_trader is
in `streams_latency_nautilus`, as it runs in an environment of its own. Prints which message made which order, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

from benchmarks.streams_feed import ask_for_upgrade, masked_frame, number_of, split_frame  # noqa: E402
from benchmarks.streams_market import DEPTH, SYMBOLS, TICK, WHALE  # noqa: E402
from hean_live.execution.decision import OrderDecision, request_of, row_of  # noqa: E402
from hean_live.execution.journal import Journal  # noqa: E402
from hean_live.execution.order_gate import BooksNow, OrderGate  # noqa: E402
from hean_live.execution.reconcile import Books  # noqa: E402
from hean_live.execution.records import CANCELLED  # noqa: E402
from hean_live.market.hub import MarketHub  # noqa: E402
from hean_live.market.markets import Markets  # noqa: E402
from hean_live.venues.order_fields import create_fields  # noqa: E402
from hean_live.venues.streams.public import PublicStream  # noqa: E402
from hean_live.venues.streams.topics import Silence, market_topics  # noqa: E402
from hean_live.venues.streams.trade import CREATE, TradeSocket  # noqa: E402
from models.portfolio.limits import Limits  # noqa: E402
from models.strategies import impact_reversion as s5  # noqa: E402

_STEP = s5.step
_QTY, _BELOW, _ABOVE = Decimal("0.5"), Decimal("0.99"), Decimal("1.01")
_EQUITY = Decimal(1_000_000)
STAGES = ("tick", "strategy", "gate", "journal", "send")
_OVER_S = 5.0  # of silence; the feed waits for a second after the last subscription


@njit(cache=True)
def entries_of(symbols: Any, params: Any, states: Any, places: Any) -> int:
    """Step S5 for every symbol, write down who wants to enter, and say how many: one call, as each costs microseconds."""
    count = 0
    for place in range(len(symbols)):
        if _STEP(symbols[place].market, params, states[place]).action == 1:
            places[count] = place
            count += 1
    return count


class Lane:
    """From a tick to an order: S5, the gate, the journal, the trade socket."""

    def __init__(self, folder: Path, durability: str) -> None:
        self.params = s5.check_params(s5.Params())
        self.states = np.array([s5.new_state() for _ in SYMBOLS], dtype=s5.STATE)
        self._places = np.zeros(len(SYMBOLS), dtype=np.int64)
        name = f"journal-{durability}-{time.time_ns()}.sqlite"
        self.journal = Journal(folder / name, fsync=durability == "fsync")
        self.view = SimpleNamespace(now_ns=0, tickers_at_ns=0, quotes={}, clock_offset_ms=0.0)
        books = Books({}, {}, {}, _EQUITY, _EQUITY, 0)
        limits = Limits(total_exposure=Decimal(1000), symbol_exposure=Decimal(1000))
        self.gate = OrderGate(self.journal, limits, Decimal(3), self.view, lambda: BooksNow(books, ""))
        self.made: dict[str, int] = {}
        self.denied: list[str] = []
        self.payload = b""
        self.trade: Any = None
        self.began_ns = 0
        self.stages: dict[str, list[int]] = {name: [] for name in STAGES}

    def watch(self, markets: Markets) -> None:
        """Look at these markets; what is compiled is compiled before it counts."""
        self.markets = markets
        own = markets.state["market"]
        self._bids, self._asks, self._sides = own["best_bid"], own["best_ask"], self.states["side"]
        entries_of(markets.state, self.params, self.states, self._places)

    def on_tick(self, _places: Sequence[int], at_ns: int) -> None:
        """Step S5 and carry entries out."""
        ticked_ns = time.perf_counter_ns()
        count = entries_of(self.markets.state, self.params, self.states, self._places)
        for place in self._places[:count].tolist():
            self.enter(place, at_ns, (self.began_ns, ticked_ns, time.perf_counter_ns()))

    def enter(self, place: int, at_ns: int, stamps: tuple[int, int, int]) -> None:
        """Send one order, durable before it is on the wire."""
        symbol, side = SYMBOLS[place], int(self._sides[place])
        bid, ask = Decimal(f"{self._bids[place]:.2f}"), Decimal(f"{self._asks[place]:.2f}")
        self.view.now_ns = self.view.tickers_at_ns = at_ns
        self.view.quotes[symbol] = Quote(bid, ask, at_ns)
        decided_ns = at_ns // 1_000_000_000 * 1_000_000_000
        price = ask if side > 0 else bid
        stop = price * (_BELOW if side > 0 else _ABOVE)
        decision = OrderDecision("S5", symbol, decided_ns, "e0", side, _QTY, price, "IOC", False, stop)
        breach = self.gate(decision)
        if breach is not None:
            self.denied.append(f"{breach.reason}: {breach.arithmetic}")
            return
        judged_ns = time.perf_counter_ns()
        row = self.journal.intend(row_of(decision))
        kept_ns = time.perf_counter_ns()
        self.trade.send(CREATE, create_fields(request_of(decision)), lambda _reply: None)
        times = (*stamps, judged_ns, kept_ns, time.perf_counter_ns())
        for name, (begun_ns, ended_ns) in zip(STAGES, pairwise(times), strict=True):
            self.stages[name].append(ended_ns - begun_ns)
        self.made[decision.client_id] = number_of(self.payload)
        # Off the measured way: the intent goes into the tables and the order ends, so that exposure does not grow for ever.
        asyncio.get_running_loop().call_later(0.1, self.journal.put_order, replace(row, state=CANCELLED))


class Quote:
    """What the gate asks of a quote."""

    def __init__(self, bid: Decimal, ask: Decimal, at_ns: int) -> None:
        self.bid, self.ask, self.at_ns = bid, ask, at_ns
        self.mark = (bid + ask) / 2

    def across(self, side: int) -> Decimal:
        """Return the price a taker gets."""
        return self.ask if side > 0 else self.bid


async def with_hean(ports: Mapping[str, int], folder: Path, durability: str) -> dict[str, Any]:
    """Run the executor's own parts."""

    class Hub(MarketHub):
        """Remembers the message at hand, for its number."""

        def on_data(self, topic: str, payload: bytes, received_ns: int) -> None:
            lane.payload, lane.began_ns = payload, time.perf_counter_ns()
            super().on_data(topic, payload, received_ns)

        def on_close(self, reason: str, closed_ns: int) -> None:
            super().on_close(reason, closed_ns)
            gone.set()

    async def no_trades(_symbol: str) -> tuple[object, int]:
        raise NotImplementedError

    gone = asyncio.Event()
    lane = Lane(folder, durability)
    markets = Markets(SYMBOLS, [TICK] * len(SYMBOLS), on_tick=lane.on_tick)
    lane.watch(markets)
    hub = Hub(markets, DEPTH, no_trades)
    topics = market_topics(SYMBOLS, DEPTH, Silence(0, 0, 0))
    stream = PublicStream(f"ws://127.0.0.1:{ports['market']}/v5/public/linear", topics, hub)
    hub.resubscribe = stream.resubscribe
    lane.trade = TradeSocket(f"ws://127.0.0.1:{ports['trade']}/v5/trade", "key", "secret")
    tasks = [asyncio.ensure_future(lane.trade.run()), asyncio.ensure_future(stream.run())]
    await gone.wait()
    for task in tasks:
        task.cancel()
    return {
        "made": lane.made,
        "denied": lane.denied[:3],
        "stages": lane.stages,
        "counts": vars(markets.counts),
    }


def with_pybit(ports: Mapping[str, int], seconds: float) -> dict[str, Any]:
    """Run pybit's socket layer."""
    import pybit._websocket_trading as trading
    import pybit.unified_trading as pybit

    pybit.PUBLIC_WSS = f"ws://127.0.0.1:{ports['market']}/v5/public/{{CHANNEL_TYPE}}"
    trading.TRADE_WSS = f"ws://127.0.0.1:{ports['trade']}/v5/trade"
    made: dict[str, int] = {}
    orders = pybit.WebSocketTrading(testnet=False, api_key="key", api_secret="secret")
    market = pybit.WebSocket(testnet=False, channel_type="linear")

    def on_trade(message: dict[str, Any]) -> None:
        trade = message["data"][0]
        if trade["v"] != WHALE:
            return
        link = f"k{message['k']}"
        made[link] = message["k"]
        orders.place_order(
            lambda _reply: None,
            category="linear",
            symbol=trade["s"],
            side="Sell" if trade["S"] == "Buy" else "Buy",
            orderType="Limit",
            qty="0.5",
            price=trade["p"],
            timeInForce="IOC",
            orderLinkId=link,
            reduceOnly=False,
            positionIdx=0,
        )

    market.orderbook_stream(DEPTH, list(SYMBOLS), lambda _book: None)
    market.trade_stream(list(SYMBOLS), on_trade)
    time.sleep(seconds + 4.0)
    return {"made": made}


def with_bare(ports: Mapping[str, int]) -> dict[str, Any]:
    """Answer whales with nothing but two sockets: what the machine itself takes."""
    market, trade = (_open(ports[name]) for name in ("market", "trade"))
    topics = [f"publicTrade.{symbol}" for symbol in SYMBOLS]
    market.sendall(masked_frame(json.dumps({"op": "subscribe", "args": topics}).encode()))
    made: dict[str, int] = {}
    data, whale = b"", f'"v":"{WHALE}"'.encode()
    market.settimeout(_OVER_S)
    while block := _more(market):
        data += block
        while True:
            payload, data = split_frame(data)
            if payload is None:
                break
            if whale in payload:
                k = number_of(payload)
                order = {"op": "order.create", "reqId": "", "args": [{"orderLinkId": f"k{k}"}]}
                trade.sendall(masked_frame(json.dumps(order).encode()))
                made[f"k{k}"] = k
    return {"made": made}


def _more(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except TimeoutError:  # the feed has said all it had to say
        return b""


def _open(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ask_for_upgrade(connection)
    return connection


def main() -> None:
    """Run one client and print what it made."""
    name, ports, folder, how = sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    if name == "hean":
        result = asyncio.run(with_hean(ports, folder, how))
    else:
        result = with_bare(ports) if name == "bare" else with_pybit(ports, float(how))
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # pybit's threads would keep the process alive


if __name__ == "__main__":
    main()
