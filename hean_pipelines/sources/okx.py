"""OKX public REST about swaps: funding, instruments, open interest.

History comes newest first and goes about three months back. Source: the venue's v5 documentation. What does not belong here:
storage, names on other venues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from hean_pipelines.sources.http import PoliteHttp, Retry
from hean_pipelines.sources.ranges import NS_PER_MS, join_pages
from models.errors import SkipSymbol
from models.market.bybit_v5 import nanoseconds
from models.market.okx_swap import (
    OkxFunding,
    OkxInstrument,
    OkxOpenInterest,
    OkxRunningFunding,
    parse_funding_history,
    parse_instruments,
    parse_open_interest,
    parse_running_funding,
    rows_of_reply,
)

FUNDING_PAGE = 100
REQUESTS_PER_5S = 20
"""Funding endpoints allow 10 requests in two seconds and address."""
_UNKNOWN = ("51001", "51000")
_BUSY = ("50011", "50013", "50001", "50026", "50061")


class OkxPublicClient:
    """Reads OKX public REST, or anything that speaks it.

    Parameters
    ----------
    base_url : str
        Such as `https://www.okx.com`.
    http : PoliteHttp
        With a budget of at most `REQUESTS_PER_5S`.

    """

    def __init__(self, base_url: str, http: PoliteHttp) -> None:
        self.base_url = base_url.rstrip("/")
        self.http = http

    def funding_history(self, symbol: str, start_ns: int, end_ns: int) -> OkxFunding:
        """Return settlements in [start_ns, end_ns) as far back as the venue knows them.

        ``after`` asks for rows *older* than a stamp (exclusive): the walk goes back from the end.
        """
        pages: list[OkxFunding] = []
        after_ms = -(-end_ns // NS_PER_MS)
        while True:
            params = {"instId": symbol, "after": after_ms, "limit": FUNDING_PAGE}
            page = parse_funding_history(self._get("funding-rate-history", params), symbol)
            pages.append(page)
            oldest_ms = int(page.ts[0]) // NS_PER_MS if len(page.ts) else 0
            if len(page.ts) < FUNDING_PAGE or oldest_ms * NS_PER_MS <= start_ns or oldest_ms >= after_ms:
                return join_pages(pages, start_ns, end_ns)
            after_ms = oldest_ms

    def running_funding(self, symbols: Iterable[str]) -> list[OkxRunningFunding]:
        """Return the rate for the coming settlement of each symbol the venue knows."""
        found: list[OkxRunningFunding] = []
        for symbol in symbols:
            try:
                found += parse_running_funding(self._get("funding-rate", {"instId": symbol}))
            except SkipSymbol:
                continue
        return found

    def instruments(self) -> list[OkxInstrument]:
        """Return every swap."""
        return parse_instruments(self._get("instruments", {"instType": "SWAP"}))

    def open_interest(self) -> list[OkxOpenInterest]:
        """Return the open interest of every swap."""
        return parse_open_interest(self._get("open-interest", {"instType": "SWAP"}))

    def market_time_ns(self, symbol: str) -> int:
        """Return the venue's clock, ns."""
        (row,) = rows_of_reply(self._get("time", {}), "time")
        return nanoseconds(row, "ts", "time")

    def _get(self, name: str, params: Mapping[str, Any]) -> Any:
        query = f"?{urlencode(params)}" if params else ""
        return self.http.get_any(f"{self.base_url}/api/v5/public/{name}{query}", _judge)


def _judge(body: Any, headers: Mapping[str, str]) -> Retry | None:
    if not isinstance(body, Mapping):
        return Retry(f"JSON of type {type(body).__name__} where an object was expected")
    code = str(body.get("code", ""))
    if code in _UNKNOWN:
        raise SkipSymbol(
            f"expected an instrument the venue lists, was unknown ({str(body.get('msg'))[:80]})",
            remedy="names differ between venues",
        )
    if code in _BUSY:
        return Retry(f"code {code} ({str(body.get('msg'))[:80]})")
    return None
