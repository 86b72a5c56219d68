"""How long messages take to the venue and back, drawn from a seed: for executors that must live with 50 to 150 ms.

Here belongs the draw. Waiting, and keeping the order of what goes one way on one connection, is the transports'.
"""

from __future__ import annotations

import random

from models.errors import ConfigError


class Latency:
    """Delay of one direction.

    Parameters
    ----------
    low_ms, high_ms : float, optional
        Each message is delayed by a uniform draw from this range, real ms.
    seed : int, optional

    Raises
    ------
    ConfigError
        The range is negative or reversed.

    """

    def __init__(self, low_ms: float = 0.0, high_ms: float = 0.0, seed: int = 0) -> None:
        if not 0.0 <= low_ms <= high_ms <= 60_000.0:
            raise ConfigError(f"latency must be a range from 0 to 60000 ms, was {low_ms:g} to {high_ms:g}")
        self.low_ms = low_ms
        self.high_ms = high_ms
        self._random = random.Random(seed)  # noqa: S311  (reproducible on purpose, guards nothing)

    def __bool__(self) -> bool:
        return self.high_ms > 0.0

    def draw_s(self) -> float:
        """Return the delay of the next message, seconds."""
        return self._random.uniform(self.low_ms, self.high_ms) / 1000.0 if self.high_ms else 0.0


def parse_latency(words: str, seed: int) -> Latency:
    """Read ``80`` or ``50-150``, in ms.

    Raises
    ------
    ConfigError
        Not of that form.

    """
    low, _, high = words.partition("-")
    try:
        return Latency(float(low), float(high or low), seed)
    except ValueError:
        raise ConfigError(f"latency must be given as MS or LOW-HIGH, was {words!r}") from None
