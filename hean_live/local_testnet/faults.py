"""Faults a test asks the server to commit: a short list, used first in, first out.

Here belongs what can go wrong on the way; the venue itself knows nothing of it. A fault strikes a request before it is handled
(nothing happened) or after (it happened, the reply is lost): the second is the one that makes an order's outcome unknown.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, get_args

from models.errors import ConfigError

Kind = Literal["http_status", "ret_code", "truncate", "drop", "delay"]
Moment = Literal["before", "after"]


@dataclass
class Fault:
    """One fault.

    Attributes
    ----------
    kind : str
        ``http_status`` (answer `status`), ``ret_code`` (answer `ret_code` in an envelope), ``truncate`` (cut the body in half),
        ``drop`` (close the connection without an answer), ``delay`` (wait `seconds`).
    path_prefix : str
        Strikes only requests whose path starts so.
    count : int
        How many requests it strikes before it is used up.
    when : str
        ``before`` or ``after`` the request is handled; ``truncate`` is always after.
    status, ret_code, ret_msg, seconds
        What the kind needs.
    reset_in_ms : int
        For ``ret_code`` 10006: ``X-Bapi-Limit-Reset-Timestamp`` relative to now; may be negative, as seen on the venue.

    """

    kind: Kind
    path_prefix: str = "/v5/"
    count: int = 1
    when: Moment = "before"
    status: int = 500
    ret_code: int = 10006
    ret_msg: str = "Too many visits!"
    seconds: float = 0.0
    reset_in_ms: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ConfigError(
                f"kind of a fault must be one of {', '.join(get_args(Kind))}, was {self.kind!r}"
            )
        if self.when not in get_args(Moment):
            raise ConfigError(f"when of a fault must be before or after, was {self.when!r}")
        if self.kind == "truncate":
            self.when = "after"


class FaultList:
    """The faults still to come, in order."""

    def __init__(self) -> None:
        self._faults: deque[Fault] = deque()

    def add(self, fault: Fault) -> None:
        """Append a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def __len__(self) -> int:
        return sum(fault.count for fault in self._faults)

    def take(self, path: str) -> Fault | None:
        """First fault that strikes a path, used up by one."""
        for fault in self._faults:
            if path.startswith(fault.path_prefix):
                fault.count -= 1
                if fault.count <= 0:
                    self._faults.remove(fault)
                return fault
        return None
