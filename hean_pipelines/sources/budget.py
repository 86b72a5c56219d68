"""One request budget per host for all processes of this machine: the venue counts by address, not by program.

Each process takes small leases of requests from a file beside the others; an operating-system lock keeps two from taking the
same. What is leased and not used at once is forgone. What does not belong here: sending requests.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

WINDOW_S = 5.0
LEASE = 20
"""Requests taken at once: a lock and a small file for each would cost as much as a request on loopback. Of a small budget less is
taken, for what is not used is forgone."""
_SHARE = 8

VALID_S = 0.5
"""A lease not used for so long is forgone: else old leases of many processes could be spent in one instant."""


class SharedBudget:
    """At most `limit` requests to a host in any five seconds, over all processes that share `folder`.

    Parameters
    ----------
    folder : Path
        Where the leases are noted.
    limit : int
        Requests per host and five seconds.
    sleep, monotonic : callables
        Time; the clock must be the same for all processes, as the system's monotonic clock is.

    """

    def __init__(
        self,
        folder: Path,
        limit: int,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.limit = limit
        self._sleep = sleep
        self._monotonic = monotonic
        self._held: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def take(self, host: str) -> float:
        """Take one request to `host`, waiting for it if need be; returns the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                left, leased_at = self._held.get(host, (0, 0.0))
                if left > 0 and self._monotonic() - leased_at < VALID_S:
                    self._held[host] = (left - 1, leased_at)
                    return waited
                pause = self._lease(host)
            if pause > 0.0:
                self._sleep(pause)
                waited += pause

    def _lease(self, host: str) -> float:
        """Note a lease and hold it, or return how long to wait before asking again."""
        import filelock

        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / (re.sub(r"[^A-Za-z0-9.-]", "_", host) + ".json")
        size = min(LEASE, max(1, self.limit // _SHARE))
        with filelock.FileLock(path.with_suffix(".lock")):
            now = (
                self._monotonic()
            )  # under the lock: a note made while we waited for it is not from the future
            # A lease may be spent until the end of its validity, so it counts that much longer. A note from the future
            # is from before a restart of the machine.
            noted = [(at, n) for at, n in _read(path) if now - WINDOW_S - VALID_S < at <= now]
            if sum(n for _, n in noted) + size > self.limit:
                return noted[0][0] + WINDOW_S + VALID_S - now + 0.001
            noted.append((now, size))
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps(noted), encoding="utf-8")
            os.replace(temporary, path)
        self._held[host] = (size, now)
        return 0.0


def _read(path: Path) -> list[tuple[float, int]]:
    try:
        return [(float(at), int(n)) for at, n in json.loads(path.read_text(encoding="utf-8"))]
    except (FileNotFoundError, ValueError, TypeError):  # absent or cut short: nothing is noted
        return []
