"""Public market data of Binance USD-M, as far as the executor looks at another venue: running funding and the touch.

Unsigned, and nothing is ever sent there. Parsing is `models.market`'s; when it is asked, `hean_live.other_markets`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

import requests

from hean_live.venues.codes import error_of_status
from hean_live.venues.errors import VenueUnreachable
from hean_live.venues.public import LOOPBACK_HOSTS
from models.errors import DataError
from models.market.binance_usdm import (
    RunningFunding,
    Touch,
    parse_intervals,
    parse_running_funding,
    parse_touch,
)

_PREMIUM: Final = "/fapi/v1/premiumIndex"
T = TypeVar("T")


class BinanceMarket:
    """Unsigned requests to one base address.

    Parameters
    ----------
    url : str
        Base address without path.
    timeout_s : float
        For connecting and for reading.

    """

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._session = requests.Session()
        if urlsplit(url).hostname in LOOPBACK_HOSTS:
            self._session.trust_env = False  # a proxy from the environment cannot reach loopback

    def listed(self) -> frozenset[str]:
        """Return every perpetual with a premium index; one request.

        Raises
        ------
        VenueUnreachable
            If no usable reply came; so do all methods.
        RateLimited
            If the venue asked to slow down; so do all methods.

        """
        return frozenset(row.symbol for row in self._ask(_PREMIUM, {}, parse_running_funding))

    def running_funding(self, symbol: str) -> RunningFunding:
        """Return the rate under way of a contract."""
        rows = self._ask(_PREMIUM, {"symbol": symbol}, parse_running_funding)
        if [row.symbol for row in rows] != [symbol]:
            raise VenueUnreachable(f"{self.url}{_PREMIUM}: expected a row of {symbol}, was another")
        return rows[0]

    def touch(self, symbol: str) -> Touch:
        """Return best bid and ask of a contract."""
        return self._ask("/fapi/v1/ticker/bookTicker", {"symbol": symbol}, parse_touch)

    def intervals(self) -> dict[str, int]:
        """Return hours between settlements by contract, of those whose terms are adjusted."""
        return self._ask("/fapi/v1/fundingInfo", {}, parse_intervals)

    def _ask(self, path: str, params: dict[str, str], parse: Callable[[object], T]) -> T:
        try:
            return parse(self._get(path, params))
        except DataError as error:
            raise VenueUnreachable(f"{self.url}{path}: {error}") from error

    def _get(self, path: str, params: dict[str, str]) -> object:
        address = f"{self.url}{path}" + (f"?{urlencode(params)}" if params else "")
        try:
            reply = self._session.get(address, timeout=self._timeout_s)
            if reply.status_code != 200:
                raise error_of_status(reply.status_code, path, command=False)
            body: object = reply.json()
        except (ValueError, RecursionError) as error:
            raise VenueUnreachable(f"{self.url}{path}: a reply should be JSON, was not") from error
        except requests.RequestException as error:
            raise VenueUnreachable(
                f"{self.url}{path}: no answer ({type(error).__name__})",
                remedy="check the network and other_venue_url; it is tried again",
            ) from error
        return body
