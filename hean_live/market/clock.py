"""The venue's market time on our side of the wire, also where the market runs faster than the wall.

Two clocks with one face. `WallClock` is what streams have gone by from the beginning: our own clock. `MarketClock` follows the
venue: from stamped messages and answers it estimates where the venue's clock is and how fast it goes. A venue in real time has
speed 1, and only the offset is estimated; a local testnet may run at any speed. What does not belong here: what is done at which
time, and the wall itself (signatures, timeouts and reconnects go by that, whatever the market does).
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
REAL_TIME: Final = 0.02
"""A speed above 1 by no more is 1: no venue in real time is further off, and the offset follows what is left."""
SILENT_S: Final = 2.0
"""How long a venue faster than the wall may be silent before its clock is no longer believed to run."""
_WINDOW_NS: Final = 16 * NS_PER_S
_SPAN_NS: Final = NS_PER_S // 4  # of each such span of our time the least delayed message is kept
_SILENT_NS: Final = int(SILENT_S * NS_PER_S)
_STEP_NS: Final = NS_PER_S  # of our time: a venue further off than this has moved its clock
_STAMP: Final = re.compile(rb'"ts"\s*:\s*(\d{13})\b')


class Answer(NamedTuple):
    """The venue's stamp of an answer (ns UTC), and when it was asked for and came (`time.monotonic_ns`)."""

    venue_ns: int
    sent_ns: int
    got_ns: int


class Clock(Protocol):
    """What streams go by; from any thread."""

    @property
    def speed(self) -> float:
        """Market seconds per second of ours."""

    def now_ns(self) -> int:
        """Return the present market time, ns UTC."""

    def receive_ns(self, payload: bytes, now_ns: int) -> int:
        """Return when a message came that was read at `now_ns` of this clock, ns UTC, and learn from its stamp."""

    def answered(self, answer: Answer) -> None:
        """Learn from an answer."""


class WallClock:
    """Our own clock."""

    speed = 1.0

    def now_ns(self) -> int:
        """Return the wall's time, ns UTC."""
        return time.time_ns()

    def receive_ns(self, payload: bytes, now_ns: int) -> int:
        """Return `now_ns`."""
        return now_ns

    def answered(self, answer: Answer) -> None:
        """Learn nothing."""


@dataclass(frozen=True)
class _Line:
    """Venue time ``at_ns + speed · (m − from_ns)`` at our time m."""

    from_ns: int
    at_ns: int
    speed: float

    def at(self, mono_ns: int) -> int:
        return self.at_ns + int(self.speed * (mono_ns - self.from_ns))


