"""One WebSocket that is kept up: connect, hand out every message, ping, notice silence, connect again.

Callbacks run in the event loop, one message after the other; an exception in one is logged and counted and ends the
connection, which then comes back: a bug may not silence a stream for good. Sent frames are not queued across a
reconnect. What does not belong here: what messages mean, subscriptions, signatures.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol
from urllib.parse import urlsplit

import aiohttp

from hean_live.venues.streams.backoff import Backoff

if TYPE_CHECKING:
    Socket = aiohttp.ClientWebSocketResponse[Literal[False]]  # text as bytes

log = logging.getLogger(__name__)

PING: Final = b'{"op":"ping"}'
_LONGEST_FRAME: Final = 8 << 20
_CONNECT_S: Final = 10.0
_CLOSE_S: Final = 1.0
_IN_A_ROW: Final = 64
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Listener(Protocol):
    """What is told of a connection; times are of its clock."""

    def on_open(self) -> None:
        """Take note that frames may be sent."""

    def on_message(self, payload: bytes, received_ns: int) -> None:
        """Take a text message."""

    def on_close(self, reason: str) -> None:
        """Take note that the connection is gone, or could not be made; it is tried again."""


@dataclass
class ConnectionCounts:
    """What has happened to a connection so far."""

    messages: int = 0
    bytes: int = 0
    opened: int = 0
    failed: int = 0
    callback_errors: int = 0
    not_sent: int = 0


class Connection:
    """Keeps one socket up.

    Parameters
    ----------
    url : str
    listener : Listener
    ping_every_s : float
        Between pings; the venue drops a connection that is silent for ten minutes, and advises 20 s.
    mute_after_s : float
        Without a single message (a pong is one) for so long, the connection is given up.
    backoff : Backoff, optional
    clock_ns : callable
        Receive times.

    """

    def __init__(
        self,
        url: str,
        listener: Listener,
        *,
        ping_every_s: float = 20.0,
        mute_after_s: float = 40.0,
        backoff: Backoff | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.url = url
        self.counts = ConnectionCounts()
        self._listener = listener
        self._ping_every_s = ping_every_s
        self._mute_after_s = mute_after_s
        self._backoff = backoff or Backoff()
        self._clock_ns = clock_ns
        self._socket: Socket | None = None
        self._heard_at = 0.0
        self._reason = ""
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent."""
        return self._socket is not None and not self._socket.closed

    def send(self, text: bytes) -> bool:
        """Write a text frame now; returns False, counted, if it was not written.

        The frame is with the operating system when this returns, unless the peer reads too slowly: then it waits in
        memory, and a peer that stays so is given up as mute.
        """
        socket = self._socket
        if socket is None or socket.closed:
            self.counts.not_sent += 1
            return False
        sending = socket.send_frame(text, aiohttp.WSMsgType.TEXT)
        try:
            # Stepped by hand: a task would only start with the next round of the loop. The frame is written in the
            # first step; what a second one would do is wait for a slow peer.
            sending.send(None)
        except StopIteration:
            return True
        except (aiohttp.ClientError, OSError) as error:
            self.counts.not_sent += 1
            log.debug("%s: a frame could not be sent (%s)", self.url, type(error).__name__)
            return False
        sending.close()
        return True

    def restart(self, reason: str) -> None:
        """Give the connection up; it comes back at once."""
        if self._socket is not None:
            self._reason = self._reason or reason
            task = asyncio.ensure_future(self._close(self._socket))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def run(self) -> None:
        """Keep the connection up until cancelled."""
        trust = urlsplit(self.url).hostname not in _LOOPBACK  # a proxy cannot reach loopback
        async with aiohttp.ClientSession(trust_env=trust) as session:
            while True:
                started = time.monotonic()
                reason = await self._once(session)
                self._backoff.lasted(time.monotonic() - started)
                self._tell_closed(reason)
                await asyncio.sleep(self._backoff.next_s())

    async def _once(self, session: aiohttp.ClientSession) -> str:
        """Connect, read to the end, and return why it ended."""
        self._reason = ""
        try:
            async with asyncio.timeout(_CONNECT_S):
                socket = await session.ws_connect(
                    self.url,
                    compress=0,
                    autoping=True,
                    max_msg_size=_LONGEST_FRAME,
                    decode_text=False,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
                )
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self.counts.failed += 1
            return f"no connection to {self.url} ({type(error).__name__})"
        self._socket = socket
        self.counts.opened += 1
        self._heard_at = time.monotonic()
        keeper = asyncio.ensure_future(self._keep_alive(socket))
        try:
            return await self._read(socket)
        finally:
            self._socket = None
            keeper.cancel()
            await self._close(socket)

    async def _read(self, socket: Socket) -> str:
        counts, listener, clock_ns = self.counts, self._listener, self._clock_ns
        in_a_row = 0
        try:
            listener.on_open()
            while True:
                message = await socket.receive()
                received_ns = clock_ns()
                in_a_row += 1
                if in_a_row >= _IN_A_ROW:
                    # Messages already there are received without giving way: timers and other sockets need a turn.
                    in_a_row = 0
                    await asyncio.sleep(0)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    if message.type is aiohttp.WSMsgType.BINARY:
                        continue
                    return self._reason or f"closed ({message.type.name}, code {socket.close_code})"
                counts.messages += 1
                counts.bytes += len(message.data)
                self._heard_at = time.monotonic()
                listener.on_message(message.data, received_ns)
        except (aiohttp.ClientError, OSError) as error:
            return f"broken ({type(error).__name__})"
        except Exception as error:  # the outermost frame of a stream: it must come back
            counts.callback_errors += 1
            log.exception("%s: a message could not be taken", self.url)
            return f"our own error ({type(error).__name__}: {error})"

    async def _keep_alive(self, socket: Socket) -> None:
        pinged = time.monotonic()
        while True:
            await asyncio.sleep(min(1.0, self._ping_every_s / 4, self._mute_after_s / 4))
            now = time.monotonic()
            if now - self._heard_at > self._mute_after_s:
                self._reason = f"mute for {self._mute_after_s:g} s"
                await self._close(socket)
                return
            if now - pinged >= self._ping_every_s:
                pinged = now
                self.send(PING)

    async def _close(self, socket: Socket) -> None:
        try:
            await socket.close()
        except (aiohttp.ClientError, OSError) as error:
            log.debug("%s: closing failed (%s)", self.url, type(error).__name__)

    def _tell_closed(self, reason: str) -> None:
        try:
            self._listener.on_close(reason)
        except Exception:  # as in _read
            self.counts.callback_errors += 1
            log.exception("%s: the end of a connection could not be taken", self.url)
