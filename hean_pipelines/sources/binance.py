"""Binance USD-M public REST as complete ranges: pages walked, joined, ascending, one row per instant.

Every history method returns the half-open range [start_ns, end_ns). Source: the venue's documentation of USDS-margined futures.
What does not belong here: published files (`archives.py`), storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from hean_pipelines.sources.http import PoliteHttp, Retry
from hean_pipelines.sources.ranges import NS_PER_DAY, NS_PER_MS, Columns, join_pages
from models.errors import DataError, SkipSymbol
from models.market.binance_usdm import (
    AccountRatio,
    BinanceInstrument,
    Funding,
    IndexKlines,
    Klines,
    OpenInterest,
    RunningFunding,
    parse_account_ratio,
    parse_funding,
    parse_index_klines,
    parse_instruments,
    parse_klines,
    parse_open_interest,
    parse_running_funding,
)
from models.market.bybit_v5 import as_payload, nanoseconds

FUNDING_PAGE, RATIO_PAGE, KLINE_PAGE = 1000, 500, 1500
FUNDING_PER_5S, REQUESTS_PER_5S = 8, 16
"""`fundingRate` and `fundingInfo` share 500 requests in five minutes and address; bars and ratios bear twice that."""
_FUNDING_PATHS = ("/fapi/v1/fundingRate", "/fapi/v1/fundingInfo")
RATIO_DAYS = 30
"""`/futures/data/` knows no more than its newest days."""
UNKNOWN_SYMBOL = -1121
_BARS = {"perp": "klines", "mark": "markPriceKlines", "premium": "premiumIndexKlines"}
_INTERVALS = {60: "1m", 300: "5m", 900: "15m", 3600: "1h", 14_400: "4h", 86_400: "1d"}
_PERIODS_S = {"5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14_400, "1d": 86_400}


class BinancePublicClient:
    """Reads Binance USD-M public REST, or anything that speaks it.

    Parameters
    ----------
    base_url : str
        Such as `https://fapi.binance.com`.
    http : PoliteHttp
        With a budget of at most `REQUESTS_PER_5S`.
    funding_http : PoliteHttp, optional
        For the two funding paths, with at most `FUNDING_PER_5S`; by default `http` serves them too.

    """

    def __init__(self, base_url: str, http: PoliteHttp, funding_http: PoliteHttp | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self.http = http
        self._funding_http = funding_http or http

    def funding_history(self, symbol: str, start_ns: int, end_ns: int) -> Funding:
        """Return settlements in [start_ns, end_ns); both ends of a request are inclusive, pages ascend."""
        return self._forward(
            "/fapi/v1/fundingRate", symbol, start_ns, end_ns, FUNDING_PAGE, lambda r: parse_funding(r, symbol)
        )

    def open_interest(self, symbol: str, period: str, start_ns: int, end_ns: int) -> OpenInterest:
        """Return open interest in [start_ns, end_ns), as far back as the venue knows it (30 days)."""
        return self._recent("openInterestHist", symbol, period, start_ns, end_ns, parse_open_interest)

    def account_ratio(self, symbol: str, period: str, start_ns: int, end_ns: int) -> AccountRatio:
        """Return the account ratio in [start_ns, end_ns), as far back as the venue knows it (30 days)."""
        return self._recent(
            "globalLongShortAccountRatio", symbol, period, start_ns, end_ns, parse_account_ratio
        )

    def klines(self, symbol: str, bar_s: int, start_ns: int, end_ns: int) -> Klines:
        """Return trade bars that open in [start_ns, end_ns), the running one included."""
        return self._bars("perp", symbol, bar_s, start_ns, end_ns, parse_klines)

    def index_klines(
        self, kind: Literal["mark", "premium"], symbol: str, bar_s: int, start_ns: int, end_ns: int
    ) -> IndexKlines:
        """Return mark or premium-index bars that open in [start_ns, end_ns)."""
        return self._bars(kind, symbol, bar_s, start_ns, end_ns, parse_index_klines)

    def running_funding(self, symbols: Iterable[str]) -> tuple[int, list[RunningFunding]]:
        """Return the venue's time and the rates under way of `symbols` that it knows."""
        wanted = set(symbols)
        rows = parse_running_funding(self._get("/fapi/v1/premiumIndex", {}))
        at_ns = max(row.at_ns for row in rows) if rows else self.market_time_ns("")
        return at_ns, [row for row in rows if row.symbol in wanted]

    def instruments(self, symbols: Iterable[str] | None = None) -> tuple[int, list[BinanceInstrument]]:
        """Return the venue's time and its perpetuals, all or those of `symbols`."""
        info = self._get("/fapi/v1/exchangeInfo", {})
        found = parse_instruments(info, self._get("/fapi/v1/fundingInfo", {}))
        wanted = None if symbols is None else set(symbols)
        at_ns = nanoseconds(as_payload(info, "exchangeInfo"), "serverTime", "exchangeInfo")
        return at_ns, [row for row in found if wanted is None or row.symbol in wanted]

    def market_time_ns(self, symbol: str) -> int:
        """Return the venue's clock, ns."""
        return nanoseconds(as_payload(self._get("/fapi/v1/time", {}), "time"), "serverTime", "time")

    def _bars(
        self,
        kind: str,
        symbol: str,
        bar_s: int,
        start_ns: int,
        end_ns: int,
        parse: Callable[[object], Columns],
    ) -> Columns:
        path, extra = f"/fapi/v1/{_BARS[kind]}", {"interval": _INTERVALS[bar_s]}
        return self._forward(path, symbol, start_ns, end_ns, KLINE_PAGE, parse, extra)

    def _forward(
        self,
        path: str,
        symbol: str,
        start_ns: int,
        end_ns: int,
        page: int,
        parse: Callable[[object], Columns],
        extra: Mapping[str, Any] | None = None,
    ) -> Columns:
        # A window with more rows than the limit gives its first ones: walk on from the last row.
        pages: list[Columns] = []
        at_ms, end_ms = -(-start_ns // NS_PER_MS), (end_ns - 1) // NS_PER_MS
        while True:
            params = {"symbol": symbol, "startTime": at_ms, "endTime": end_ms, "limit": page, **(extra or {})}
            rows = parse(self._get(path, params))
            pages.append(rows)
            if len(rows[0]) < page:
                return join_pages(pages, start_ns, end_ns)
            newest_ms = int(rows[0][-1]) // NS_PER_MS
            if newest_ms < at_ms:
                raise DataError(
                    f"{path} of {symbol}: expected rows from {at_ms} ms on, was up to {newest_ms} ms"
                )
            at_ms = newest_ms + 1

    def _recent(
        self,
        name: str,
        symbol: str,
        period: str,
        start_ns: int,
        end_ns: int,
        parse: Callable[[object, str], Columns],
    ) -> Columns:
        # The newest rows of a window come; older than its memory the venue refuses the request.
        oldest_ns = self.market_time_ns(symbol) - RATIO_DAYS * NS_PER_DAY + NS_PER_DAY // 24
        start_ms = -(-max(start_ns, oldest_ns) // NS_PER_MS)
        step_ms = _PERIODS_S[period] * 1000 * RATIO_PAGE
        pages: list[Columns] = []
        end_ms = (end_ns - 1) // NS_PER_MS
        for at_ms in range(start_ms, end_ms + 1, step_ms):
            params = {
                "symbol": symbol,
                "period": period,
                "startTime": at_ms,
                "endTime": min(at_ms + step_ms - 1, end_ms),
                "limit": RATIO_PAGE,
            }
            pages.append(parse(self._get(f"/futures/data/{name}", params), symbol))
        return join_pages(pages or [parse([], symbol)], start_ns, end_ns)

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        query = f"?{urlencode(params)}" if params else ""
        http = self._funding_http if path in _FUNDING_PATHS else self.http
        reply = http.get_any(f"{self.base_url}{path}{query}", _judge, answers=(200, 400))
        if isinstance(reply, Mapping) and isinstance(reply.get("code"), int) and reply["code"] < 0:
            raise DataError(
                f"{path} {dict(params)}: expected data, was {reply['code']} ({str(reply.get('msg'))[:120]})"
            )
        return reply


def _judge(body: Any, headers: Mapping[str, str]) -> Retry | None:
    code = body.get("code") if isinstance(body, Mapping) else None
    if code == UNKNOWN_SYMBOL:
        raise SkipSymbol(
            "expected a symbol the venue lists, was unknown", remedy="names differ between venues"
        )
    if code in (-1000, -1001, -1003, -1007, -1008):
        return Retry(f"code {code} ({str(body.get('msg'))[:80]})")
    return None
