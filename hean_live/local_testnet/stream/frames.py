"""WebSocket frames of texts that are not written by a feed, and the message that goes to sockets.

Here belongs the wire's lowest layer. Nothing here knows a topic's meaning.
"""

from __future__ import annotations

import json
from typing import NamedTuple

TEXT = 0x81
PONG = 0x8A


class Outgoing(NamedTuple):
    """A message on its way: the topic it belongs to (empty for replies), its whole frame, and where the payload starts."""

    topic: str
    frame: bytes
    payload: int

    @property
    def text(self) -> bytes:
        """The payload."""
        return self.frame[self.payload :]


def frame(payload: bytes, head: int = TEXT) -> bytes:
    """Unmasked frame of a payload."""
    size = len(payload)
    if size < 126:
        return bytes((head, size)) + payload
    if size < 65536:
        return bytes((head, 126)) + size.to_bytes(2, "big") + payload
    return bytes((head, 127)) + size.to_bytes(8, "big") + payload


def outgoing(topic: str, payload: bytes) -> Outgoing:
    """Message of a topic."""
    whole = frame(payload)
    return Outgoing(topic, whole, len(whole) - len(payload))


def compact(fields: dict[str, object]) -> bytes:
    """JSON without spaces."""
    return json.dumps(fields, separators=(",", ":")).encode()
