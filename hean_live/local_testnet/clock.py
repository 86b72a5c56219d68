"""The testnet's two clocks: the market's, which may run fast or stand still, and the wall's.

Here belongs reading and moving them. The market clock never goes back and never passes the end of the market's data.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from models.errors import ConfigError

NS_PER_MS = 1_000_000


class MarketClock:
    """Time of the market: every datum, order stamp and settlement is in it.

    Parameters
    ----------
    now_ms : int
        Where it starts, ms UTC.
    last_ms : int
        Where it stops at the latest.
    speed : float, optional
        Market seconds per real second; 0 stands still.
    monotonic_ns : callable, optional
        Source of real elapsed time.

    """

    def __init__(
        self,
        now_ms: int,
        last_ms: int,
        speed: float = 1.0,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._last_ns = last_ms * NS_PER_MS
        self._base_ns = now_ms * NS_PER_MS
        self._since_ns = monotonic_ns()
        self._speed = speed

    @property
    def speed(self) -> float:
        """Market seconds per real second."""
        return self._speed

    def now_ns(self) -> int:
        """Market time in ns UTC."""
        elapsed = self._monotonic_ns() - self._since_ns
        return min(self._base_ns + int(elapsed * self._speed), self._last_ns)

    def now_ms(self) -> int:
        """Market time in ms UTC."""
        return self.now_ns() // NS_PER_MS

    def set_speed(self, speed: float) -> None:
        """Go on from the present instant at another speed.

        Raises
        ------
        ConfigError
            Negative speed.

        """
        if not 0.0 <= speed < 1e9:
            raise ConfigError(f"speed of the market clock must be 0 or more, was {speed}")
        self._rebase(self.now_ns())
        self._speed = speed

    def advance(self, by_ms: int) -> None:
        """Jump forward; see `set_now`."""
        self.set_now(self.now_ms() + by_ms)

    def set_now(self, now_ms: int) -> None:
        """Jump forward to an instant.

        Raises
        ------
        ConfigError
            The instant lies in the past of the clock or beyond the market's data.

        """
        target = now_ms * NS_PER_MS
        present = self.now_ns()
        if target < present // NS_PER_MS * NS_PER_MS:
            raise ConfigError(
                f"the market clock only goes forward: {now_ms} lies before its {present // NS_PER_MS}"
            )
        if target > self._last_ns:
            raise ConfigError(
                f"the market's data end at {self._last_ns // NS_PER_MS}, was asked to go to {now_ms}",
                remedy="Start the testnet with more --extra-days.",
            )
        self._rebase(max(target, present))

    def _rebase(self, now_ns: int) -> None:
        self._since_ns = self._monotonic_ns()
        self._base_ns = now_ns


class WallClock:
    """Real time, with an offset that a test may set to play a skewed machine."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ns(self) -> int:
        """Real time in ns UTC, shifted by `offset_ms`."""
        return time.time_ns() + self.offset_ms * NS_PER_MS

    def now_ms(self) -> int:
        """Real time in ms UTC, shifted by `offset_ms`."""
        return self.now_ns() // NS_PER_MS