class MarketClock:
    """Follows the venue's clock.

    What is read at our time m and stamped v says that the venue's clock showed v or more at m: the line that is wanted lies above
    all such points and touches the least delayed ones. Of those lines the one nearest to the points is taken (Moon, Skelly and
    Towsley, *Estimation and removal of clock skew from network delay measurements*, INFOCOM 1999), raised by half of the
    shortest round trip, which is the error. As long as speed 1 contradicts nothing that was heard, it is 1; it is never less,
    and a venue that stands still is waited for.

    Parameters
    ----------
    first, second : Answer
        Two answers to begin with; the longer between them, the better the first idea of the speed.
    monotonic_ns : callable

    Attributes
    ----------
    steps : int
        How often the venue's clock was found to have been moved, by more than a second of ours.

    """

    def __init__(
        self, first: Answer, second: Answer, *, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._lock = threading.Lock()
        self.steps = 0
        self._moved: tuple[int, int] | None = None
        self._half_ns = min(answer.got_ns - answer.sent_ns for answer in (first, second)) // 2
        self._above = deque([(first.sent_ns, first.venue_ns + NS_PER_MS)])
        self._begin(second.venue_ns, second.got_ns, _first_speed(first, second))
        self._read_ns = second.got_ns
        self._last_ns = self._line.at(second.got_ns)

    @property
    def speed(self) -> float:
        """Market seconds per second of ours."""
        return self._line.speed

    @property
    def error_ns(self) -> int:
        """How far off this clock may be while the venue answers, ns of market time."""
        return int(self._line.speed * self._half_ns) + NS_PER_MS

    def now_ns(self) -> int:
        """Return the venue's present time, ns UTC.

        It never goes back, and makes up for what was estimated wrongly by at most `error_ns` a reading. Of a venue that is faster
        than the wall and has been silent for two seconds it is not assumed that its clock still runs: from then on time passes
        as on the wall.
        """
        with self._lock:
            mono_ns = self._monotonic_ns()
            line, silent_ns = self._line, mono_ns - self._heard_ns - _SILENT_NS
            found = line.at(mono_ns)
            if silent_ns > 0 and line.speed > 1.0:
                found -= int((line.speed - 1.0) * silent_ns)
            most_ns = self._last_ns + int(line.speed * (mono_ns - self._read_ns)) + self.error_ns
            self._last_ns = max(self._last_ns, min(found, most_ns))
            self._read_ns = mono_ns
            return self._last_ns

    def receive_ns(self, payload: bytes, now_ns: int) -> int:
        """Return when a message came, in market time, and learn from its stamp.

        Where the market is faster than the wall, a message that was 10 ms on its way is taken to have come 10 ms of market time
        after its stamp: so those that come in one bunch keep their distances. Elsewhere it came at `now_ns`.
        """
        found = _STAMP.search(payload)
        if found is None:
            return now_ns
        venue_ns = int(found[1]) * NS_PER_MS
        with self._lock:
            self._heard(venue_ns, self._monotonic_ns())
            speed = self._line.speed
        return venue_ns + int(max(0, now_ns - venue_ns) / speed) if speed > 1.0 else now_ns

    def answered(self, answer: Answer) -> None:
        """Learn from an answer."""
        with self._lock:
            self._half_ns = min(self._half_ns, (answer.got_ns - answer.sent_ns) // 2)
            self._above.append((answer.sent_ns, answer.venue_ns + NS_PER_MS))
            self._heard(answer.venue_ns, answer.got_ns)

    # --- what is known

    def _begin(self, venue_ns: int, mono_ns: int, speed: float) -> None:
        self._below = deque([(mono_ns, venue_ns)])
        self._heard_ns = self._drawn_ns = mono_ns
        self._line = _Line(mono_ns, venue_ns + int(speed * self._half_ns), speed)

    def _heard(self, venue_ns: int, mono_ns: int) -> None:
        line = self._line
        ahead_ns, step_ns = venue_ns - line.at(mono_ns), int(_STEP_NS * line.speed)
        newest_ns, newest_venue_ns = self._below[-1]
        span_is_over = mono_ns // _SPAN_NS > newest_ns // _SPAN_NS
        slowed = line.speed > 1.0 and span_is_over and newest_venue_ns < line.at(newest_ns) - step_ns
        if ahead_ns > step_ns or slowed:
            self._step(venue_ns, mono_ns)
            return
        self._heard_ns = max(self._heard_ns, mono_ns)
        if span_is_over:
            self._below.append((mono_ns, venue_ns))
        elif venue_ns - newest_venue_ns > line.speed * (mono_ns - newest_ns):
            self._below[-1] = (mono_ns, venue_ns)
        if ahead_ns > 0 or mono_ns - self._drawn_ns >= _SPAN_NS:
            self._draw(mono_ns)

    def _step(self, venue_ns: int, mono_ns: int) -> None:
        """Begin anew where the venue's clock was moved to; moved again and again, it has become faster."""
        self.steps += 1
        speed, since = self._line.speed, self._moved
        if since is None or mono_ns - since[0] > _WINDOW_NS:
            self._moved = (mono_ns, venue_ns)
        elif mono_ns - since[0] >= _SPAN_NS:
            speed = max((venue_ns - since[1]) / (mono_ns - since[0]), 1.0)
            self._moved = None
        self._above.clear()
        self._begin(venue_ns, mono_ns, speed)
        self._last_ns = max(self._last_ns, self._line.at(mono_ns))
        self._read_ns = mono_ns

    def _draw(self, mono_ns: int) -> None:
        """Draw the line anew through what the window holds."""
        self._drawn_ns = mono_ns
        while len(self._below) > 1 and self._below[0][0] < mono_ns - _WINDOW_NS:
            self._below.popleft()
        while len(self._above) > 1 and self._above[0][0] < mono_ns - _WINDOW_NS:
            self._above.popleft()
        speed = self._speed()
        low = max(venue - int(speed * (at - mono_ns)) for at, venue in self._below)
        self._line = _Line(mono_ns, low + int(speed * self._half_ns), speed)

    def _speed(self) -> float:
        low = max(venue - at for at, venue in self._below)
        contradicted = self._above and low > min(venue - at for at, venue in self._above)
        if self._line.speed == 1.0 and not contradicted:
            return 1.0
        speed = _slope(self._below) or self._line.speed
        return 1.0 if speed <= 1.0 + REAL_TIME else speed


def _first_speed(first: Answer, second: Answer) -> float:
    """Return 1 where two answers allow it, else the middle of what they allow."""
    passed_ns = second.venue_ns - first.venue_ns
    least = (passed_ns - NS_PER_MS) / (second.got_ns - first.sent_ns)
    most = (passed_ns + NS_PER_MS) / max(second.sent_ns - first.got_ns, 1)
    return 1.0 if least <= 1.0 <= most else max((least + most) / 2, 1.0)


def _slope(points: Sequence[tuple[int, int]]) -> float | None:
    """Return the slope of the line above all points that is nearest to them in the mean; None while they span too little."""
    if points[-1][0] - points[0][0] < 2 * _SPAN_NS:
        return None
    hull: list[tuple[int, int]] = []
    for point in points:
        while len(hull) > 1 and _turns_left(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    mean_ns = sum(at for at, _ in points) / len(points)
    for (left, low), (right, high) in pairwise(hull):
        if right >= mean_ns:
            return (high - low) / (right - left) if high > low else None
    return None


def _turns_left(first: tuple[int, int], middle: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether the middle point does not lie above the line from first to last."""
    rise = (middle[1] - first[1]) * (last[0] - first[0])
    return rise <= (last[1] - first[1]) * (middle[0] - first[0])
