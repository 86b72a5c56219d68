"""Faults the server commits on demand: listed by a test, used first in, first out, or drawn from a seed.

Here belongs what can go wrong on the way, and the choice of what goes wrong next; the venue itself knows nothing of it. A fault
strikes a request before it is handled (nothing happened) or after (it happened, the reply is lost): the second is the one that
makes an order's outcome unknown. On sockets it strikes messages on their way out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, get_args

from models.errors import ConfigError

RequestKind = Literal[
    "http_status", "ret_code", "truncate", "garbage", "drop", "delay", "double", "skew", "maintenance"
]
MessageKind = Literal[
    "delay", "double", "reorder", "lose", "mute", "drop", "truncate", "garbage", "restart_books"
]
REQUEST_KINDS: tuple[str, ...] = get_args(RequestKind)
MESSAGE_KINDS: tuple[str, ...] = get_args(MessageKind)
Moment = Literal["before", "after"]
SOCKETS = ("/v5/public/linear", "/v5/public/spot", "/v5/private", "/v5/trade")
RECORDED_STRIKES = 10_000


@dataclass
class Fault:
    """One fault.

    Attributes
    ----------
    kind : str
        Of requests: ``http_status`` (answer `status`), ``ret_code`` (answer `ret_code` in an envelope), ``truncate`` (cut the
        body in half), ``garbage`` (bytes that are no JSON), ``drop`` (close the connection without an answer), ``delay`` (wait
        `seconds`), ``double`` (handle the request twice), ``skew`` (handle it with the venue's clock `seconds` off),
        ``maintenance`` (for `seconds` everything answers `status`, or 10016 where that is 200, and sockets are closed).
        Of socket messages: ``delay`` (this and all after it wait `seconds`), ``double``, ``reorder`` (the next message
        overtakes it), ``lose`` (a gap in `u`), ``mute`` (nothing is sent for `seconds`, 0 for good, though the connection stays
        and answers pings), ``drop`` (the connection ends in the middle of this message), ``truncate``, ``garbage``,
        ``restart_books`` (order books begin anew with ``u`` 1).
    path_prefix : str
        Strikes only requests whose path starts so; messages of sockets have the socket's path.
    topic_prefix : str
        Of socket messages: strikes only topics that start so. Where it is given, or the path is a socket's, the fault strikes
        messages; else requests.
    count : int
        How many it strikes before it is used up.
    when : str
        ``before`` or ``after`` the request is handled; ``truncate`` and ``garbage`` are always after.
    status, ret_code, ret_msg, seconds
        What the kind needs.
    reset_in_ms : int
        For ``ret_code`` 10006: ``X-Bapi-Limit-Reset-Timestamp`` relative to now; may be negative, as seen on the venue.

    Raises
    ------
    ConfigError
        Unknown kind or moment.

    """

    kind: str
    path_prefix: str = "/v5/"
    topic_prefix: str = ""
    count: int = 1
    when: Moment = "before"
    status: int = 500
    ret_code: int = 10006
    ret_msg: str = "Too many visits!"
    seconds: float = 0.0
    reset_in_ms: int = 0

    def __post_init__(self) -> None:
        allowed = MESSAGE_KINDS if self.of_messages else REQUEST_KINDS
        if self.kind not in allowed:
            raise ConfigError(f"kind of a fault must be one of {', '.join(allowed)}, was {self.kind!r}")
        if self.when not in get_args(Moment):
            raise ConfigError(f"when of a fault must be before or after, was {self.when!r}")
        if self.kind in ("truncate", "garbage"):
            self.when = "after"

    @property
    def of_messages(self) -> bool:
        """Whether it strikes messages of sockets, not requests."""
        return bool(self.topic_prefix) or self.path_prefix.startswith(
            ("/v5/public", "/v5/private", "/v5/trade")
        )


class FaultList:
    """The faults still to come, in order, and those that struck.

    Attributes
    ----------
    struck : deque of (str, str)
        Path (and topic) and kind of the newest strikes, oldest first.

    """

    def __init__(self) -> None:
        self._faults: deque[Fault] = deque()
        self._messages = 0
        self.struck: deque[tuple[str, str]] = deque(maxlen=RECORDED_STRIKES)

    def add(self, fault: Fault) -> None:
        """Append a fault."""
        self._faults.append(fault)
        self._messages += fault.of_messages

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()
        self._messages = 0

    def __len__(self) -> int:
        return sum(fault.count for fault in self._faults)

    @property
    def of_messages(self) -> bool:
        """Whether any of them waits for a message of a socket."""
        return self._messages > 0

    def take(self, path: str) -> Fault | None:
        """First fault that strikes a request, used up by one."""
        return self._take(path, None)

    def take_message(self, path: str, topic: str) -> Fault | None:
        """First fault that strikes a message of a socket, used up by one."""
        return self._take(path, topic)

    def _take(self, path: str, topic: str | None) -> Fault | None:
        for fault in self._faults:
            if fault.of_messages != (topic is not None) or not path.startswith(fault.path_prefix):
                continue
            if topic is not None and not topic.startswith(fault.topic_prefix):
                continue
            fault.count -= 1
            if fault.count <= 0:
                self._faults.remove(fault)
                self._messages -= fault.of_messages
            self.struck.append((path if topic is None else f"{path} {topic}", fault.kind))
            return fault
        return None
