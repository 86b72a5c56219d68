"""How many requests an endpoint still takes: a rolling second, counted by the time given. Pure.

Source: Bybit v5 rate limits are per account and endpoint over a rolling second; creating and cancelling are two endpoints
with limits of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

SECOND_NS: Final = 1_000_000_000


class Room(NamedTuple):
    """Requests that may be sent now, by endpoint."""

    places: int
    cancels: int


@dataclass(frozen=True)
class RateBudget:
    """Requests of one endpoint within the last second: `per_s` allowed, `sent_ns` when they were sent, oldest first."""

    per_s: int
    sent_ns: tuple[int, ...] = ()

    def available(self, now_ns: int) -> int:
        """Return how many more may be sent at `now_ns`."""
        return max(0, self.per_s - sum(now_ns - at_ns < SECOND_NS for at_ns in self.sent_ns))

    def spent(self, now_ns: int, count: int) -> RateBudget:
        """Return the budget after `count` requests at `now_ns`."""
        recent = tuple(at_ns for at_ns in self.sent_ns if now_ns - at_ns < SECOND_NS)
        return RateBudget(self.per_s, recent + (now_ns,) * count)
