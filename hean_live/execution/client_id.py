"""Client order ids: pure functions of what was decided, so one decision cannot become two orders.

Format: ``hn-<strategy>-<symbol>-<decision second in base 36>-<leg>``, at most 36 characters of
``[A-Za-z0-9_-]`` as Bybit demands. Legs are ``e0, e1, …`` for entry attempts, ``x0, …`` for exits, ``s0, …``
for orders the venue made itself to protect our position. What an order contains does not belong here.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

MAX_LENGTH = 36
PREFIX = "hn"
NANOSECONDS = 1_000_000_000

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PATTERN = re.compile(r"hn-([A-Za-z0-9]+)-([A-Za-z0-9_-]+)-([0-9a-z]+)-([exs][0-9]+)")
_LEG_NAMES = {"e": "entry", "x": "exit", "s": "stop"}


@dataclass(frozen=True)
class ClientId:
    """The parts of an id: `strategy`, `decision_ns` (whole seconds, ns UTC) and `leg` such as ``e0``."""

    strategy: str
    decision_ns: int
    leg: str

    @property
    def leg_name(self) -> str:
        """``entry``, ``exit`` or ``stop``."""
        return leg_name(self.leg)

    @property
    def number(self) -> int:
        """Number of the attempt."""
        return int(self.leg[1:])


def client_order_id(strategy: str, symbol: str, decision_ns: int, leg: str) -> str:
    """Build the id of one order.

    Parameters
    ----------
    strategy : str
        Letters and digits only, for example ``S1``.
    symbol : str
        The venue's symbol; one too long to fit is shortened with a hash, so that two symbols never share an
        id.
    decision_ns : int
        The instant the decision is about (for S1 the settlement), ns UTC, a whole second.
    leg : str
        ``e``, ``x`` or ``s`` followed by the number of the attempt.

    Returns
    -------
    str
        At most 36 characters.

    Raises
    ------
    ValueError
        If a part cannot be written in this format.

    """
    if decision_ns % NANOSECONDS:
        raise ValueError(f"decision_ns should be a whole second, was {decision_ns}")
    stamp = _base36(decision_ns // NANOSECONDS)
    room = MAX_LENGTH - len(f"{PREFIX}-{strategy}---{leg}") - len(stamp)
    name = symbol if len(symbol) <= room else symbol[: room - 8] + _digest(symbol)
    result = f"{PREFIX}-{strategy}-{name}-{stamp}-{leg}"
    if len(result) > MAX_LENGTH or not _PATTERN.fullmatch(result):
        raise ValueError(f"client id should have at most 36 characters of [A-Za-z0-9_-], was {result!r}")
    return result


def parse_client_id(text: str) -> ClientId | None:
    """Read an id back, or return None if it is not one of ours.

    The symbol is not read: a long one is hashed, and every venue record carries it anyway.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    return ClientId(match[1], int(match[3], 36) * NANOSECONDS, match[4])


def leg_name(leg: str) -> str:
    """Return ``entry``, ``exit`` or ``stop`` for a leg such as ``e0``."""
    return _LEG_NAMES[leg[0]]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _digest(symbol: str) -> str:
    return hashlib.sha256(symbol.encode()).hexdigest()[:8]
