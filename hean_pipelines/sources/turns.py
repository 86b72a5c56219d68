"""Whose turn it is to ask a host: a budget of requests in any five seconds, bans, and the waiting they cost.

What does not belong here: requests and replies (`http.py`), and what processes share (`budget.py`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hean_pipelines.sources.budget import SharedBudget
from models.errors import Retryable

BAN_S = 600.0
"""The venue lifts a ban of an address after ten minutes without traffic."""


class RequestsBanned(Retryable):
    """The venue refuses this address for a while; asking again would only lengthen it."""


@dataclass
class Traffic:
    """What was spent: requests sent, retries among them, seconds on the network, seconds waiting."""

    requests: int = 0
    retries: int = 0
    network_s: float = 0.0
    waiting_s: float = 0.0


@dataclass
class _Host:
    sent: deque[float] = field(default_factory=deque)
    banned_until: float = 0.0
    refusal: str = ""


class Turns:
    """Hands out turns to threads.

    Parameters
    ----------
    requests_per_5s : int
        Most requests to one host in any five seconds.
    shared : SharedBudget or None
        A budget held in common with other processes.
    sleep, monotonic : callables
        Time.

    """

    def __init__(
        self,
        requests_per_5s: int,
        shared: SharedBudget | None,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self.traffic = Traffic()
        self._budget = requests_per_5s
        self._shared = shared
        self._sleep = sleep
        self._monotonic = monotonic
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def take(self, url: str) -> None:
        """Wait until the host of `url` may be asked; raises RequestsBanned while it must not be."""
        # A log of the last five seconds is exact; a refilling bucket would allow bursts of twice the budget.
        with self._lock:
            host = self._hosts.setdefault(urlsplit(url).netloc, _Host())
        while True:
            with self._lock:
                now = self._monotonic()
                if now < host.banned_until:
                    raise _banned(url, f"not sent after {host.refusal}")
                while host.sent and now - host.sent[0] >= 5.0:
                    host.sent.popleft()
                if len(host.sent) < self._budget:
                    host.sent.append(now)
                    self.traffic.requests += 1
                    break
                pause = 5.0 - (now - host.sent[0])
            self.wait(pause)
        if self._shared is not None:
            waited = self._shared.take(urlsplit(url).netloc)
            with self._lock:
                self.traffic.waiting_s += waited

    def ban(self, url: str, refusal: str) -> RequestsBanned:
        """Give no more turns to the host for ten minutes; returns the error to raise."""
        with self._lock:
            host = self._hosts.setdefault(urlsplit(url).netloc, _Host())
            host.banned_until, host.refusal = self._monotonic() + BAN_S, refusal
        return _banned(url, refusal)

    def wait_for_retry(self, seconds: float) -> None:
        """Wait before asking the same again."""
        with self._lock:
            self.traffic.retries += 1
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Sleep, counted."""
        with self._lock:
            self.traffic.waiting_s += seconds
        self._sleep(seconds)

    def on_network(self, seconds: float) -> None:
        """Count time a request was under way."""
        with self._lock:
            self.traffic.network_s += seconds


def shown(url: str) -> str:
    """Return an address without the password it may hold."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}?{parts.query}"


def _banned(url: str, what: str) -> RequestsBanned:
    return RequestsBanned(
        f"GET {shown(url)}: expected HTTP 200, was {what}: too many requests from this address, "
        "or a country the venue does not serve",
        remedy="stop everything that asks this venue from here, wait 10 minutes, run again; "
        "what was fetched before is kept",
    )
