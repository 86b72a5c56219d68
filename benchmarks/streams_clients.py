"""The candidates of the stream benchmark, each run in a process of its own: latency to the callback, and processor time.

    python -m benchmarks.streams_clients CANDIDATE PORT MESSAGES

Every candidate's callback does the same: read the message's number, note the time. pybit's is handed a parsed
dictionary, because it parses every message on its own reader thread; the others hand out the bytes.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import threading
import time
from array import array
from typing import Any

from benchmarks.streams_feed import number_of

SUBSCRIBE = json.dumps({"op": "subscribe", "args": ["publicTrade.BTCUSDT"]})
_TIMEOUT_S = 120.0


class Arrivals:
    """When each message reached the callback, monotonic ns; 0 for those that did not."""

    def __init__(self, messages: int) -> None:
        self.at = array("q", bytes(8 * messages))
        self.processor_s = 0.0

    def took(self, payload: bytes) -> None:
        """Note a message."""
        now = time.monotonic_ns()
        k = number_of(payload)
        if k >= 0:
            self.at[k] = now
            if k == 0:
                self.processor_s = -processor_s()

    def ended(self) -> None:
        """Close the account of processor time."""
        self.processor_s += processor_s()


def processor_s() -> float:
    """Return the process's processor time so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def with_aiohttp(url: str, arrivals: Arrivals) -> None:
    """Read with aiohttp."""
    import aiohttp

    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=0) as socket:
        await socket.send_str(SUBSCRIBE)
        async for message in socket:
            arrivals.took(message.data.encode() if isinstance(message.data, str) else message.data)


async def with_websockets(url: str, arrivals: Arrivals) -> None:
    """Read with websockets, its compression off, frames as bytes."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    async with connect(url, compression=None, proxy=None, max_queue=None) as socket:
        await socket.send(SUBSCRIBE)
        try:
            while True:
                arrivals.took(await socket.recv(decode=False))
        except ConnectionClosed:
            return


async def with_picows(url: str, arrivals: Arrivals) -> None:
    """Read with picows."""
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

    class Listener(WSListener):  # type: ignore[misc]
        def on_ws_connected(self, transport: WSTransport) -> None:
            transport.send(WSMsgType.TEXT, SUBSCRIBE.encode())

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if frame.msg_type == WSMsgType.TEXT:
                arrivals.took(frame.get_payload_as_bytes())
            elif frame.msg_type == WSMsgType.CLOSE:
                transport.disconnect()

    transport, _ = await ws_connect(Listener, url)
    await transport.wait_disconnected()


def with_pybit(url: str, arrivals: Arrivals) -> None:
    """Read with pybit's own socket layer, its reader thread and its parsing."""
    import pybit.unified_trading as pybit

    def took(message: dict[str, Any]) -> None:
        now = time.monotonic_ns()
        k = message["k"]
        arrivals.at[k] = now
        if k == 0:
            arrivals.processor_s = -processor_s()
        if k == len(arrivals.at) - 1:
            done.set()

    done = threading.Event()
    pybit.PUBLIC_WSS = url
    socket = pybit.WebSocket(testnet=False, channel_type="linear")
    socket.trade_stream(symbol="BTCUSDT", callback=took)
    done.wait(_TIMEOUT_S)


ASYNC = {"aiohttp": with_aiohttp, "websockets": with_websockets, "picows": with_picows}
CANDIDATES = (*ASYNC, "pybit")


def main() -> None:
    """Run one candidate and print arrivals and processor time as JSON."""
    name, port, messages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    url, arrivals = f"ws://127.0.0.1:{port}/v5/public/linear", Arrivals(messages)
    if name == "pybit":
        with_pybit(url, arrivals)
    else:
        asyncio.run(asyncio.wait_for(ASYNC[name](url, arrivals), _TIMEOUT_S))
    arrivals.ended()
    sys.stdout.write(json.dumps({"at": arrivals.at.tolist(), "processor_s": arrivals.processor_s}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
