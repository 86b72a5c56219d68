"""Limits on connections: how many an address may have, how many it may open, and how long one may stay silent.

Here belongs counting. The venue's numbers: 500 new connections in five minutes per address, 1000 to one category.
"""

from __future__ import annotations

from collections import Counter

from hean_live.local_testnet.limits import RollingWindow
from hean_live.local_testnet.stream.hub import SILENT_S
from hean_live.local_testnet.venue import monotonic_ms

NEW_CONNECTIONS = 500
NEW_WINDOW_MS = 300_000
MOST_CONNECTIONS = 1_000
_LEAST_S, _MOST_S = 30.0, 600.0


class ConnectionGate:
    """Counts the connections of every address."""

    def __init__(self) -> None:
        self._new: dict[str, RollingWindow] = {}
        self._open: Counter[tuple[str, str]] = Counter()

    def admit(self, path: str, address: str) -> bool:
        """Whether an address may open another connection; counted where it may."""
        window = self._new.setdefault(address, RollingWindow(NEW_CONNECTIONS, NEW_WINDOW_MS))
        if not window.take(monotonic_ms()) or self._open[path, address] >= MOST_CONNECTIONS:
            return False
        self._open[path, address] += 1
        return True

    def leave(self, path: str, address: str) -> None:
        """Count a connection that has ended no more."""
        self._open[path, address] -= 1


def silent_seconds(words: str) -> float:
    """Read ``max_active_time`` such as ``90s`` or ``1m``; ten minutes where it is absent or no such thing."""
    factor = {"s": 1.0, "m": 60.0}.get(words[-1:], 0.0)
    if not factor or not words[:-1].isdigit():
        return SILENT_S
    return min(max(float(words[:-1]) * factor, _LEAST_S), _MOST_S)
