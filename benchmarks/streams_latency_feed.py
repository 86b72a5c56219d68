"""The venue of the latency benchmark, in a process of its own: market messages out, orders in, both stamped.

    python -m benchmarks.streams_latency_feed RATE SECONDS

prints the ports of the market, the trade and the private socket and of REST, then, when the client has gone, when each
message left and each order arrived (ns of the machine's clock). A message is stamped before it is handed to the operating
system, an order by the operating system when it is on this side's socket: how long this process takes to wake up is not the
client's doing.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from array import array
from contextlib import ExitStack, suppress
from typing import Any

from benchmarks.streams_feed import PING, PONG, TEXT, WAKE_S, accept, frame, read_frame
from benchmarks.streams_latency_account import serve_private, serve_rest
from benchmarks.streams_market import SYMBOLS, Market

_QUIET_S = 1.0  # after the last subscription
_SO_TIMESTAMPNS = 35  # Linux; Python has no name for it


class Feed:
    """One client's market socket and trade socket."""

    def __init__(self, rate: int, seconds: float) -> None:
        self.rate, self.messages = rate, int(rate * seconds)
        self.left = array("q", bytes(8 * self.messages))
        self.arrived: dict[str, int] = {}
        self._subscribed_at = 0.0
        self._sending = threading.Lock()
        market = Market(rate)
        self._frames = [frame(market.snapshot(place, -1)) for place in range(len(SYMBOLS))]
        self._stream = [frame(market.message(k)) for k in range(self.messages)]

    def serve_market(self, connection: socket.socket) -> None:
        """Answer subscriptions, then send everything at its rate."""
        threading.Thread(target=self._answer_market, args=(connection,), daemon=True).start()
        while not self._subscribed_at or time.monotonic() - self._subscribed_at < _QUIET_S:
            time.sleep(0.05)
        for text in self._frames:
            self._send(connection, text)
        time.sleep(0.5)
        clock, started, k = time.time_ns, time.monotonic(), 0
        while k < self.messages:
            due = min(self.messages, int((time.monotonic() - started) * self.rate) + 1)
            while k < due:
                with self._sending:
                    self.left[k] = clock()
                    connection.sendall(self._stream[k])
                k += 1
            time.sleep(WAKE_S)
        time.sleep(1.0)

    def serve_orders_to_the_end(self, server: socket.socket) -> None:
        """Serve orders until the client is gone, however it goes."""
        with suppress(ConnectionError):
            self.serve_orders(server)

    def serve_orders(self, server: socket.socket) -> None:
        """Accept one trade socket, sign it in, and acknowledge its orders."""
        connection = accept(server)
        connection.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        while True:
            first, told, _, _ = connection.recvmsg(1, 256, socket.MSG_PEEK)
            if not first:
                return
            seconds, rest = struct.unpack("qq", told[0][2])
            at = seconds * 1_000_000_000 + rest
            kind, payload = read_frame(connection)
            if kind == PING:
                connection.sendall(frame(payload, PONG))
            if kind != TEXT:
                continue
            body = json.loads(payload)
            if body["op"] == "auth":
                reply: dict[str, Any] = {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c"}
            elif body["op"] == "ping":
                reply = {"retCode": 0, "op": "pong", "data": ["0"]}
            else:
                link = body["args"][0]["orderLinkId"]
                self.arrived[link] = at
                data = {"orderId": link, "orderLinkId": link}
                reply = {"reqId": body["reqId"], "retCode": 0, "retMsg": "OK", "op": body["op"], "data": data}
                reply |= {"retExtInfo": {}, "header": {}, "connId": "c"}
            connection.sendall(frame(json.dumps(reply).encode()))

    def _answer_market(self, connection: socket.socket) -> None:
        while True:
            try:
                kind, payload = read_frame(connection)
            except (ConnectionError, OSError):
                return
            if kind == TEXT and json.loads(payload)["op"] == "subscribe":
                # A venue is some way off; an answer at once comes before pybit has noted what it asked.
                time.sleep(0.05)
                request = json.loads(payload).get("req_id", "")
                reply = {"success": True, "ret_msg": "", "op": "subscribe", "req_id": request}
                self._send(connection, frame(json.dumps(reply).encode()))
                self._subscribed_at = time.monotonic()
            elif kind == PING:
                self._send(connection, frame(payload, PONG))

    def _send(self, connection: socket.socket, text: bytes) -> None:
        with self._sending:
            connection.sendall(text)


def main() -> None:
    """Serve one client and print the stamps."""
    feed = Feed(int(sys.argv[1]), float(sys.argv[2]))
    with ExitStack() as open_:
        market, trade, private = (
            open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)
        )
        servers = {"market": market, "trade": trade, "private": private}
        ports = {name: server.getsockname()[1] for name, server in servers.items()} | {"rest": serve_rest()}
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        threading.Thread(target=feed.serve_orders_to_the_end, args=(trade,), daemon=True).start()
        threading.Thread(target=serve_private, args=(private,), daemon=True).start()
        connection = accept(market)
        with suppress(ConnectionError):  # a client that gave up before the end
            feed.serve_market(connection)
        connection.close()
    sys.stdout.write(json.dumps({"left": feed.left.tolist(), "arrived": feed.arrived}) + "\n")


if __name__ == "__main__":
    main()
