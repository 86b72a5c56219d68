"""The kill switch (R2): off once, off until a person re-arms it, across restarts.

Trips when equity falls a given share below its peak, when the file ``KILL`` appears in the home folder, or on
request. Here belongs whether trading is killed and why; cancelling and closing is done by the engine, which
asks.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from hean_live.execution.journal import Journal
from models.errors import ConfigError

FILE_NAME = "KILL"
_STATE = "kill_switch"
_PEAK = "peak_equity_usd"


class KillSwitch:
    """State kept in the journal.

    Parameters
    ----------
    journal : Journal
    home : Path
        Folder in which a file named ``KILL`` stops trading.
    drawdown : Decimal
        Share of the peak equity whose loss trips the switch.

    """

    def __init__(self, journal: Journal, home: Path, drawdown: Decimal) -> None:
        self._journal = journal
        self._file = home / FILE_NAME
        self._drawdown = drawdown

    @property
    def reason(self) -> str:
        """Why trading is off, or ``""`` while it is on."""
        text = self._journal.meta(_STATE)
        return "" if text is None else str(json.loads(text)["reason"])

    def look_for_file(self) -> None:
        """Trip if the file exists."""
        if self._file.exists():
            self.trip(f"the file {FILE_NAME} exists in the home folder")

    def observe_equity(self, equity: Decimal) -> None:
        """Remember the peak, and trip if `equity` (USD) lies too far below it."""
        text = self._journal.meta(_PEAK)
        peak = Decimal(text) if text else equity
        if equity >= peak:
            if text is None or equity > peak:
                self._journal.set_meta(_PEAK, str(equity))
            return
        floor = peak * (1 - self._drawdown)
        if equity <= floor:
            share = self._drawdown * 100
            self.trip(
                f"equity {equity:.2f} USD <= {floor:.2f} USD, {share:f} % below its peak {peak:.2f} USD"
            )

    def trip(self, reason: str) -> None:
        """Turn trading off; a second reason does not replace the first."""
        if self.reason:
            return
        with self._journal.transaction():
            self._journal.set_meta(_STATE, json.dumps({"reason": reason, "at_ns": self._journal.at_ns}))
            self._journal.event("kill_switch", {"state": "tripped", "reason": reason})

    def rearm(self) -> str:
        """Turn trading on again and forget the peak.

        Returns
        -------
        str
            The reason it had been off for, ``""`` if it was on.

        Raises
        ------
        ConfigError
            If the file still exists: it would trip at once.

        """
        if self._file.exists():
            raise ConfigError(
                f"{self._file} should be gone before re-arming, was there",
                remedy="delete the file, then re-arm",
            )
        reason = self.reason
        with self._journal.transaction():
            self._journal.delete_meta(_STATE)
            self._journal.delete_meta(_PEAK)
            self._journal.event("kill_switch", {"state": "armed", "was": reason})
        return reason
