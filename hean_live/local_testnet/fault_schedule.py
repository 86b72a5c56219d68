"""Faults drawn from a seed: whether the n-th message of a channel is struck, and by what, depends on seed, channel and n only.

Here belongs the draw. A channel is the requests of one path, or the messages of the k-th connection to a socket, so the same
conversation meets the same faults whatever else goes on.
"""

from __future__ import annotations

import zlib
from collections import Counter

from hean_live.local_testnet.faults import Fault
from models.errors import ConfigError

MESSAGE_SHARE = 1.0 / 50.0
"""Socket messages are struck by so much of the rate of requests: there are many more of them."""
DEFAULT_RATE = 0.02
_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
# A ban (403) makes a sane client stop for ten minutes and maintenance closes everything: those two are only for scripts.
_REQUESTS: tuple[dict[str, object], ...] = (
    {"kind": "drop", "when": "after"},
    {"kind": "drop", "when": "before"},
    {"kind": "delay", "when": "after", "seconds": 0.3},
    {"kind": "http_status", "when": "after", "status": 502},
    {"kind": "http_status", "when": "before", "status": 500},
    {"kind": "http_status", "when": "before", "status": 503},
    {"kind": "truncate"},
    {"kind": "garbage"},
    {"kind": "ret_code", "ret_code": 10006, "reset_in_ms": 200},
    {"kind": "ret_code", "ret_code": 10006, "reset_in_ms": -500},
    {"kind": "ret_code", "ret_code": 10016, "ret_msg": "Server error"},
    {"kind": "double"},
    {"kind": "skew", "seconds": 3.0},
    {"kind": "skew", "seconds": -30.0},
)
_MESSAGES: tuple[dict[str, object], ...] = (
    {"kind": "double"},
    {"kind": "reorder"},
    {"kind": "lose"},
    {"kind": "delay", "seconds": 0.2},
    {"kind": "truncate"},
    {"kind": "garbage"},
    {"kind": "drop"},
    {"kind": "mute", "seconds": 2.0},
)


def _mixed(z: int) -> int:
    # SplitMix64's mixer (Steele, Lea & Flood 2014).
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class FaultSchedule:
    """A seed's faults.

    Parameters
    ----------
    seed : int
    rate : float, optional
        Share of requests that are struck; of socket messages a fiftieth of it.

    Raises
    ------
    ConfigError
        `rate` is not between 0 and 1.

    """

    def __init__(self, seed: int, rate: float = DEFAULT_RATE) -> None:
        if not 0.0 <= rate <= 1.0:
            raise ConfigError(f"rate of seeded faults must be from 0 to 1, was {rate:g}")
        self.seed = seed
        self.rate = rate
        self._requests: Counter[str] = Counter()
        self._connections: Counter[str] = Counter()

    def request(self, path: str) -> Fault | None:
        """Fault that strikes the next request of a path."""
        number = self._requests[path]
        self._requests[path] += 1
        return self._draw(zlib.crc32(path.encode()), number, self.rate, _REQUESTS, path)

    def connection(self, path: str) -> ConnectionFaults:
        """Faults of the next connection to a socket."""
        ordinal = self._connections[path]
        self._connections[path] += 1
        return ConnectionFaults(self, path, zlib.crc32(f"{path} {ordinal}".encode()))

    def _draw(
        self, channel: int, number: int, rate: float, kinds: tuple[dict[str, object], ...], path: str
    ) -> Fault | None:
        draw = _mixed((self.seed * _STEP + (channel << 32) + number) & _MASK)
        if (draw >> 11) * 2.0**-53 >= rate:
            return None
        fields = kinds[_mixed(draw) % len(kinds)]
        return Fault(**({"path_prefix": path} | fields))  # type: ignore[arg-type]


class ConnectionFaults:
    """A seed's faults on one connection's messages."""

    def __init__(self, schedule: FaultSchedule, path: str, channel: int) -> None:
        self._schedule = schedule
        self._path = path
        self._channel = channel
        self._number = 0

    def message(self) -> Fault | None:
        """Fault that strikes the next message."""
        number = self._number
        self._number += 1
        rate = self._schedule.rate * MESSAGE_SHARE
        return self._schedule._draw(self._channel, number, rate, _MESSAGES, self._path)


def parse_schedule(words: str) -> FaultSchedule:
    """Read ``seed:N`` or ``seed:N:RATE``.

    Raises
    ------
    ConfigError
        Not of that form.

    """
    head, _, rest = words.partition(":")
    seed, _, rate = rest.partition(":")
    try:
        if head != "seed":
            raise ValueError
        return FaultSchedule(int(seed), float(rate) if rate else DEFAULT_RATE)
    except ValueError:
        raise ConfigError(f"faults must be given as seed:N or seed:N:RATE, was {words!r}") from None
