"""The thread that asks other markets, each source in its turn, and remembers what is wrong with which.

Other markets must cost the loop nothing: whoever is slow or gone keeps this thread waiting, not the executor. What does not
belong here: what a source asks, and what is made of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from models.errors import HeanError

log = logging.getLogger(__name__)

LEAST_S: Final = 0.5
"""Wall seconds between two rounds of a source, however fast the market runs."""
_TROUBLED_S: Final = 10.0
_TURN_S: Final = 0.1


class Source(Protocol):
    """What is asked now and then; raises `HeanError` when that fails."""

    def poll(self) -> None:
        """Ask once."""


@dataclass
class Asked:
    """A source, the code of its trouble, and how often it is asked (market seconds)."""

    code: str
    source: Source
    every_s: float
    due: float = 0.0


class OtherMarkets:
    """Asks sources in a thread.

    Parameters
    ----------
    asked : sequence of Asked
    speed : callable
        Market seconds per second of ours: on a faster market, sources are asked more often.
    monotonic : callable
        Seconds that only grow.

    """

    def __init__(
        self,
        asked: Sequence[Asked],
        speed: Callable[[], float] = lambda: 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asked = tuple(asked)
        self._speed = speed
        self._monotonic = monotonic
        self._problems = {each.code: "" for each in asked}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="other-markets", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End the thread after the request under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)

    def problems(self) -> dict[str, str]:
        """Return by code why a source could not be asked last time, empty where it could; from any thread."""
        return dict(self._problems)

    def step(self) -> None:
        """Ask every source that is due."""
        for each in self._asked:
            if self._stop.is_set():
                return
            if self._monotonic() >= each.due:
                wait_s = self._ask(each)
                each.due = self._monotonic() + wait_s

    def _ask(self, each: Asked) -> float:
        """Ask once; returns the seconds until it is asked again."""
        every_s = max(LEAST_S, each.every_s / max(1.0, self._speed()))
        try:
            each.source.poll()
        except HeanError as error:
            self._problems[each.code] = str(error)
            # A rare source is tried again soon, one that asks to be left alone when it said.
            return max(min(every_s, _TROUBLED_S), float(getattr(error, "wait_s", 0.0)))
        except Exception as error:
            # Shadows of two markets may end; it may not go unnoticed, nor take the other sources with it.
            self._problems[each.code] = f"{type(error).__name__}: {error}"
            log.exception("%s could not be read", each.code)
            return max(every_s, _TROUBLED_S)
        self._problems[each.code] = ""
        return every_s

    def _work(self) -> None:
        while not self._stop.is_set():
            self.step()
            self._stop.wait(_TURN_S)
