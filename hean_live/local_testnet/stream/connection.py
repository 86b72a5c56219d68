"""One WebSocket connection's way out: latency, faults, and the bytes on the wire.

Frames are written to the transport as they are, encoded once for all connections. Here belongs what happens to a message
between the venue and the wire; who gets it is the hub's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence

from hean_live.local_testnet.fault_schedule import ConnectionFaults, FaultSchedule
from hean_live.local_testnet.faults import Fault
from hean_live.local_testnet.stream.frames import PONG, Outgoing, compact, frame, outgoing
from hean_live.local_testnet.venue import Venue

log = logging.getLogger(__name__)

MOST_WAITING_BYTES = 16 << 20
"""A client that reads so much too slowly is cut off."""
GARBAGE = b'\x00\xff{"topic":NaN,,"data":[['


class Connection:
    """One client.

    Parameters
    ----------
    venue : Venue
    path : str
        Of the socket, for example ``/v5/public/linear``.
    transport : asyncio.Transport

    Attributes
    ----------
    conn_id : str
    topics : set of str
        What it is subscribed to.
    authorised : bool
    last_active : float
        Event loop's time of the last message either way.

    """

    def __init__(self, venue: Venue, path: str, transport: asyncio.Transport) -> None:
        self._venue = venue
        self.path = path
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self.conn_id = f"{secrets.token_hex(10)}-{secrets.token_hex(2)}"
        self.topics: set[str] = set()
        self.authorised = False
        self.last_active = self._loop.time()
        self.restart_books: Callable[[], None] | None = None
        self._seeded: ConnectionFaults | None = None
        self._schedule: FaultSchedule | None = None
        self._muted_until = 0.0
        self._held: Outgoing | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._last_due = 0.0

    @property
    def closing(self) -> bool:
        """Whether the connection is gone or going."""
        return self._transport.is_closing()

    def reply(self, fields: dict[str, object]) -> None:
        """Send a reply to a request."""
        self.send([outgoing("", compact(fields))])

    def pong(self, payload: bytes) -> None:
        """Answer a WebSocket ping frame; a mute connection does so, too."""
        self._write(frame(payload, PONG))

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send messages, in order but for what faults do to them."""
        self.last_active = self._loop.time()
        if self._venue.schedule is not self._schedule:
            self._schedule = self._venue.schedule
            self._seeded = None if self._schedule is None else self._schedule.connection(self.path)
        struck = self._seeded is not None or self._venue.faults.of_messages
        if not struck and self._held is None and self._muted_until == 0.0:
            self._write(b"".join([message.frame for message in messages]))
            return
        for message in messages:
            self._send_one(message)

    def _send_one(self, message: Outgoing) -> None:
        if self._muted_until:
            if self._loop.time() < self._muted_until:
                return
            self._muted_until = 0.0
        fault = self._venue.faults.take_message(self.path, message.topic)
        if fault is None and self._seeded is not None:
            fault = self._seeded.message()
            if fault is not None:
                self._venue.faults.struck.append((f"{self.path} {message.topic}", fault.kind))
        out = message.frame if fault is None else self._strike(message, fault)
        held, self._held = self._held, None
        if fault is not None and fault.kind == "reorder":
            self._held = message
        self._write(out + held.frame if held is not None else out)

    def _strike(self, message: Outgoing, fault: Fault) -> bytes:
        log.info("fault %s strikes %s of %s", fault.kind, message.topic or "a reply", self.path)
        match fault.kind:
            case "double":
                return message.frame * 2
            case "truncate":
                return frame(message.text[: len(message.text) // 2])
            case "garbage":
                return frame(GARBAGE)
            case "delay":
                self._last_due = max(self._last_due, self._loop.time() + fault.seconds)
                return message.frame
            case "mute":
                self._muted_until = self._loop.time() + (fault.seconds or float("inf"))
            case "drop":
                self._put(message.frame[: message.payload + len(message.text) // 2])
                self._transport.close()
            case "restart_books":
                if self.restart_books is not None:
                    self._loop.call_soon(self.restart_books)
                return message.frame
        return b""

    def _write(self, data: bytes) -> None:
        """Put bytes on the wire, now or when it is their time; never before bytes that came earlier."""
        if not data or self._transport.is_closing():
            return
        now = self._loop.time()
        due = max(self._last_due, now + self._venue.latency_out.draw_s())
        if due <= now and not self._waiting:
            self._put(data)
            return
        self._last_due = due
        self._waiting.append((due, data))
        if len(self._waiting) == 1:
            self._loop.call_at(due, self._put_due)

    def _put_due(self) -> None:
        now = self._loop.time() + 0.0005
        while self._waiting and self._waiting[0][0] <= now:
            self._put(self._waiting.popleft()[1])
        if self._waiting:
            self._loop.call_at(self._waiting[0][0], self._put_due)

    def _put(self, data: bytes) -> None:
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MOST_WAITING_BYTES:
            log.warning("%s reads too slowly and is cut off", self.path)
            self._transport.abort()

    def close(self) -> None:
        """End the connection without a farewell."""
        self._transport.close()
