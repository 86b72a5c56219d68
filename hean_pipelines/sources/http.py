"""One polite way to ask a venue for JSON: a budget per host, retries with jitter, errors that explain.

Belongs here: everything true of any venue's public REST. Does not: paths, return codes, parsing, storage.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from hean_pipelines.sources.budget import SharedBudget
from hean_pipelines.sources.turns import BAN_S, RequestsBanned, Traffic, Turns, shown
from models.errors import DataError, Retryable

__all__ = ["BAN_S", "AnyJudge", "Judge", "PoliteHttp", "RequestsBanned", "Retry", "Traffic"]


@dataclass(frozen=True)
class Retry:
    """A judge's word that a well-formed reply must be asked for again, after at least `wait_s` seconds."""

    reason: str
    wait_s: float = 0.0


Judge = Callable[[Mapping[str, Any], Mapping[str, str]], Retry | None]
"""Looks at (body, headers) of a reply and says whether to ask again."""
AnyJudge = Callable[[Any, Mapping[str, str]], Retry | None]
"""The same for replies that may be arrays."""


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
        self.max_attempts = max_attempts
        self.timeout_s = timeout_s
        self.wall = wall
        self._turns = Turns(requests_per_5s, shared, sleep, monotonic)
        self._backoff = (backoff_s, backoff_max_s)
        self._monotonic = monotonic
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._lock = threading.Lock()
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    @property
    def traffic(self) -> Traffic:
        """What was spent so far."""
        return self._turns.traffic

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
        request = _raw_get(url)
        request.headers.update(headers or {})
        return self._until(url, lambda: self._attempt(url, request, judge, answers))

    def post_form(
        self, url: str, fields: Mapping[str, str], auth: tuple[str, str], judge: AnyJudge, agent: str
    ) -> Any:
        """Return the JSON a form is answered with, as `get_any`; `auth` is user and password, never shown.

        Only for questions that may be asked twice, such as for a token.
        """
        request = requests.Request(
            "POST",
            url,
            data=dict(fields),
            auth=auth,
            headers={"Accept": "application/json", "User-Agent": agent},
        ).prepare()
        return self._until(url, lambda: self._attempt(url, request, judge, (200, 400, 401)))

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
        reply: requests.Response = self._until(url, lambda: self._attempt_stream(url, headers))
        return reply

    def _until(self, url: str, attempt: Callable[[], Any]) -> Any:
        """Return what an attempt gives that is not a word to try again."""
        reason = ""
        for number in range(self.max_attempts):
            outcome = attempt()
            if not isinstance(outcome, Retry):
                return outcome
            reason = outcome.reason
            if number + 1 < self.max_attempts:
                self._turns.wait_for_retry(outcome.wait_s + self._jitter(number))
        raise Retryable(
            f"GET {shown(url)}: expected an answer, was {reason} in {self.max_attempts} attempts",
            remedy="check that the address is right and reachable, then run again: what was fetched before is kept",
        )

    def _attempt_stream(self, url: str, headers: Mapping[str, str]) -> requests.Response | Retry:
        self._turns.take(url)
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
            return self._refusal(url, reply)

    def _attempt(
        self, url: str, request: requests.PreparedRequest, judge: AnyJudge, answers: tuple[int, ...]
    ) -> Any:
        self._turns.take(url)
        started = self._monotonic()
        try:
            session, surroundings = self._session(url)
            reply = session.send(request, timeout=self.timeout_s, **surroundings)
            body = reply.content
        except requests.Timeout:
            return Retry(f"no answer within {self.timeout_s:g} s")
        except requests.RequestException as error:
            return Retry(f"a broken connection ({_cause(error)})")
        finally:
            self._turns.on_network(self._monotonic() - started)
        if reply.status_code not in answers:
            return self._refusal(url, reply)
        try:
            content = json.loads(body)
        except ValueError:
            return Retry(f"a body of {len(body)} bytes that is not JSON (truncated?)")
        return judge(content, reply.headers) or content

    def _refusal(self, url: str, reply: requests.Response) -> Retry:
        status, text = reply.status_code, reply.text[:120].strip()
        if status in (403, 418):  # 418: how Binance says that an address is banned
            raise self._turns.ban(url, f"HTTP {status} ({text})")
        if status == 429 or status >= 500:
            return Retry(f"HTTP {status} ({text})", self._retry_after(reply.headers))
        raise DataError(
            f"GET {shown(url)}: expected HTTP 200, was {status} ({text})",
            remedy="check the venue's address (HEAN_PIPELINES_VENUE_URL) and the request's parameters",
        )

    def _retry_after(self, headers: Mapping[str, str]) -> float:
        seconds = self._told_wait(headers)
        return min(max(seconds, 0.0), BAN_S)

    def _told_wait(self, headers: Mapping[str, str]) -> float:
        """Return the seconds a refusal asks for: by ``Retry-After``, X's ``x-rate-limit-reset`` or Reddit's own."""
        value = headers.get("Retry-After", "")
        try:
            if not value and "x-rate-limit-reset" in headers:
                return float(headers["x-rate-limit-reset"]) - self.wall()  # a moment in Unix seconds
            return float(value or headers.get("X-Ratelimit-Reset", ""))
        except ValueError:
            try:
                return parsedate_to_datetime(value).timestamp() - self.wall()
            except ValueError:
                return 0.0

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
    # A prepared request would re-encode the query; the raw URL is what a cursor needs.
    request = requests.Request("GET", url, headers={"Accept": "application/json"}).prepare()
    request.url = url
    return request


def _cause(error: BaseException) -> str:
    while error.__context__ is not None or error.__cause__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{type(error).__name__}: {error}"[:160]
