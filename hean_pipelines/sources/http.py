"""One polite way to ask a venue for JSON: a budget per host, retries with jitter, errors that explain.

Belongs here: everything true of any venue's public REST. Does not: paths, return codes, parsing, storage.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from hean_pipelines.sources.budget import SharedBudget
from models.errors import DataError, Retryable

BAN_S = 600.0
"""The venue lifts a ban of an address after ten minutes without traffic."""


class RequestsBanned(Retryable):
    """The venue refuses this address for a while; asking again would only lengthen it."""


@dataclass(frozen=True)
class Retry:
    """A judge's word that a well-formed reply must be asked for again, after at least `wait_s` seconds."""

    reason: str
    wait_s: float = 0.0


Judge = Callable[[Mapping[str, Any], Mapping[str, str]], Retry | None]
"""Looks at (body, headers) of a reply and says whether to ask again."""
AnyJudge = Callable[[Any, Mapping[str, str]], Retry | None]
"""The same for replies that may be arrays."""


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


class PoliteHttp:
    """GET JSON within a budget; safe to share between threads (each gets its own session).

    Parameters
    ----------
    requests_per_5s : int
        Most requests to one host in any five seconds (the venue's own limit is 600 per address).
    max_attempts : int
        Attempts of one request before giving up.
    timeout_s : float
        Seconds for connecting and between two bytes of the answer.
    backoff_s, backoff_max_s : float
        Attempt n waits a random time up to `min(backoff_max_s, backoff_s * 2**n)` (full jitter).
    shared : SharedBudget, optional
        A budget held in common with other processes and other objects of this class.
    sleep, monotonic, wall : callables
        Time, replaceable in tests.

    """

    def __init__(
        self,
        *,
        requests_per_5s: int = 500,
        max_attempts: int = 6,
        timeout_s: float = 10.0,
        backoff_s: float = 0.25,
        backoff_max_s: float = 15.0,
        shared: SharedBudget | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.budget = requests_per_5s
        self.max_attempts = max_attempts
        self.timeout_s = timeout_s
        self.traffic = Traffic()
        self.wall = wall
        self._shared = shared
        self._backoff = (backoff_s, backoff_max_s)
        self._sleep = sleep
        self._monotonic = monotonic
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def get_json(self, url: str, judge: Judge) -> dict[str, Any]:
        """Return the JSON object at `url`, asked for again as long as that can help; see `get_any`."""
        found = self.get_any(url, lambda body, headers: _object_only(body) or judge(body, headers))
        return dict(found)

    def get_any(
        self,
        url: str,
        judge: AnyJudge,
        headers: Mapping[str, str] | None = None,
        answers: tuple[int, ...] = (200,),
    ) -> Any:
        """Return the JSON at `url`, object or array, asked for again as long as that can help.

        `url` is sent as it is: percent-encoded cursors stay as the venue wrote them. `headers` may hold a key; they are never
        shown. `answers` are the HTTP statuses whose body is the venue's own word, for the judge to read.

        Raises
        ------
        RequestsBanned
            On HTTP 403: not asked again, neither is anything else on that host for ten minutes.
        Retryable
            When all attempts failed for passing reasons.
        DataError
            On an answer that asking again cannot change (other 4xx).

        """
        reason = ""
        for attempt in range(self.max_attempts):
            outcome = self._attempt(url, judge, headers or {}, answers)
            if not isinstance(outcome, Retry):
                return outcome
            reason = outcome.reason
            if attempt + 1 < self.max_attempts:
                with self._lock:
                    self.traffic.retries += 1
                self._wait(outcome.wait_s + self._jitter(attempt))
        raise Retryable(
            f"GET {_shown(url)}: expected an answer, was {reason} in {self.max_attempts} attempts",
            remedy="check that the venue's address is right and reachable, then run again: "
            "what was fetched before is kept",
        )

    def open_stream(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Return an answer whose body is still to be read, within the budget and after retries.

        The caller closes it. A body that breaks off is the caller's business: it knows how much it has.

        Parameters
        ----------
        url : str
        headers : mapping
            Of the request, for example a ``Range``.

        Returns
        -------
        requests.Response
            With status 200, 206, 304, 404 or 416.

        Raises
        ------
        RequestsBanned, Retryable, DataError
            As `get_json`.

        """
        reason = ""
        for attempt in range(self.max_attempts):
            outcome = self._attempt_stream(url, headers)
            if isinstance(outcome, requests.Response):
                return outcome
            reason = outcome.reason
            if attempt + 1 < self.max_attempts:
                with self._lock:
                    self.traffic.retries += 1
                self._wait(outcome.wait_s + self._jitter(attempt))
        raise Retryable(
            f"GET {_shown(url)}: expected an answer, was {reason} in {self.max_attempts} attempts",
            remedy="check that the address is right and reachable, then run again: what was fetched before is kept",
        )

    def _attempt_stream(self, url: str, headers: Mapping[str, str]) -> requests.Response | Retry:
        host = self._take_turn(url)
        try:
            session, surroundings = self._session(url)
            request = _raw_get(url)
            request.headers.update({"Accept": "*/*", "Accept-Encoding": "identity", **headers})
            reply = session.send(request, timeout=self.timeout_s, **(dict(surroundings) | {"stream": True}))
        except requests.Timeout:
            return Retry(f"no answer within {self.timeout_s:g} s")
        except requests.RequestException as error:
            return Retry(f"a broken connection ({_cause(error)})")
        if reply.status_code in (200, 206, 304, 404, 416):
            return reply
        with reply:
            return self._refusal(url, host, reply)

    def _attempt(
        self, url: str, judge: AnyJudge, headers: Mapping[str, str], answers: tuple[int, ...]
    ) -> Any:
        host = self._take_turn(url)
        started = self._monotonic()
        try:
            # A prepared request would re-encode the query; the raw URL is what a cursor needs.
            session, surroundings = self._session(url)
            request = _raw_get(url)
            request.headers.update(headers)
            reply = session.send(request, timeout=self.timeout_s, **surroundings)
            body = reply.content
        except requests.Timeout:
            return Retry(f"no answer within {self.timeout_s:g} s")
        except requests.RequestException as error:
            return Retry(f"a broken connection ({_cause(error)})")
        finally:
            with self._lock:
                self.traffic.network_s += self._monotonic() - started
        if reply.status_code not in answers:
            return self._refusal(url, host, reply)
        try:
            content = json.loads(body)
        except ValueError:
            return Retry(f"a body of {len(body)} bytes that is not JSON (truncated?)")
        return judge(content, reply.headers) or content

    def _refusal(self, url: str, host: _Host, reply: requests.Response) -> Retry:
        status, text = reply.status_code, reply.text[:120].strip()
        if status in (403, 418):  # 418: how Binance says that an address is banned
            host.banned_until, host.refusal = self._monotonic() + BAN_S, f"HTTP {status} ({text})"
            raise self._ban(url, host.refusal)
        if status == 429 or status >= 500:
            return Retry(f"HTTP {status} ({text})", self._retry_after(reply.headers))
        raise DataError(
            f"GET {_shown(url)}: expected HTTP 200, was {status} ({text})",
            remedy="check the venue's address (HEAN_PIPELINES_VENUE_URL) and the request's parameters",
        )

    def _retry_after(self, headers: Mapping[str, str]) -> float:
        value = headers.get("Retry-After", "")
        try:
            seconds = float(value)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(value).timestamp() - self.wall()
            except ValueError:
                return 0.0
        return min(max(seconds, 0.0), BAN_S)

    def _take_turn(self, url: str) -> _Host:
        # A log of the last five seconds is exact; a refilling bucket would allow bursts of twice the budget.
        with self._lock:
            host = self._hosts.setdefault(urlsplit(url).netloc, _Host())
        while True:
            with self._lock:
                now = self._monotonic()
                if now < host.banned_until:
                    raise self._ban(url, f"not sent after {host.refusal}")
                while host.sent and now - host.sent[0] >= 5.0:
                    host.sent.popleft()
                if len(host.sent) < self.budget:
                    host.sent.append(now)
                    self.traffic.requests += 1
                    break
                pause = 5.0 - (now - host.sent[0])
            self._wait(pause)
        if self._shared is not None:
            waited = self._shared.take(urlsplit(url).netloc)
            with self._lock:
                self.traffic.waiting_s += waited
        return host

    @staticmethod
    def _ban(url: str, what: str) -> RequestsBanned:
        return RequestsBanned(
            f"GET {_shown(url)}: expected HTTP 200, was {what}: too many requests from this address, "
            "or a country the venue does not serve",
            remedy="stop everything that asks this venue from here, wait 10 minutes, run again; "
            "what was fetched before is kept",
        )

    def _wait(self, seconds: float) -> None:
        with self._lock:
            self.traffic.waiting_s += seconds
        self._sleep(seconds)

    def _jitter(self, attempt: int) -> float:
        base, most = self._backoff
        return self._random.uniform(0.0, min(most, base * 2.0**attempt))

    def close(self) -> None:
        """Close every thread's connections; the object can be used again afterwards."""
        with self._lock:
            sessions, self._sessions, self._local = self._sessions, [], threading.local()
        for session in sessions:
            session.close()

    def _session(self, url: str) -> tuple[requests.Session, Mapping[str, Any]]:
        known = getattr(self._local, "session", None)
        if known is None:
            session = requests.Session()
            # `send` of a prepared request forgets proxies and certificates of the environment.
            surroundings = session.merge_environment_settings(url, {}, None, None, None)
            known = self._local.session = (session, surroundings)
            with self._lock:
                self._sessions.append(session)
        return known


def _object_only(body: Any) -> Retry | None:
    if isinstance(body, dict):
        return None
    return Retry(f"JSON of type {type(body).__name__} where an object was expected")


def _raw_get(url: str) -> requests.PreparedRequest:
    request = requests.Request("GET", url, headers={"Accept": "application/json"}).prepare()
    request.url = url
    return request


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}?{parts.query}"


def _cause(error: BaseException) -> str:
    while error.__context__ is not None or error.__cause__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{type(error).__name__}: {error}"[:160]
