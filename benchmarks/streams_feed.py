"""A bare WebSocket sender for the stream benchmarks, in a process of its own: it costs the client nothing.

It accepts one connection, answers the handshake and the first message as the venue answers a subscription, then
sends messages at a steady rate, several per wake where the rate asks for it, each with its number at the end:
``…,"k":17}``. It notes when each left, by the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import sys
import time
from array import array
from collections.abc import Callable
from contextlib import suppress

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WAKE_S = 0.0005
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def trade_message(k: int) -> bytes:
    """Return a trade as the venue sends it, 0.3 kB."""
    return (
        b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,'
        b'"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af",'
        b'"BT":false,"RPI":false,"seq":1783284617}],"k":%d}' % k
    )


def number_of(payload: bytes) -> int:
    """Return the number at the end of a message, -1 if it has none."""
    at = payload.rfind(b'"k":')
    return int(payload[at + 4 : -1]) if at >= 0 else -1


def frame(payload: bytes, kind: int = TEXT) -> bytes:
    """Return one unmasked frame."""
    size = len(payload)
    head = bytes([0x80 | kind])
    if size < 126:
        return head + bytes([size]) + payload
    if size < 65536:
        return head + b"\x7e" + struct.pack(">H", size) + payload
    return head + b"\x7f" + struct.pack(">Q", size) + payload


def shake_hands(connection: socket.socket) -> None:
    """Answer the client's upgrade request."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    lines = dict(
        line.split(b": ", 1) for line in request.split(b"\r\n") if b": " in line
    )  # names as the client writes them
    key = next(value for name, value in lines.items() if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key.strip() + _MAGIC).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def accept(server: socket.socket) -> socket.socket:
    """Accept one client as a WebSocket."""
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    shake_hands(connection)
    return connection


def ask_for_upgrade(connection: socket.socket) -> None:
    """Ask for a WebSocket and read the answer."""
    connection.sendall(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1)


def masked_frame(payload: bytes) -> bytes:
    """Return one text frame of a client; its mask is of zeros, which leaves the content as it is."""
    plain = frame(payload)
    head = len(plain) - len(payload)
    return plain[:1] + bytes([plain[1] | 0x80]) + plain[2:head] + bytes(4) + payload


def split_frame(data: bytes) -> tuple[bytes | None, bytes]:
    """Split the first unmasked frame off: its content, None if it is not whole yet, and what follows."""
    if len(data) < 4:
        return None, data
    size, head = data[1] & 0x7F, 2
    if size == 126:
        size, head = struct.unpack_from(">H", data, 2)[0], 4
    elif size == 127:
        size, head = struct.unpack_from(">Q", data.ljust(10, b"\0"), 2)[0], 10
    if len(data) < head + size:
        return None, data
    return data[head : head + size], data[head + size :]


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        block = connection.recv(count - len(parts))
        if not block:
            raise ConnectionError("closed")
        parts += block
    return parts


def read_frame(connection: socket.socket) -> tuple[int, bytes]:
    """Read one masked frame: its kind and its content."""
    first, second = _exactly(connection, 2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", _exactly(connection, 2))
    elif size == 127:
        (size,) = struct.unpack(">Q", _exactly(connection, 8))
    mask = _exactly(connection, 4) if second & 0x80 else b"\0\0\0\0"
    masked = _exactly(connection, size)
    plain = int.from_bytes(masked, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return first & 0x0F, plain.to_bytes(size, "big")


def answer_subscription(connection: socket.socket) -> None:
    """Read until the client has subscribed, and say that it worked."""
    while True:
        kind, payload = read_frame(connection)
        if kind == TEXT and json.loads(payload)["op"] == "subscribe":
            reply = {"success": True, "ret_msg": "", "op": "subscribe"}
            connection.sendall(frame(json.dumps(reply).encode()))
            return


def send_paced(
    connection: socket.socket, message: Callable[[int], bytes], rate: int, seconds: float
) -> array[int]:
    """Send `message(k)` at `rate` a second for `seconds`; returns when each left, monotonic ns."""
    total = int(rate * seconds)
    frames = [frame(message(k)) for k in range(total)]
    left = array("q", bytes(8 * total))
    clock, started, k = time.monotonic_ns, time.monotonic(), 0
    while k < total:
        due = min(total, int((time.monotonic() - started) * rate) + 1)
        while k < due:
            left[k] = clock()
            connection.sendall(frames[k])
            k += 1
        time.sleep(WAKE_S)
    return left


def listen() -> socket.socket:
    """Return a listening socket on a free port, its number printed."""
    server = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{server.getsockname()[1]}\n")
    sys.stdout.flush()
    return server


def main() -> None:
    """Serve one client: ``python -m benchmarks.streams_feed RATE SECONDS``; then print when messages left."""
    rate, seconds = int(sys.argv[1]), float(sys.argv[2])
    with listen() as server, accept(server) as connection:
        answer_subscription(connection)
        time.sleep(0.3)
        left = send_paced(connection, trade_message, rate, seconds)
        time.sleep(0.5)
        with suppress(ConnectionError):  # pybit leaves with the last message
            connection.sendall(frame(struct.pack(">H", 1000), CLOSE))
    sys.stdout.write(json.dumps(left.tolist()) + "\n")


if __name__ == "__main__":
    main()
