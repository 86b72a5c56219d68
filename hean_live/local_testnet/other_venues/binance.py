"""Binance USD-M public REST: funding, premium index, ratios, bars, contracts.

Formats, limits and refusals as the venue documents them: ranges include both ends, pages ascend from the start, `/futures/data/`
knows thirty days, funding endpoints share 500 requests in five minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hean_live.local_testnet.limits import RollingWindow
from hean_live.local_testnet.markets.base import BarKind, Market
from hean_live.local_testnet.other_venues.binance_present import Row, premium_row, touch_row
from hean_live.local_testnet.public_history import amount_text, rate_text
from hean_live.local_testnet.query import FAR_FUTURE_MS, Query
from models.simulation.bars import DAY_MS, MINUTE_MS
from models.simulation.listing import Listing
from models.simulation.other_venues import funding_difference, price_factor

FUNDING_WINDOW_MS, FUNDING_LIMIT = 300_000, 500
KNOWN_MS = 30 * DAY_MS
_INTERVALS = {"1m": "1", "3m": "3", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "D"}
_PERIODS = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720, "1d": 1440}
Handler = Callable[[Market, Query, int], object]


@dataclass(frozen=True)
class BinanceRefused(Exception):
    """A refusal with HTTP status, the venue's code and words."""

    status: int
    code: int
    words: str

    def body(self) -> bytes:
        """Return the body the venue sends."""
        return json.dumps({"code": self.code, "msg": self.words}).encode()


