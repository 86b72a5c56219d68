"""Bybit's public market data as complete ranges: pages walked, joined, ascending, one row per instant.

Every history method returns the half-open range [start_ns, end_ns) as columns, empty where the venue has no
such history for the symbol. An unknown symbol raises `SkipSymbol`. What a walk relies on, from the venue's v5
documentation, is said beside it. What does not belong here: storage, days, which bars are closed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import quote

from hean_pipelines.sources.http import PoliteHttp, Retry
from hean_pipelines.sources.ranges import NS_PER_MS, Columns, join_pages
from models.errors import DataError, SkipSymbol
from models.market.bybit_v5 import envelope_time_ns, next_page_cursor, real, return_code, rows_of
from models.market.bybit_v5_market import (
    AccountRatio,
    FundingHistory,
    IndexKlines,
    Klines,
    OpenInterest,
    Ticker,
    parse_account_ratio,
    parse_funding_history,
    parse_index_klines,
    parse_klines,
    parse_open_interest,
    parse_ticker,
)
from models.market.instruments import Instrument, parse_instrument

BarKind = Literal["perp", "spot", "mark", "index", "premium"]
FUNDING_PAGE, OPEN_INTEREST_PAGE, RATIO_PAGE, KLINE_PAGE, INSTRUMENTS_PAGE = 200, 200, 500, 1000, 1000

PARAMETER_ERROR, RATE_LIMITED, SERVER_TIMEOUT, SERVER_ERROR = 10001, 10006, 10000, 10016
_MAX_WAIT_S = 60.0
_BARS: dict[str, tuple[str, str]] = {
    "perp": ("/v5/market/kline", "linear"),
    "spot": ("/v5/market/kline", "spot"),
    "mark": ("/v5/market/mark-price-kline", "linear"),
    "index": ("/v5/market/index-price-kline", "linear"),
    "premium": ("/v5/market/premium-index-price-kline", "linear"),
}
_INTERVALS = {60: "1", 180: "3", 300: "5", 900: "15", 1800: "30", 3600: "60", 14400: "240", 86400: "D"}
_log = logging.getLogger(__name__)

Parse = Callable[[object, str], Columns]


class BybitPublicClient:
    """Reads Bybit v5 public REST, or anything that speaks it.

    Parameters
    ----------
    base_url : str
        Such as `https://api.bybit.com`.
    http : PoliteHttp
        Budget and retries; share one between clients of the same host.

    """

    def __init__(self, base_url: str, http: PoliteHttp) -> None:
        self.base_url = base_url.rstrip("/")
        self.http = http

    def funding_history(self, symbol: str, start_ns: int, end_ns: int) -> FundingHistory:
        """Return settlements in [start_ns, end_ns).

        Whether the venue's edges are inclusive is not documented: one millisecond more is asked for on each
        side and pages overlap by one row.
        """
        params = {"category": "linear", "symbol": symbol, "limit": FUNDING_PAGE}
        pages: list[FundingHistory] = []
        start_ms, end_ms = start_ns // NS_PER_MS - 1, -(-end_ns // NS_PER_MS)
        while True:
            result = self._result(
                "/v5/market/funding/history", params | {"startTime": start_ms, "endTime": end_ms}
            )
            page = parse_funding_history(result, symbol)
            pages.append(page)
            # Both ends were given, so a page that is not full holds all that is left.
            if len(page.ts) < FUNDING_PAGE:
                break
            end_ms = _further_back(page, end_ms, symbol)
        return self._joined(pages, symbol, start_ns, end_ns, "funding/history")

    def open_interest(self, symbol: str, interval: str, start_ns: int, end_ns: int) -> OpenInterest:
        """Return open interest in [start_ns, end_ns); `interval` is 5min, 15min, 30min, 1h, 4h or 1d."""
        params = {
            "category": "linear",
            "symbol": symbol,
            "intervalTime": interval,
            "limit": OPEN_INTEREST_PAGE,
        }
        return self._by_cursor("/v5/market/open-interest", params, parse_open_interest, start_ns, end_ns)

    def account_ratio(self, symbol: str, period: str, start_ns: int, end_ns: int) -> AccountRatio:
        """Return the account ratio in [start_ns, end_ns); `period` as in `open_interest`."""
        params = {"category": "linear", "symbol": symbol, "period": period, "limit": RATIO_PAGE}
        return self._by_cursor("/v5/market/account-ratio", params, parse_account_ratio, start_ns, end_ns)

    def klines(
        self, kind: Literal["perp", "spot"], symbol: str, bar_s: int, start_ns: int, end_ns: int
    ) -> Klines:
        """Return trade bars that open in [start_ns, end_ns), the running one included."""
        return self._walk_bars(kind, parse_klines, symbol, bar_s, start_ns, end_ns)

    def index_klines(
        self, kind: Literal["mark", "index", "premium"], symbol: str, bar_s: int, start_ns: int, end_ns: int
    ) -> IndexKlines:
        """Return mark, index or premium-index bars that open in [start_ns, end_ns), with the running one."""
        return self._walk_bars(kind, parse_index_klines, symbol, bar_s, start_ns, end_ns)

    def tickers(self, symbols: Iterable[str]) -> tuple[int, list[Ticker]]:
        """Return the venue's time (ns) and the tickers of `symbols` that it knows, in its order."""
        wanted = set(symbols)
        envelope = self._envelope("/v5/market/tickers", {"category": "linear"})
        rows = rows_of(self._checked(envelope, "/v5/market/tickers"), "tickers")
        return envelope_time_ns(envelope), [parse_ticker(row) for row in rows if row.get("symbol") in wanted]

    def spot_quotes(self, symbols: Iterable[str]) -> tuple[int, dict[str, tuple[float, float]]]:
        """Return the venue's time (ns) and best (bid, ask) of the spot markets of these names that have both."""
        wanted = set(symbols)
        envelope = self._envelope("/v5/market/tickers", {"category": "spot"})
        rows = rows_of(self._checked(envelope, "/v5/market/tickers"), "tickers")
        return envelope_time_ns(envelope), {
            str(row["symbol"]): (real(row, "bid1Price", "tickers"), real(row, "ask1Price", "tickers"))
            for row in rows
            if row.get("symbol") in wanted and row.get("bid1Price") and row.get("ask1Price")
        }

    def instruments(self, symbols: Iterable[str]) -> tuple[int, list[Instrument]]:
        """Return the venue's time (ns) of the first page and the contracts of `symbols` that it knows."""
        wanted, cursor, seen, found = set(symbols), "", set[str](), list[Instrument]()
        first_ns = None
        while True:
            params = {"category": "linear", "limit": INSTRUMENTS_PAGE}
            envelope = self._envelope("/v5/market/instruments-info", params, cursor)
            first_ns = envelope_time_ns(envelope) if first_ns is None else first_ns
            result = self._checked(envelope, "/v5/market/instruments-info")
            rows = rows_of(result, "instruments-info")
            found += [parse_instrument(row) for row in rows if row.get("symbol") in wanted]
            cursor = next_page_cursor(result)
            # The venue may send a cursor on the last page too: an empty page or a repeated cursor ends it.
            if not cursor or cursor in seen or not rows:
                return first_ns, found
            seen.add(cursor)

    def market_time_ns(self, symbol: str) -> int:
        """Return the venue's market clock: the envelope time of a ticker (any symbol is answered)."""
        return envelope_time_ns(
            self._envelope("/v5/market/tickers", {"category": "linear", "symbol": symbol})
        )

    def is_listed(self, category: str, symbol: str) -> bool:
        """Return whether the venue has this symbol in `category`."""
        envelope = self._envelope("/v5/market/instruments-info", {"category": category, "symbol": symbol})
        return return_code(envelope) == 0 and bool(rows_of(envelope.get("result"), "instruments-info"))

    def _walk_bars(
        self, kind: BarKind, parse: Parse[Columns], symbol: str, bar_s: int, start_ns: int, end_ns: int
    ) -> Columns:
        # Both ends are inclusive and the newest rows are kept: walk back from the end.
        path, category = _BARS[kind]
        params = {
            "category": category,
            "symbol": symbol,
            "interval": _INTERVALS[bar_s],
            "limit": KLINE_PAGE,
        }
        start_ms, end_ms = -(-start_ns // NS_PER_MS), (end_ns - 1) // NS_PER_MS
        pages: list[Columns] = []
        while not pages or end_ms >= start_ms:
            page = parse(self._result(path, params | {"start": start_ms, "end": end_ms}), symbol)
            pages.append(page)
            if not len(page[0]):
                break
            end_ms = _further_back(page, end_ms + 1, symbol) - 1
        return self._joined(pages, symbol, start_ns, end_ns, f"{kind} klines")

    def _by_cursor(
        self, path: str, params: dict[str, Any], parse: Parse[Columns], start_ns: int, end_ns: int
    ) -> Columns:
        # A lone startTime is silently ignored: both ends always go along. Both are inclusive.
        params = params | {"startTime": -(-start_ns // NS_PER_MS), "endTime": (end_ns - 1) // NS_PER_MS}
        symbol, cursor, seen = str(params["symbol"]), "", set[str]()
        pages: list[Columns] = []
        while True:
            result = self._result(path, params, cursor)
            page = parse(result, symbol)
            pages.append(page)
            cursor = next_page_cursor(result)
            if not cursor or cursor in seen or not len(page[0]) or page[0][0] <= start_ns:
                return self._joined(pages, symbol, start_ns, end_ns, path)
            seen.add(cursor)

    def _joined(self, pages: list[Columns], symbol: str, start_ns: int, end_ns: int, what: str) -> Columns:
        joined = join_pages(pages, start_ns, end_ns)
        if not len(joined[0]):
            _log.info("%s of %s: the venue has no rows in the range", what, symbol)
        return joined

    def _result(self, path: str, params: Mapping[str, Any], cursor: str = "") -> Any:
        envelope = self._envelope(path, params, cursor)
        if return_code(envelope) == PARAMETER_ERROR and not self.is_listed(
            params["category"], params["symbol"]
        ):
            raise SkipSymbol(
                f"{params['symbol']}: expected a symbol the venue lists as {params['category']}, was unknown",
                remedy="check the spelling (upper case, such as BTCUSDT) or leave the symbol out",
            )
        return self._checked(envelope, f"{path} {dict(params)}")

    def _envelope(self, path: str, params: Mapping[str, Any], cursor: str = "") -> dict[str, Any]:
        query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())
        if cursor:  # already percent-encoded by the venue; encoding it again breaks it
            query += f"&cursor={cursor}"
        return self.http.get_json(f"{self.base_url}{path}?{query}", self._judge)

    def _judge(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Retry | None:
        try:
            code = return_code(body)
        except DataError:
            return Retry("JSON without a retCode")
        if code == RATE_LIMITED:
            return Retry(f"retCode {code} (too many visits)", self._until_reset(headers))
        if code in (SERVER_TIMEOUT, SERVER_ERROR):
            return Retry(f"retCode {code} (server error)")
        return None

    def _until_reset(self, headers: Mapping[str, str]) -> float:
        # The stamp equals "now" when nothing is limited, so it can lie in the past: never a negative wait.
        try:
            reset_s = int(headers.get("X-Bapi-Limit-Reset-Timestamp", "0")) / 1000
        except ValueError:
            return 0.0
        return min(max(reset_s - self.http.wall(), 0.0), _MAX_WAIT_S)

    @staticmethod
    def _checked(envelope: Mapping[str, Any], what: str) -> Any:
        code = return_code(envelope)
        if code != 0:
            raise DataError(
                f"{what}: expected retCode 0, was {code} ({str(envelope.get('retMsg', ''))[:120]})",
                remedy="look the code up in the venue's list of error codes",
            )
        return envelope.get("result")


def _further_back(page: Columns, before_ms: int, symbol: str) -> int:
    """Return the page's oldest stamp (ms); a venue that does not walk back would be asked for ever."""
    oldest_ms = int(page[0][0]) // NS_PER_MS
    if oldest_ms >= before_ms:
        raise DataError(
            f"{symbol}: expected a page of rows before {before_ms} ms, was one that starts at {oldest_ms} ms",
            remedy="the venue ignores the end of the range: check HEAN_PIPELINES_VENUE_URL",
        )
    return oldest_ms
