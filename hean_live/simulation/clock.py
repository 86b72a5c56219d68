"""Time that passes only when told to, for everything in one simulation. No waiting here."""

from __future__ import annotations

NANOSECONDS = 1_000_000_000


class VirtualClock:
    """One clock for venue and executor.

    Parameters
    ----------
    start_ns : int
        First instant, ns UTC.

    """

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self.now_ns = start_ns

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += max(0, int(seconds * NANOSECONDS))

    def monotonic(self) -> float:
        """Seconds since the start."""
        return (self.now_ns - self._start_ns) / NANOSECONDS
