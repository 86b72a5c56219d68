"""What happened in a simulation, line by line, kept only if asked for. Printing belongs to the command."""

from __future__ import annotations


class Trace:
    """Lines with their instants.

    Parameters
    ----------
    start_ns : int
        Instants are shown in seconds after it.
    keep : bool
        Whether lines are kept at all.

    """

    def __init__(self, start_ns: int, keep: bool) -> None:
        self._start_ns = start_ns
        self._keep = keep
        self.lines: list[str] = []

    def add(self, at_ns: int, words: str) -> None:
        """Keep a line."""
        if self._keep:
            self.lines.append(f"{(at_ns - self._start_ns) / 1e9:10.3f} s  {words}")
