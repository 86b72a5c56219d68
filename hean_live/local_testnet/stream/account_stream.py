"""The private stream: what happened to the account, to every authorised connection that wants it.

Here belongs the fan-out, a category's own topics included (``order.linear`` beside ``order``). What is pushed is
`private_topics`'.
"""

from __future__ import annotations

from hean_live.local_testnet.stream.connection import Connection
from hean_live.local_testnet.stream.frames import Outgoing, compact, outgoing
from hean_live.local_testnet.stream.private_topics import TOPICS, last_sequence, private_messages
from hean_live.local_testnet.venue import Venue

CATEGORIES = ("linear", "spot", "inverse", "option")
# Known to the venue, and silent here: nothing this testnet simulates is told on them.
_SILENT = ("greeks", "dcp.future", "dcp.spot", "dcp.option")


def is_private_topic(name: str) -> bool:
    """Whether the venue has a private topic of that name."""
    head, _, category = name.partition(".")
    return name in _SILENT or (
        head in TOPICS and (not category or (category in CATEGORIES and head != "wallet"))
    )


class AccountStream:
    """Private connections of one venue.

    Parameters
    ----------
    venue : Venue

    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._listeners: list[Connection] = []
        self._since = 0

    def join(self, connection: Connection, names: list[str]) -> None:
        """Let a connection have private topics from now on; nothing that happened before is told."""
        self.publish()
        if not self._listeners:
            self._since = last_sequence(self._venue)
        connection.topics.update(names)
        if connection not in self._listeners:
            self._listeners.append(connection)

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        if connection in self._listeners:
            self._listeners.remove(connection)

    def publish(self) -> None:
        """Send what happened since the last call."""
        if not self._listeners:
            return
        self._since, messages = private_messages(self._venue, self._since)
        if not messages:
            return
        made: dict[tuple[int, str], Outgoing] = {}
        for connection in self._listeners:
            batch = []
            for number, (topic, push) in enumerate(messages):
                for name in (topic, f"{topic}.linear"):
                    if name in connection.topics:
                        if (number, name) not in made:
                            made[number, name] = outgoing(name, compact(push | {"topic": name}))
                        batch.append(made[number, name])
            if batch:
                connection.send(batch)
