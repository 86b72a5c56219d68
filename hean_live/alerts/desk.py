"""The desk where troubles become alerts: what is on now goes in, what is news goes out.

A trouble is told once it has lasted, again after the quiet time while it is still on, and when it is over. One that comes and
goes is told once in a quiet time; a critical one each time it begins. Here belongs when; what a trouble is, is the caller's to
say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.alerts import Alert, Severity


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong now; worth an alert after it has lasted `lasting_s` seconds."""

    text: str
    severity: Severity = "warning"
    lasting_s: float = 15.0


@dataclass
class _Stretch:
    since_ns: int
    told: bool = False


class AlertDesk:
    """Turns the set of present troubles into alerts.

    Parameters
    ----------
    tell : callable
        Takes each alert.
    quiet_s : float
        How long a code is not repeated.

    """

    def __init__(self, tell: Callable[[Alert], None], quiet_s: float) -> None:
        self._tell = tell
        self._quiet_ns = int(quiet_s * 1e9)
        self._on: dict[str, _Stretch] = {}
        self._told_ns: dict[str, int] = {}

    def update(self, troubles: Mapping[str, Trouble], now_ns: int) -> None:
        """Take the troubles that are on, by code.

        Parameters
        ----------
        troubles : mapping of str to Trouble
        now_ns : int
            Wall time, ns UTC, not before the last call's.

        """
        for code, trouble in troubles.items():
            self._look(code, trouble, now_ns)
        for code in [code for code in self._on if code not in troubles]:
            if self._on.pop(code).told:
                self._tell(Alert(code, "it is over", "info", now_ns, over=True))

    def _look(self, code: str, trouble: Trouble, now_ns: int) -> None:
        stretch = self._on.setdefault(code, _Stretch(now_ns))
        if now_ns - stretch.since_ns < trouble.lasting_s * 1e9:
            return
        last_ns = self._told_ns.get(code)
        begins = trouble.severity == "critical" and not stretch.told
        if begins or last_ns is None or now_ns - last_ns >= self._quiet_ns:
            stretch.told = True
            self._told_ns[code] = now_ns
            self._tell(Alert(code, trouble.text, trouble.severity, now_ns))
