"""A bell that wakes a waiting loop. It may be rung from a signal handler, which a `threading.Event` may not be set from."""

from __future__ import annotations

import queue
from contextlib import suppress


class Bell:
    """Wakes whoever waits; rung while nobody waits, it ends the next wait at once.

    Notes
    -----
    A signal handler runs in the main thread, maybe while that holds the lock of the event it waits for: setting the event there
    waits for the lock for ever, and the process neither stops nor goes on. `SimpleQueue.put` is reentrant and made for this
    (https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put).

    """

    def __init__(self) -> None:
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """Wake the waiting one; from any thread or signal handler."""
        self._rung.put(None)

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is rung, and forget that it was; returns False if it was not."""
        try:
            self._rung.get(timeout=timeout_s)
        except queue.Empty:
            return False
        with suppress(queue.Empty):
            while True:
                self._rung.get_nowait()
        return True
