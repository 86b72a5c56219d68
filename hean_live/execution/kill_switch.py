"""The kill switch (R2): off once, off until a person re-arms it, across restarts.

Trips when equity falls a given share below its peak, when the file ``KILL`` appears in the home folder, or on
request. Here belongs whether trading is killed and why; cancelling and closing is done by the engine, which
asks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from hean_live.execution.journal import Journal
from hean_live.execution.records import OrderRow
from models.errors import ConfigError

log = logging.getLogger(__name__)

FILE_NAME = "KILL"
_STATE = "kill_switch"
_PEAK = "peak_equity_usd"


def request_kill(home: Path, who: str) -> Path:
    """Write the file that trips the switch of the executor in `home`, running or started later; returns its path.

    Raises
    ------
    ConfigError
        If the folder does not exist or cannot be written: nothing would be killed.

    """
    path = home / FILE_NAME
    try:
        path.write_text(f"{who}\n")
    except OSError as error:
        raise ConfigError(
            f"{path} should be writable, was not: {error}", remedy="set HEAN_HOME to the executor's folder"
        ) from error
    return path


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
        self._said = ""
        self._last_equity: Decimal | None = None

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
        """Remember the peak, and trip if `equity` (USD) lies too far below it; two readings in a row decide both.

        A single reading may be wrong, and what follows from it is not undone by the next: a false peak or a false
        drawdown would each end trading until a person has looked.
        """
        before, self._last_equity = self._last_equity, equity
        if before is None:
            return
        text = self._journal.meta(_PEAK)
        confirmed = min(before, equity)
        if text is None or confirmed > Decimal(text):
            self._journal.set_meta(_PEAK, str(confirmed))
            return
        peak, hoped = Decimal(text), max(before, equity)
        floor = peak * (1 - self._drawdown)
        if hoped <= floor:
            share = self._drawdown * 100
            self.trip(f"equity {hoped:.2f} USD <= {floor:.2f} USD, {share:f} % below its peak {peak:.2f} USD")

    def trip(self, reason: str) -> None:
        """Turn trading off; a second reason does not replace the first."""
        if self.reason:
            return
        with self._journal.transaction():
            self._journal.set_meta(_STATE, json.dumps({"reason": reason, "at_ns": self._journal.at_ns}))
            self._journal.event("kill_switch", {"state": "tripped", "reason": reason})

    def say_progress(
        self, own: Mapping[str, Decimal] | None, active: Sequence[OrderRow], problem: str
    ) -> None:
        """While tripped, say what is still open, each change once, until the venue confirms that nothing is.

        Parameters
        ----------
        own : mapping of str to Decimal or None
            Our position of each symbol, confirmed by the venue; None if it did not answer.
        active : sequence of OrderRow
            Our orders that may still fill.
        problem : str
            Why the venue's word is missing, ``""`` if it is not.

        """
        if not self.reason:
            self._said = ""
            return
        held = {symbol: str(qty) for symbol, qty in (own or {}).items() if qty}
        if own is None:
            said = "the venue does not answer, closing is tried again"
        elif held or active:
            said = "still open: " + ", ".join([*sorted(held), *(row.client_id for row in active)])
        else:
            said = "nothing of ours is open, confirmed by the venue"
        if said == self._said:
            return
        self._said = said
        log.warning("kill switch: %s %s", said, problem)
        self._journal.event("kill_progress", {"found": said, "positions": held, "problem": problem})

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
