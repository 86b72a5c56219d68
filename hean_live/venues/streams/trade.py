"""Order entry over the venue's trade socket: requests matched to replies by id, and honest about what is not known.

A request is registered before it is sent. A reply decides it; a timeout or a lost connection after sending leaves it
`OrderUnresolved`, never sent again. Before sending, `NotReady` says that nothing went out. A reply is an
acknowledgement only: what became of the order comes from the private stream. What does not belong here: journalling,
risk, threads (`socket_orders.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hean_live.venues.codes import error_of_code
from hean_live.venues.errors import OrderUnresolved, RateLimited, VenueUnreachable
from hean_live.venues.streams.backoff import Backoff
from hean_live.venues.streams.connection import Connection
from hean_live.venues.streams.signing import sign_in_request
from models.errors import DataError, HeanError
from models.market.bybit_v5 import Payload, as_payload, optional_text, return_code

log = logging.getLogger(__name__)

CREATE: Final = "order.create"
CANCEL: Final = "order.cancel"
_SIGN_IN: Final = "sign-in"
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode
# Limits of the socket itself (addresses, system, session): nothing was carried out.
_TOO_OFTEN: Final = frozenset({10403, 10429, 20003})
_RECONNECT: Final = frozenset({10016, 10019})

Done = Callable[[Payload | HeanError], None]
"""Told once what became of a request: the reply's `data`, or the error it stands for."""


class NotReady(VenueUnreachable):
    """The socket is not signed in: nothing was sent."""


@dataclass
class TradeCounts:
    """What was seen so far."""

    sent: int = 0
    answered: int = 0
    unresolved: int = 0
    late: int = 0  # replies to requests that had been given up
    unreadable: int = 0


class TradeSocket:
    """Sends orders; lives in one event loop.

    Parameters
    ----------
    url, key, secret : str
    timeout_s : float
        After which a request without a reply is unresolved.
    recv_window_ms : int
        How old a request may be when it arrives.
    ping_every_s, mute_after_s, backoff, clock_ns
        As in `Connection`.

    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        *,
        timeout_s: float = 5.0,
        recv_window_ms: int = 5000,
        ping_every_s: float = 20.0,
        mute_after_s: float = 40.0,
        backoff: Backoff | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.counts = TradeCounts()
        self.is_ready = False
        self.connection = Connection(
            url,
            self,
            ping_every_s=ping_every_s,
            mute_after_s=mute_after_s,
            backoff=backoff,
            clock_ns=clock_ns,
        )
        self._key, self._secret = key, secret
        self._timeout_s = timeout_s
        self._window = str(recv_window_ms)
        self._clock_ns = clock_ns
        self._pending: dict[str, tuple[Done, float]] = {}  # with when they are given up, oldest first
        self._sweep: asyncio.TimerHandle | None = None
        # Unique over restarts too: the venue refuses an id twice.
        self._series = f"{clock_ns() // 1_000_000:x}"
        self._number = 0

    async def run(self) -> None:
        """Keep the socket up until cancelled."""
        await self.connection.run()

    def send(self, op: str, fields: Mapping[str, object], done: Done) -> None:
        """Send one request now.

        Parameters
        ----------
        op : str
            `CREATE` or `CANCEL`.
        fields : mapping
            From `hean_live.venues.order_fields`.
        done : callable
            Called once, in the event loop.

        Raises
        ------
        NotReady
            When nothing was sent; `done` is not called then.

        """
        if not self.is_ready:
            raise NotReady("the trade socket should be signed in, was not; nothing was sent")
        self._number += 1
        request_id = f"{self._series}-{self._number:x}"
        stamp = str(self._clock_ns() // 1_000_000)
        header = {"X-BAPI-TIMESTAMP": stamp, "X-BAPI-RECV-WINDOW": self._window}
        body = {"reqId": request_id, "header": header, "op": op, "args": [fields]}
        loop = asyncio.get_running_loop()
        self._pending[request_id] = (done, loop.time() + self._timeout_s)
        if not self.connection.send(_ENCODE(body).encode()):
            del self._pending[request_id]
            raise NotReady("the trade socket should be open, was not; nothing was sent")
        self.counts.sent += 1
        if self._sweep is None:
            self._sweep = loop.call_later(self._timeout_s, self._give_up_old)

    async def request(self, op: str, fields: Mapping[str, object]) -> Payload:
        """Send one request and wait for its reply; parameters as in `send`.

        Raises
        ------
        NotReady
            When nothing was sent.
        OrderUnresolved
            When it was sent and its fate is not known.
        HeanError
            Of the reply's return code.

        """
        answer: asyncio.Future[Payload | HeanError] = asyncio.get_running_loop().create_future()

        def done(result: Payload | HeanError) -> None:
            if not answer.done():
                answer.set_result(result)

        self.send(op, fields, done)
        result = await answer
        if isinstance(result, HeanError):
            raise result
        return result

    # --- the connection's listener

    def on_open(self) -> None:
        """Sign in."""
        now_ms = self._clock_ns() // 1_000_000
        self.connection.send(sign_in_request(self._key, self._secret, now_ms, request_id=_SIGN_IN))

    def on_message(self, payload: bytes, received_ns: int) -> None:
        """Match a reply to its request."""
        del received_ns
        try:
            reply = as_payload(json.loads(payload), "trade socket")
            op, code = reply.get("op"), return_code(reply)
        except (ValueError, DataError):
            # It may have been the answer to any request; each of them runs into its timeout.
            self.counts.unreadable += 1
            return
        if op == "auth":
            self.is_ready = code == 0
            if code != 0:
                log.error("trade socket: the venue refused to sign in (%d)", code)
                self.connection.restart("the venue refused to sign in")
            return
        if op == "pong":
            return
        if code in _RECONNECT:
            self.connection.restart(f"the venue asked to connect again ({code})")
        waiting = self._pending.pop(str(reply.get("reqId", "")), None)
        if waiting is None:
            self.counts.late += 1
            return
        self.counts.answered += 1
        waiting[0](_result(reply, code))

    def on_close(self, reason: str) -> None:
        """Give every request without a reply up: it may or may not have been carried out."""
        self.is_ready = False
        waiting, self._pending = self._pending, {}
        for done, _ in waiting.values():
            self.counts.unresolved += 1
            done(OrderUnresolved(f"the trade socket was lost before the reply: {reason}"))

    def _give_up_old(self) -> None:
        """Give up what is due, and come again for the next: one timer for all, set after a request is sent."""
        loop = asyncio.get_running_loop()
        self._sweep = None
        while self._pending:
            request_id, (done, due) = next(iter(self._pending.items()))
            if due > loop.time():
                self._sweep = loop.call_at(due, self._give_up_old)
                return
            del self._pending[request_id]
            self.counts.unresolved += 1
            done(OrderUnresolved(f"no reply on the trade socket within {self._timeout_s:g} s"))


def _result(reply: Payload, code: int) -> Payload | HeanError:
    if code == 0:
        data = reply.get("data")
        return data if isinstance(data, dict) else OrderUnresolved("a reply of the trade socket had no data")
    message = optional_text(reply, "retMsg")
    if code in _TOO_OFTEN:
        return RateLimited(f"return code should be 0, was {code} ({message})", wait_s=1.0)
    return error_of_code(code, message, command=True)
