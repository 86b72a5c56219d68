"""Public market data of a Bybit v5 endpoint by plain HTTP: one method per reply the executor needs.

Unsigned, and possibly another host than the one orders go to. Parsing is `models.market`'s; keeping history
is the business of `hean_live.app`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import requests

from hean_live.venues.codes import error_of_code, error_of_status
from hean_live.venues.errors import RequestRefused, VenueUnreachable
from models.errors import DataError
from models.market.bybit_v5 import (
    Payload,
    as_payload,
    envelope_time_ns,
    next_page_cursor,
    optional_integer,
    optional_text,
    return_code,
)
from models.market.bybit_v5_market import Ticker, parse_tickers
from models.market.instruments import Instrument, parse_instruments

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_MAX_PAGES = 200
_MS = 1_000_000
_WINDOW_S = 5.0


@dataclass(frozen=True)
class TickerPage:
    """Tickers by symbol at one market time, ns UTC."""

    market_ns: int
    tickers: Mapping[str, Ticker]


class PublicMarket:
    """Unsigned requests to one base address.

    Parameters
    ----------
    url : str
        Base address without path.
    timeout_s : float
        For connecting and for reading.
    requests_per_5s : int, optional
        Most requests in any five seconds; more wait. For bulk reading, so that it leaves the address's limit (600) to orders.

    """

    def __init__(self, url: str, *, timeout_s: float = 5.0, requests_per_5s: int | None = None) -> None:
        self.url = url.rstrip("/")
        self._budget = requests_per_5s
        self._sent: deque[float] = deque()
        self._timeout_s = timeout_s
        self._session = requests.Session()
        if urlsplit(url).hostname in LOOPBACK_HOSTS:
            self._session.trust_env = False  # a proxy from the environment cannot reach loopback

    def tickers(self) -> TickerPage:
        """Return all linear tickers in one request, with the market time of the reply."""
        envelope = self.envelope("/v5/market/tickers", {"category": "linear"})
        rows = parse_tickers(envelope["result"])
        return TickerPage(envelope_time_ns(envelope), {row.symbol: row for row in rows})

    def spot_ticker(self, symbol: str) -> Ticker:
        """Return the ticker of a spot pair; raises RequestRefused where the venue does not list it."""
        envelope = self.envelope("/v5/market/tickers", {"category": "spot", "symbol": symbol})
        try:
            rows = {row.symbol: row for row in parse_tickers(envelope["result"])}
            return rows[symbol]
        except (DataError, KeyError) as error:
            raise VenueUnreachable(
                f"{self.url}: expected the spot ticker of {symbol}, was {error}"
            ) from error

    def clock_offset_ms(self) -> float:
        """Return local clock minus the venue's wall clock, ms; half the round trip is the error."""
        before = time.time_ns()
        envelope = self.envelope("/v5/market/time", {})
        after = time.time_ns()
        stamp = optional_integer(as_payload(envelope["result"], "time"), "timeNano", "time")
        server = stamp if stamp else envelope_time_ns(envelope)
        return ((before + after) / 2 - server) / _MS

    def instruments(self, symbols: tuple[str, ...]) -> dict[str, Instrument]:
        """Return the instruments of `symbols` that the venue lists; one request each."""
        found: dict[str, Instrument] = {}
        for symbol in symbols:
            params = {"category": "linear", "symbol": symbol}
            try:
                result = self.envelope("/v5/market/instruments-info", params)["result"]
            except RequestRefused:
                continue  # a symbol the venue does not list
            found |= {row.symbol: row for row in parse_instruments(result) if row.symbol == symbol}
        return found

    def pages(self, path: str, params: Mapping[str, object]) -> Iterator[Payload]:
        """Yield the `result` of every page of a listing with cursors, newest page first."""
        cursor, seen = "", set()
        for _ in range(_MAX_PAGES):
            result = as_payload(self.envelope(path, params, cursor)["result"], path)
            yield result
            cursor = next_page_cursor(result)
            if not cursor or cursor in seen:
                return
            seen.add(cursor)

    def envelope(self, path: str, params: Mapping[str, object], cursor: str = "") -> Payload:
        """Ask once and return the envelope of a successful reply.

        Parameters
        ----------
        path : str
            For example ``/v5/market/tickers``.
        params : mapping
            Query; values are written with `str`.
        cursor : str, optional
            A page's cursor as received: it is already percent-encoded and is appended verbatim.

        Raises
        ------
        VenueUnreachable
            If no usable reply came.
        RateLimited
            If the venue asked to slow down.

        """
        query = urlencode({key: str(value) for key, value in params.items()})
        address = (
            f"{self.url}{path}" + (f"?{query}" if query else "") + (f"&cursor={cursor}" if cursor else "")
        )
        self._wait_for_turn()
        try:
            reply = self._session.get(address, timeout=self._timeout_s)
            if reply.status_code != 200:
                raise error_of_status(reply.status_code, path, command=False)
            envelope = as_payload(reply.json(), path)
            code = return_code(envelope)
            if code == 0:
                as_payload(envelope.get("result"), path)
        except (ValueError, RecursionError) as error:
            raise VenueUnreachable(f"{self.url}{path}: a reply should be JSON, was not") from error
        except requests.RequestException as error:
            raise VenueUnreachable(
                f"{self.url}{path}: no answer ({type(error).__name__})",
                remedy="check the network and the market data URL; it is tried again",
            ) from error
        except DataError as error:
            raise VenueUnreachable(f"{self.url}{path}: {error}") from error
        if code != 0:
            raise error_of_code(code, optional_text(envelope, "retMsg"), command=False)
        return envelope

    def _wait_for_turn(self) -> None:
        if self._budget is None:
            return
        if len(self._sent) >= self._budget:
            oldest = self._sent.popleft()
            time.sleep(max(0.0, oldest + _WINDOW_S - time.monotonic()))
        self._sent.append(time.monotonic())