def funding_rate(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/fundingRate``."""
    listing = _listed(market, query)
    start, end = query.integer("startTime") or 0, query.integer("endTime") or FAR_FUTURE_MS
    limit = min(query.integer("limit") or 100, 1000)
    times, rates = market.funding(listing.symbol, start, end, 10**9, now_ms)
    if query.integer("startTime") is None:
        times, rates = times[-limit:], rates[-limit:]
    times, rates = times[:limit], rates[:limit]
    rates = rates + funding_difference("binance", times, listing.interval_h)
    return [
        # The venue's stamps jitter by a few milliseconds; the same settlement always by the same.
        {
            "symbol": listing.symbol,
            "fundingTime": int(ts) + int(ts // 3_600_000) % 7,
            "fundingRate": rate_text(float(rate)),
            "markPrice": _mark_text(market, listing, int(ts)),
        }
        for ts, rate in zip(times, rates, strict=True)
    ]


def premium_index(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/premiumIndex`` of one symbol or of all."""
    return _present(premium_row, market, query, now_ms)


def book_ticker(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/ticker/bookTicker`` of one symbol or of all."""
    return _present(touch_row, market, query, now_ms)


def open_interest_hist(market: Market, query: Query, now_ms: int) -> object:
    """``/futures/data/openInterestHist``."""
    listing, step_ms, start, end, limit = _recent(market, query, now_ms)
    times, values = market.open_interest(listing.symbol, step_ms, start, end, limit, now_ms)
    bars = (
        market.bars(BarKind.PERP, listing.symbol, "5", int(times[0]) - 300_000, end, 10**6, now_ms)
        if len(times)
        else None
    )
    rows = []
    for ts, value in zip(times, values, strict=True):
        at = -1 if bars is None else int(np.searchsorted(bars.ts_ms, ts, side="right")) - 1
        price = 0.0 if bars is None or at < 0 else float(bars.close[at])
        rows.append(
            {
                "symbol": listing.symbol,
                "sumOpenInterest": amount_text(0.6 * float(value)),
                "sumOpenInterestValue": amount_text(0.6 * float(value) * price),
                "timestamp": int(ts),
            }
        )
    return rows


def account_ratio(market: Market, query: Query, now_ms: int) -> object:
    """``/futures/data/globalLongShortAccountRatio``."""
    listing, step_ms, start, end, limit = _recent(market, query, now_ms)
    times, values = market.long_ratio(listing.symbol, step_ms, start, end, limit, now_ms)
    return [
        {
            "symbol": listing.symbol,
            "longShortRatio": f"{share / (1.0 - share):.4f}",
            "longAccount": f"{share:.4f}",
            "shortAccount": f"{1.0 - share:.4f}",
            "timestamp": int(ts),
        }
        for ts, share in zip(times.tolist(), values.tolist(), strict=True)
    ]


def klines(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/klines``."""
    return _bars(market, query, now_ms, BarKind.PERP)


def mark_klines(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/markPriceKlines``."""
    return _bars(market, query, now_ms, BarKind.MARK)


def premium_klines(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/premiumIndexKlines``."""
    return _bars(market, query, now_ms, BarKind.PREMIUM)


def exchange_info(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/exchangeInfo``."""
    symbols = [
        {
            "symbol": row.symbol,
            "pair": row.symbol,
            "contractType": "PERPETUAL",
            "onboardDate": row.launch_ms,
            "status": "TRADING",
            "baseAsset": row.base_coin,
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "tickSize": str(row.tick_size),
                    "minPrice": "0",
                    "maxPrice": "0",
                },
                {
                    "filterType": "LOT_SIZE",
                    "stepSize": str(row.qty_step),
                    "minQty": str(row.min_order_qty),
                    "maxQty": "1000",
                },
            ],
        }
        for row in market.listings("linear").values()
    ]
    return {"timezone": "UTC", "serverTime": now_ms, "symbols": symbols}


def funding_info(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/fundingInfo``: only contracts whose terms are not the ordinary ones."""
    return [
        {
            "symbol": row.symbol,
            "adjustedFundingRateCap": str(row.funding_cap),
            "adjustedFundingRateFloor": str(-row.funding_cap),
            "fundingIntervalHours": row.interval_h,
        }
        for row in market.listings("linear").values()
        if row.interval_h != 8
    ]


def server_time(market: Market, query: Query, now_ms: int) -> object:
    """``/fapi/v1/time``."""
    return {"serverTime": now_ms}


GETS: dict[str, Handler] = {
    "/fapi/v1/fundingRate": funding_rate,
    "/fapi/v1/fundingInfo": funding_info,
    "/fapi/v1/premiumIndex": premium_index,
    "/fapi/v1/ticker/bookTicker": book_ticker,
    "/fapi/v1/klines": klines,
    "/fapi/v1/markPriceKlines": mark_klines,
    "/fapi/v1/premiumIndexKlines": premium_klines,
    "/fapi/v1/exchangeInfo": exchange_info,
    "/fapi/v1/time": server_time,
    "/futures/data/openInterestHist": open_interest_hist,
    "/futures/data/globalLongShortAccountRatio": account_ratio,
}


class FundingBudget:
    """The 500 requests in five minutes that two endpoints share."""

    def __init__(self) -> None:
        self._window = RollingWindow(FUNDING_LIMIT, FUNDING_WINDOW_MS)

    def admit(self, path: str, real_ms: int) -> None:
        """Count a request; raises `BinanceRefused` with status 429 beyond the limit."""
        if path in ("/fapi/v1/fundingRate", "/fapi/v1/fundingInfo") and not self._window.take(real_ms):
            raise BinanceRefused(
                429, -1003, "Too many requests; current limit is 500 requests per 5 minutes."
            )


def _listed(market: Market, query: Query) -> Listing:
    symbol = query.text("symbol")
    if not symbol:
        raise BinanceRefused(
            400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
        )
    listing = market.listings("linear").get(symbol)
    if listing is None:
        raise BinanceRefused(400, -1121, "Invalid symbol.")
    return listing


def _recent(market: Market, query: Query, now_ms: int) -> tuple[Listing, int, int, int, int]:
    listing = _listed(market, query)
    period = query.text("period")
    if period not in _PERIODS:
        raise BinanceRefused(400, -1130, "Data sent for parameter 'period' is not valid.")
    start, end = query.integer("startTime") or 0, query.integer("endTime") or now_ms
    if query.integer("startTime") is not None and start < now_ms - KNOWN_MS:
        raise BinanceRefused(400, -1130, "parameter 'startTime' is invalid.")
    return (
        listing,
        _PERIODS[period] * MINUTE_MS,
        max(start, now_ms - KNOWN_MS),
        end,
        min(query.integer("limit") or 30, 500),
    )


def _bars(market: Market, query: Query, now_ms: int, kind: BarKind) -> object:
    listing = _listed(market, query)
    interval = query.text("interval")
    if interval not in _INTERVALS:
        raise BinanceRefused(400, -1120, "Invalid interval.")
    start, end = query.integer("startTime") or 0, query.integer("endTime") or FAR_FUTURE_MS
    limit = min(query.integer("limit") or 500, 1500)
    bars = market.bars(kind, listing.symbol, _INTERVALS[interval], start, end, 10**9, now_ms)
    bars = (
        bars.part(max(0, len(bars) - limit), len(bars))
        if query.integer("startTime") is None
        else bars.part(0, min(limit, len(bars)))
    )
    step_ms = int(bars.ts_ms[1] - bars.ts_ms[0]) if len(bars) > 1 else MINUTE_MS
    factor = 1.0 if kind is BarKind.PREMIUM else price_factor("binance")
    volumes = np.zeros(len(bars)) if bars.volume is None else bars.volume
    turnovers = np.zeros(len(bars)) if bars.turnover is None else bars.turnover
    columns = (bars.ts_ms, bars.open, bars.high, bars.low, bars.close, volumes, turnovers)
    return [
        [
            int(ts), *(f"{factor * price:.8f}" for price in prices), f"{volume:.3f}", int(ts) + step_ms - 1, f"{turnover:.5f}",
            100, f"{volume / 2:.3f}", f"{turnover / 2:.5f}", "0",
        ]
        for ts, *prices, volume, turnover in zip(*(column.tolist() for column in columns), strict=True)
    ]  # fmt: skip


def _present(
    row_of: Callable[[Market, Listing, int], Row | None], market: Market, query: Query, now_ms: int
) -> object:
    wanted = [_listed(market, query)] if query.text("symbol") else list(market.listings("linear").values())
    rows = [row_of(market, listing, now_ms) for listing in wanted]
    if None in rows:
        raise BinanceRefused(503, -1000, "An unknown error occurred while processing the request.")
    return rows[0] if query.text("symbol") else rows


def _mark_text(market: Market, listing: Listing, at_ms: int) -> str:
    mark = market.mark_price(listing.symbol, at_ms)
    return "" if mark is None else f"{float(mark) * price_factor('binance'):.8f}"
