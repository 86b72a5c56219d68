"""The private socket: signed in, subscribed, every row parsed into an event and handed on.

The venue sends no snapshot, so `Connected` comes first after every (re)connection and means: reconcile. A row that
cannot be read becomes `Unreadable`, never nothing. Events may come twice or out of order; that is the consumer's to
bear. What does not belong here: booking, reconciling, threads.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hean_live.venues.streams.backoff import Backoff
from hean_live.venues.streams.connection import Connection
from hean_live.venues.streams.private_events import (
    Connected,
    Disconnected,
    ExecutionEvent,
    OrderEvent,
    PositionEvent,
    PrivateEvent,
    Unreadable,
    WalletEvent,
)
from hean_live.venues.streams.signing import sign_in_request
from models.errors import DataError
from models.market.bybit_v5 import Payload, as_payload, rows_of
from models.market.bybit_v5_trading import parse_execution, parse_order, parse_position, parse_wallet

log = logging.getLogger(__name__)

TOPICS: Final = ("order", "execution", "position", "wallet")
_SIGN_IN: Final = "sign-in"
_SUBSCRIBE: Final = "account"


@dataclass
class PrivateCounts:
    """What was seen so far."""

    messages: int = 0
    rows: int = 0
    unreadable: int = 0
    refused: int = 0


class PrivateStream:
    """Hands out what happens to the account.

    Parameters
    ----------
    url, key, secret : str
    sink : callable
        Called in the event loop with every event; must not block.
    ping_every_s, mute_after_s, backoff, clock_ns
        As in `Connection`.
    wall_ns : callable
        What signatures go by, whatever the market's time is.

    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        sink: Callable[[PrivateEvent], None],
        *,
        ping_every_s: float = 20.0,
        mute_after_s: float = 40.0,
        backoff: Backoff | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.counts = PrivateCounts()
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
        self._sink = sink
        self._clock_ns = clock_ns
        self._wall_ns = wall_ns

    async def run(self) -> None:
        """Keep the stream up until cancelled."""
        await self.connection.run()

    # --- the connection's listener

    def on_open(self) -> None:
        """Sign in; subscribing waits for the answer."""
        now_ms = self._wall_ns() // 1_000_000
        self.connection.send(sign_in_request(self._key, self._secret, now_ms, request_id=_SIGN_IN))

    def on_message(self, payload: bytes, received_ns: int) -> None:
        """Parse a message into events."""
        self.counts.messages += 1
        try:
            message = as_payload(json.loads(payload), "private stream")
        except (ValueError, DataError) as error:
            self._unreadable(f"a message could not be read ({type(error).__name__})", received_ns)
            return
        topic = message.get("topic")
        if isinstance(topic, str):
            self._on_topic(topic, message, received_ns)
        elif "op" in message:
            self._on_reply(message, received_ns)
        else:
            self._unreadable("a message had neither topic nor op", received_ns)

    def on_close(self, reason: str) -> None:
        """Pass it on."""
        self.is_ready = False
        self._sink(Disconnected(reason, self._clock_ns()))

    # --- what messages mean

    def _on_reply(self, reply: Payload, received_ns: int) -> None:
        op = reply.get("op")
        if op not in ("auth", "subscribe"):
            return  # a pong
        if reply.get("success") is not True:
            self.counts.refused += 1
            # What the venue says may name the key: it is not repeated.
            self.connection.restart(f"the venue refused to {'sign in' if op == 'auth' else 'subscribe'}")
            log.error("private stream: %s was refused; is the key right and the clock?", op)
        elif op == "auth":
            body = {"req_id": _SUBSCRIBE, "op": "subscribe", "args": list(TOPICS)}
            self.connection.send(json.dumps(body).encode())
        elif not self.is_ready:
            self.is_ready = True
            self._sink(Connected(received_ns))

    def _on_topic(self, topic: str, message: Payload, received_ns: int) -> None:
        kind = topic.partition(".")[0]
        if kind not in TOPICS:
            return
        try:
            rows = rows_of(message, f"private stream, {kind}", "data")
        except DataError as error:
            self._unreadable(str(error), received_ns)
            return
        for row in rows:
            try:
                events = list(_events(kind, row, received_ns))
            except DataError as error:
                self._unreadable(str(error), received_ns)
                continue
            for event in events:
                self.counts.rows += 1
                self._sink(event)

    def _unreadable(self, reason: str, received_ns: int) -> None:
        self.counts.unreadable += 1
        self._sink(Unreadable(reason, received_ns))


def _events(kind: str, row: Payload, received_ns: int) -> Iterator[PrivateEvent]:
    if kind == "order":
        yield OrderEvent(parse_order(row), received_ns)
    elif kind == "execution":
        yield ExecutionEvent(parse_execution(row), received_ns)
    elif kind == "position":
        yield PositionEvent(parse_position(row), received_ns)
    elif row.get("accountType", "UNIFIED") == "UNIFIED":
        yield WalletEvent(parse_wallet({"list": [row]}), received_ns)
