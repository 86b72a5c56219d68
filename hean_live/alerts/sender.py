"""A thread that sends alerts, so that no alert ever holds the loop up.

Here belong the queue, the attempts and what happens to an alert that cannot be sent: it is logged, as every alert is.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence

from hean_live.alerts.channels import Channel
from models.alerts import Alert, Deduplicator, headline
from models.errors import HeanError, Retryable

log = logging.getLogger(__name__)

_MOST_WAITING = 200
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}


class AlertSender:
    """Says each alert in the log, and sends those that are news to every channel.

    Parameters
    ----------
    channels : sequence of Channel
        May be empty: then alerts are in the log only.
    quiet_s : float
        How long an alert of the same code is not repeated.
    attempts : int
        How often one is tried at a channel.
    backoff_s : float
        Pause after the first failure; it doubles.

    """

    def __init__(
        self,
        channels: Sequence[Channel],
        *,
        quiet_s: float = 3600.0,
        attempts: int = 4,
        backoff_s: float = 2.0,
    ) -> None:
        self._channels = tuple(channels)
        self._deduplicator = Deduplicator(int(quiet_s * 1e9))
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._waiting: queue.Queue[Alert | None] = queue.Queue(_MOST_WAITING)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.sent = 0
        self.failed = 0

    def tell(self, alert: Alert) -> None:
        """Take an alert; returns at once and never raises."""
        admitted = self._deduplicator.admit(alert)
        if admitted is None:
            return
        log.log(
            _LEVELS["info" if alert.over else alert.severity], "%s: %s", headline(admitted), admitted.text
        )
        if not self._channels:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="alerts", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(admitted)
        except queue.Full:
            self.failed += 1
            log.error("alert %s is not sent: %d are waiting already", admitted.code, _MOST_WAITING)

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what is waiting, for at most `timeout_s`."""
        if self._thread is None:
            return
        threading.Timer(timeout_s / 2, self._closing.set).start()
        try:
            self._waiting.put(None, timeout=timeout_s / 2)
        except queue.Full:
            self._closing.set()
        self._thread.join(timeout_s)

    def _serve(self) -> None:
        while True:
            alert = self._waiting.get()
            if alert is None or self._closing.is_set():
                return
            for channel in self._channels:
                self._deliver(channel.name, channel.send, alert)

    def _deliver(self, name: str, send: Callable[[Alert], None], alert: Alert) -> None:
        for attempt in range(self._attempts):
            try:
                send(alert)
            except Retryable as error:
                last: HeanError = error
            except HeanError as error:
                last = error
                break
            else:
                self.sent += 1
                return
            if attempt + 1 < self._attempts and self._closing.wait(self._backoff_s * 2**attempt):
                break
        self.failed += 1
        log.error("alert %s could not be sent by %s: %s", alert.code, name, last)
