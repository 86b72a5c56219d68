"""What the world outside learns of a recorder that runs as a process of its own: alerts and signs of life.

Here belongs the watch over it. Recording is `hean_live.recorder`'s.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from hean_live.alerts.configured import make_sender
from hean_live.alerts.desk import AlertDesk, Trouble
from hean_live.app.health import SignsOfLife
from hean_live.settings import LiveSettings

_SILENT = "SILENT"


class RecordingWatch:
    """Watches one recorder.

    Parameters
    ----------
    settings : LiveSettings
    clock_ns, monotonic : callable
        Wall time; seconds that only grow.

    """

    def __init__(
        self,
        settings: LiveSettings,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = make_sender(settings, "recorder")
        self._desk = AlertDesk(self._sender.tell, settings.alert_quiet_s)
        self._signs = SignsOfLife("recording " + ", ".join(settings.symbols), "but")
        self._silent_s = settings.max_ticker_age_s
        self._clock_ns = clock_ns
        self._monotonic = monotonic
        self._told: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._troubles: dict[str, Trouble] = {}
        self._messages = -1
        self._heard_at = monotonic()

    def alert(self, code: str, words: str) -> None:
        """Take the recorder's word of a trouble, or with no words of its end; from any thread."""
        self._told.put((code, words))

    def look(self, messages: int) -> None:
        """Say how it goes, `messages` having come so far; to be called about every second."""
        now = self._monotonic()
        if messages != self._messages:
            self._messages, self._heard_at = messages, now
        while not self._told.empty():
            code, words = self._told.get()
            self._set(code, words)
        silent_s = now - self._heard_at
        wrong = f"no message for more than {self._silent_s:g} s" if silent_s > self._silent_s else ""
        self._set(_SILENT, wrong)
        self._desk.update(self._troubles, self._clock_ns())
        # A full disk is said, and mended by no restart.
        notes = {code: trouble.text for code, trouble in self._troubles.items() if code != _SILENT}
        self._signs.beat([wrong] if wrong else [], notes)

    def close(self) -> None:
        """Send the alerts that wait."""
        self._sender.close()

    def _set(self, code: str, words: str) -> None:
        if words:
            self._troubles[code] = Trouble(words)
        else:
            self._troubles.pop(code, None)
