"""A server that answers a script byte by byte: for faults below HTTP, where even the local testnet is too well behaved.

Each step answers one request; the last step is repeated. What is asked is kept verbatim in `asked`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Step:
    """One answer: `cut` sends only so many bytes of the promised body, `drop` closes without answering."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    drop: bool = False


def envelope(result: object, code: int = 0, time_ms: int = 1_700_000_000_000, message: str = "OK") -> bytes:
    content = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": time_ms}
    return json.dumps(content).encode()


@dataclass
class Fake:
    base_url: str
    asked: list[str]


@contextmanager
def fake_bybit(*steps: Step) -> Iterator[Fake]:
    asked: list[str] = []
    script = list(steps)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # one packet per answer, or the kernel waits 40 ms for each

        def do_GET(self) -> None:
            with lock:
                asked.append(self.path)
                step = script.pop(0) if len(script) > 1 else script[0]
            if step.drop:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(step.status)
            for name, value in step.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(step.body)))
            self.end_headers()
            self.wfile.write(step.body if step.cut is None else step.body[: step.cut])
            if step.cut is not None:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Fake(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
