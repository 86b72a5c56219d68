"""The public socket of a venue: its topics subscribed, watched one by one, asked for again when silent.

Every data message goes to the sink as it came, with its topic and receive time; acknowledgements are counted here.
What does not belong here: what data mean (`hean_live.market`), writing them down (`hean_live.recorder`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hean_live.venues.streams.backoff import Backoff
from hean_live.venues.streams.connection import Connection
from hean_live.venues.streams.topics import LONGEST_ARGS, requests, topic_of
from models.errors import ConfigError

log = logging.getLogger(__name__)

_ACK_S: Final = 10.0
_AGAIN_S: Final = 5.0  # least time between two resubscriptions of a topic


class Sink(Protocol):
    """What takes the data; every call is in the event loop."""

    def on_open(self, opened_ns: int) -> None:
        """Take note that the socket is up and the topics were asked for."""

    def on_data(self, topic: str, payload: bytes, received_ns: int) -> None:
        """Take a message of a topic."""

    def on_unreadable(self, payload: bytes, received_ns: int) -> None:
        """Take note of a message that has no topic and is no reply: something was lost."""

    def on_close(self, reason: str, closed_ns: int) -> None:
        """Take note that nothing is heard until the next `on_open`."""


@dataclass
class PublicCounts:
    """What has happened to subscriptions so far."""

    data: int = 0
    unexpected_topics: int = 0
    unreadable: int = 0
    refused: int = 0
    resubscribed: int = 0
    restarted_by_watchdog: int = 0


@dataclass
class _Watched:
    limit_s: float
    heard_at: float = 0.0
    asked_at: float = -1e9
    asked_since_heard: int = 0


class PublicStream:
    """Keeps topics of one public socket coming.

    Parameters
    ----------
    url : str
    topics : mapping of str to float
        With seconds each may be silent, 0 for ever.
    sink : Sink
    mute_after_s, ping_every_s, backoff, clock_ns
        As in `Connection`.
    monotonic : callable
        Seconds that only grow.

    Raises
    ------
    ConfigError
        When there are more topics than a connection may have.

    """

    def __init__(
        self,
        url: str,
        topics: Mapping[str, float],
        sink: Sink,
        *,
        ping_every_s: float = 20.0,
        mute_after_s: float = 40.0,
        backoff: Backoff | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        length = sum(len(topic) + 3 for topic in topics)
        if length > LONGEST_ARGS:
            raise ConfigError(
                f"stream: expected topics of at most {LONGEST_ARGS} characters, was {length}",
                remedy="configure fewer symbols",
            )
        self.counts = PublicCounts()
        self.connection = Connection(
            url,
            self,
            ping_every_s=ping_every_s,
            mute_after_s=mute_after_s,
            backoff=backoff,
            clock_ns=clock_ns,
        )
        self._sink = sink
        self._clock_ns = clock_ns
        self._monotonic = monotonic
        self._watched = {topic: _Watched(limit) for topic, limit in topics.items()}
        self._pending: dict[str, float] = {}  # request id -> when it was sent
        self._round = 0

    async def run(self) -> None:
        """Keep the topics coming until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.connection.run())
            group.create_task(self._watch())

    def resubscribe(self, topics: Sequence[str], reason: str) -> bool:
        """Ask for topics again, which makes the venue begin each with a snapshot; False if that was just done."""
        now = self._monotonic()
        due = [t for t in topics if t in self._watched and now - self._watched[t].asked_at >= _AGAIN_S]
        if not due or not self.connection.is_open:
            return False
        log.info("asking again for %s: %s", ", ".join(due), reason)
        self.counts.resubscribed += len(due)
        self._round += 1
        for _, text in requests("unsubscribe", due, f"u{self._round}"):
            self.connection.send(text)
        self._ask(due)
        for topic in due:
            self._watched[topic].asked_since_heard += 1
        return True

    def silent_s(self) -> dict[str, float]:
        """Return how long each topic has been silent, seconds."""
        now = self._monotonic()
        return {topic: now - watched.heard_at for topic, watched in self._watched.items()}

    # --- the connection's listener

    def on_open(self) -> None:
        """Subscribe to everything."""
        now = self._monotonic()
        self._pending.clear()
        for watched in self._watched.values():
            watched.heard_at = now
            watched.asked_since_heard = 0
        self._ask(list(self._watched))
        self._sink.on_open(self._clock_ns())

    def on_message(self, payload: bytes, received_ns: int) -> None:
        """Tell data from replies."""
        if b"\n" in payload:
            payload = payload.replace(b"\n", b" ")  # a line of a recording ends at a newline
        topic = topic_of(payload)
        if not topic:
            self._on_reply(payload, received_ns)
            return
        watched = self._watched.get(topic)
        if watched is None:
            self.counts.unexpected_topics += 1
            return
        self.counts.data += 1
        watched.heard_at = self._monotonic()
        watched.asked_since_heard = 0
        self._sink.on_data(topic, payload, received_ns)

    def on_close(self, reason: str) -> None:
        """Pass it on."""
        self._pending.clear()
        self._sink.on_close(reason, self._clock_ns())

    # --- subscriptions

    def _ask(self, topics: Sequence[str]) -> None:
        now = self._monotonic()
        self._round += 1
        for topic in topics:
            self._watched[topic].asked_at = now
        for request_id, text in requests("subscribe", topics, f"s{self._round}"):
            self._pending[request_id] = now
            self.connection.send(text)

    def _on_reply(self, payload: bytes, received_ns: int) -> None:
        try:
            reply = json.loads(payload)
        except ValueError:
            reply = None
        if not isinstance(reply, dict) or not ("op" in reply or "success" in reply or "ret_msg" in reply):
            self.counts.unreadable += 1
            self._sink.on_unreadable(payload, received_ns)
            return
        self._pending.pop(str(reply.get("req_id", "")), None)
        if reply.get("success") is False and reply.get("op") == "subscribe":
            self.counts.refused += 1
            log.warning("a subscription was refused: %s", str(reply.get("ret_msg", ""))[:200])

    async def _watch(self) -> None:
        limits = [watched.limit_s for watched in self._watched.values() if watched.limit_s > 0]
        step = min([1.0, *(limit / 4 for limit in limits)])
        while True:
            await asyncio.sleep(step)
            if self.connection.is_open:
                self._look()

    def _look(self) -> None:
        now = self._monotonic()
        if any(now - asked_at > _ACK_S for asked_at in self._pending.values()):
            self._give_up(f"a subscription was not answered within {_ACK_S:g} s")
            return
        silent = [
            topic
            for topic, watched in self._watched.items()
            if 0 < watched.limit_s * (1 + watched.asked_since_heard) < now - watched.heard_at
        ]
        stubborn = [topic for topic in silent if self._watched[topic].asked_since_heard > 0]
        if stubborn:
            self._give_up(f"{stubborn[0]} stayed silent after it was asked for again")
        elif silent:
            self.resubscribe(silent, "silent beyond its limit")

    def _give_up(self, reason: str) -> None:
        self.counts.restarted_by_watchdog += 1
        self._pending.clear()
        self.connection.restart(reason)
