"""What the service manager is told: alive while data come and the account is known, or what is wrong; at the start, to wait.

Here belongs when a sign of life is given. The protocol's bytes are `process.notify`'s.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence

from hean_live.app.process import notify
from hean_live.venues.errors import RateLimited
from hean_live.venues.public import PublicMarket
from models.errors import Retryable

log = logging.getLogger(__name__)

_RETRY_S = 5.0
_LONGEST_STATUS = 300


class SignsOfLife:
    """Feeds the watchdog while nothing is wrong, and says what the state is whenever that changes.

    Parameters
    ----------
    doing : str
        Words for when all is well: ``trading BTCUSDT``.
    but : str
        Words before what is said besides: ``no entries``.
    tell : callable
        `process.notify`.

    """

    def __init__(self, doing: str, but: str, tell: Callable[[str], None] = notify) -> None:
        self._doing = doing
        self._but = but
        self._tell = tell
        self._said = ""

    def beat(self, wrong: Sequence[str], notes: Mapping[str, str]) -> None:
        """Say what is so now.

        Parameters
        ----------
        wrong : sequence of str
            What keeps the process from doing its work; with any of it no sign of life is given.
        notes : mapping of str to str
            What is said besides, by code, and is no reason for a restart.

        """
        status = self._doing
        if wrong:
            status = "not well: " + "; ".join(wrong)
        elif notes:
            status += f"; {self._but}: " + "; ".join(f"{code} ({words})" for code, words in notes.items())
        status = " ".join(status.split())[:_LONGEST_STATUS]
        lines = [] if wrong else ["WATCHDOG=1"]
        if status != self._said:
            self._said = status
            lines.append(f"STATUS={status}")
        if lines:
            self._tell("\n".join(lines))


def wait_for_venues(
    urls: Sequence[str], timeout_s: float, pause: Callable[[float], object] = time.sleep
) -> None:
    """Under a service manager, wait until every address answers, and say so; elsewhere return at once.

    A venue in maintenance for an hour is no crash: restarts would run into the unit's limit. Without a service manager whoever
    started the process is told at once, by the error of the first request.

    Parameters
    ----------
    urls : sequence of str
        Base addresses.
    timeout_s : float
        Of a request.
    pause : callable
        Waits so many seconds.

    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    for url in dict.fromkeys(urls):
        while (wait_s := _unanswered_s(url, timeout_s)) > 0:
            pause(wait_s)


def _unanswered_s(url: str, timeout_s: float) -> float:
    """Ask for the time; returns 0 when it was answered, otherwise seconds to wait, and has the start prolonged by them."""
    try:
        PublicMarket(url, timeout_s=timeout_s).clock_offset_ms()
    except Retryable as error:
        wait_s = max(_RETRY_S, error.wait_s) if isinstance(error, RateLimited) else _RETRY_S
        log.warning("waiting for the venue: %s", error)
        # Enough for the pause, two attempts and what else a start takes; counted from now.
        prolong_us = int((wait_s + 2 * timeout_s + 60.0) * 1e6)
        notify(
            f"EXTEND_TIMEOUT_USEC={prolong_us}\nSTATUS=waiting for the venue: {' '.join(str(error).split())}"
        )
        return wait_s
    return 0.0
