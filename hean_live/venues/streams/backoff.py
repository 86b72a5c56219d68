"""How long to wait before connecting again: exponential with full jitter, so that many clients do not return at once.

A connection counts as a success only after it has lasted, or a venue that accepts and drops would be hammered.
"""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Waits between attempts.

    Parameters
    ----------
    first_s, longest_s : float
        Upper ends of the first wait and of any wait.
    lasting_s : float
        How long a connection must have lasted to start over with the first wait.
    chance : callable
        Uniform on [0, 1).

    """

    def __init__(
        self,
        first_s: float = 0.25,
        longest_s: float = 30.0,
        lasting_s: float = 10.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._lasting_s = lasting_s
        self._chance = chance
        self.attempts = 0

    def lasted(self, seconds: float) -> None:
        """Tell how long the last connection was up; 0 if there was none."""
        if seconds >= self._lasting_s:
            self.attempts = 0

    def next_s(self) -> float:
        """Return the next wait: between a tenth and the whole of an end that doubles."""
        end = min(self._longest_s, self._first_s * 2.0 ** min(self.attempts, 30))
        self.attempts += 1
        return end * (0.1 + 0.9 * self._chance())
