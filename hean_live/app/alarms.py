"""Trouble said once when it begins and once when it ends, in the log and the journal."""

from __future__ import annotations

import logging

from hean_live.execution.journal import Journal

log = logging.getLogger(__name__)


class Alarms:
    """Remembers which troubles are on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._on: dict[str, str] = {}

    def raised(self, code: str, detail: str) -> None:
        """Say that a trouble is on, unless that has been said; details may vary without being repeated."""
        if code in self._on:
            return
        self._on[code] = detail
        log.warning("%s: %s", code, detail)
        self._journal.event("error", {"code": code, "detail": detail})

    def cleared(self, code: str) -> None:
        """Say that a trouble is over, if it was on."""
        if code in self._on:
            del self._on[code]
            log.info("%s: over", code)
            self._journal.event("recovered", {"code": code})

    @property
    def active(self) -> dict[str, str]:
        """Troubles that are on, with their first words."""
        return dict(self._on)
