"""Parsers of Binance USD-M public REST replies into columns (NumPy) and small records. Pure.

History parsers return columns sorted by time, one row per instant. Times are int64 ns UTC, rates fractions. Source: the venue's
"USDS-Margined Futures" documentation. What does not belong here: fetching, pages, storage; raw streams (``readers/``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.market.bybit_v5 import (
    NS_PER_MS,
    Payload,
    as_payload,
    decimal,
    nanoseconds,
    optional_nanoseconds,
    optional_real,
    optional_text,
    real,
    text,
)

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
INTERVAL_H = 8
"""Hours between settlements where the venue has not adjusted them."""
_REMEDY = "compare the reply with the venue's documentation; the format may have changed"


class Funding(NamedTuple):
    """Settled funding: settlement (ns, with the venue's jitter), rate paid (fraction), mark price, interval (h, NaN)."""

    ts: Int64s
    funding_rate: Float64s
    mark_price: Float64s
    interval_h: Float64s


class OpenInterest(NamedTuple):
    """Open interest in base coins and in quote coins over the period that ends at `ts`."""

    ts: Int64s
    open_interest: Float64s
    open_interest_usd: Float64s


class AccountRatio(NamedTuple):
    """Shares of all accounts net long and net short over the period that starts at `ts`."""

    ts: Int64s
    buy_ratio: Float64s
    sell_ratio: Float64s


class Klines(NamedTuple):
    """Trade bars by their open, with the volume takers bought."""

    ts: Int64s
    open: Float64s
    high: Float64s
    low: Float64s
    close: Float64s
    volume: Float64s
    turnover: Float64s
    taker_buy_volume: Float64s


class IndexKlines(NamedTuple):
    """Bars of mark price or premium index by their open."""

    ts: Int64s
    open: Float64s
    high: Float64s
    low: Float64s
    close: Float64s


@dataclass(frozen=True)
class RunningFunding:
    """The funding rate under way (`lastFundingRate` is the latest estimate, whatever its name says)."""

    symbol: str
    funding_rate: float | None
    next_funding_ns: int | None
    mark_price: float | None
    index_price: float | None
    at_ns: int


@dataclass(frozen=True)
class Touch:
    """Best bid and ask, quote per unit of the contract."""

    symbol: str
    bid: float
    ask: float


@dataclass(frozen=True)
class BinanceInstrument:
    """A perpetual; caps and interval are None where the venue has not adjusted them."""

    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    margin_coin: str
    tick_size: Decimal
    qty_step: Decimal
    min_order_qty: Decimal
    launch_ns: int | None
    upper_funding_rate: float | None = None
    lower_funding_rate: float | None = None
    funding_interval_h: int | None = None


def parse_funding(reply: object, symbol: str) -> Funding:
    """Parse `fundingRate`; raises DataError when a row is of another symbol."""
    rows = _rows(reply, "fundingRate")
    _require_symbol(rows, symbol, "fundingRate")
    ts, (rate, mark) = _columns(rows, "fundingTime", (_need("fundingRate"), _may("markPrice")), "fundingRate")
    return Funding(ts, rate, mark, np.full(len(ts), np.nan))


def parse_open_interest(reply: object, symbol: str) -> OpenInterest:
    """Parse `openInterestHist`."""
    rows = _rows(reply, "openInterestHist")
    _require_symbol(rows, symbol, "openInterestHist")
    fields = (_need("sumOpenInterest"), _need("sumOpenInterestValue"))
    ts, columns = _columns(rows, "timestamp", fields, "openInterestHist")
    return OpenInterest(ts, *columns)


def parse_account_ratio(reply: object, symbol: str) -> AccountRatio:
    """Parse `globalLongShortAccountRatio`."""
    rows = _rows(reply, "globalLongShortAccountRatio")
    _require_symbol(rows, symbol, "globalLongShortAccountRatio")
    fields = (_need("longAccount"), _need("shortAccount"))
    ts, columns = _columns(rows, "timestamp", fields, "globalLongShortAccountRatio")
    return AccountRatio(ts, *columns)


def parse_klines(reply: object) -> Klines:
    """Parse `klines`: arrays of twelve cells."""
    ts, table = _bars(reply, (1, 2, 3, 4, 5, 7, 9))
    return Klines(ts, *table)


def parse_index_klines(reply: object) -> IndexKlines:
    """Parse `markPriceKlines` or `premiumIndexKlines`."""
    ts, table = _bars(reply, (1, 2, 3, 4))
    return IndexKlines(ts, *table)


def parse_running_funding(reply: object) -> list[RunningFunding]:
    """Parse `premiumIndex` of all symbols or of one."""
    rows = _rows(reply if isinstance(reply, list) else [reply], "premiumIndex")
    return [
        RunningFunding(
            text(row, "symbol", "premiumIndex"),
            optional_real(row, "lastFundingRate", "premiumIndex"),
            optional_nanoseconds(row, "nextFundingTime", "premiumIndex"),
            optional_real(row, "markPrice", "premiumIndex"),
            optional_real(row, "indexPrice", "premiumIndex"),
            nanoseconds(row, "time", "premiumIndex"),
        )
        for row in rows
    ]


def parse_touch(reply: object) -> Touch:
    """Parse `ticker/bookTicker` of one symbol."""
    row = as_payload(reply, "bookTicker")
    symbol = text(row, "symbol", "bookTicker")
    where = f"bookTicker of {symbol}"
    return Touch(symbol, real(row, "bidPrice", where), real(row, "askPrice", where))


def parse_intervals(reply: object) -> dict[str, int]:
    """Parse `fundingInfo`: hours by symbol, of contracts whose terms the venue has adjusted; the others have `INTERVAL_H`."""
    found = {text(row, "symbol", "fundingInfo"): row for row in _rows(reply, "fundingInfo")}
    hours = {name: optional_real(row, "fundingIntervalHours", name) for name, row in found.items()}
    return {name: int(value) for name, value in hours.items() if value}


def parse_instruments(info: object, funding_info: object) -> list[BinanceInstrument]:
    """Parse `exchangeInfo`, perpetuals only, with the adjusted caps and intervals of `fundingInfo`."""
    adjusted = {text(row, "symbol", "fundingInfo"): row for row in _rows(funding_info, "fundingInfo")}
    rows = _rows(as_payload(info, "exchangeInfo").get("symbols"), "exchangeInfo")
    return [
        _instrument(row, adjusted.get(optional_text(row, "symbol")))
        for row in rows
        if row.get("contractType") in ("PERPETUAL", "TRADIFI_PERPETUAL")
    ]


def _instrument(row: Payload, funding: Payload | None) -> BinanceInstrument:
    symbol = text(row, "symbol", "exchangeInfo")
    where = f"exchangeInfo of {symbol}"
    filters = {text(each, "filterType", where): each for each in _rows(row.get("filters"), where)}
    for kind in ("PRICE_FILTER", "LOT_SIZE"):
        if kind not in filters:
            raise DataError(f"{where}: expected a filter {kind}, was absent", remedy=_REMEDY)
    given = funding or {}
    interval = optional_real(given, "fundingIntervalHours", where)
    return BinanceInstrument(
        symbol=symbol,
        status=text(row, "status", where),
        base_coin=text(row, "baseAsset", where),
        quote_coin=text(row, "quoteAsset", where),
        margin_coin=text(row, "marginAsset", where),
        tick_size=decimal(filters["PRICE_FILTER"], "tickSize", where),
        qty_step=decimal(filters["LOT_SIZE"], "stepSize", where),
        min_order_qty=decimal(filters["LOT_SIZE"], "minQty", where),
        launch_ns=optional_nanoseconds(row, "onboardDate", where),
        upper_funding_rate=optional_real(given, "adjustedFundingRateCap", where),
        lower_funding_rate=optional_real(given, "adjustedFundingRateFloor", where),
        funding_interval_h=None if interval is None else int(interval),
    )


Field = Callable[[Payload, str], float]


def _need(field: str) -> Field:
    return lambda row, where: real(row, field, where)


def _may(field: str) -> Field:
    def value(row: Payload, where: str) -> float:
        found = optional_real(row, field, where)
        return float("nan") if found is None else found

    return value


def _rows(reply: object, where: str) -> list[Payload]:
    if isinstance(reply, list | tuple):
        return [as_payload(row, where) for row in reply]
    raise DataError(f"{where}: expected an array, was {type(reply).__name__}", remedy=_REMEDY)


def _require_symbol(rows: Sequence[Payload], symbol: str, where: str) -> None:
    other = {str(row.get("symbol")) for row in rows if row.get("symbol") not in (symbol, None)}
    if other:
        raise DataError(f"{where}: expected rows of {symbol}, was {', '.join(sorted(other))}", remedy=_REMEDY)


def _columns(
    rows: Sequence[Payload], time: str, fields: Sequence[Field], where: str
) -> tuple[Int64s, list[Float64s]]:
    stamps = np.array([nanoseconds(row, time, where) for row in rows], dtype=np.int64)
    order, first = np.unique(stamps, return_index=True)
    return order, [np.array([field(row, where) for row in rows], dtype=np.float64)[first] for field in fields]


def _bars(reply: object, cells: Sequence[int]) -> tuple[Int64s, Float64s]:
    if not isinstance(reply, list | tuple):
        raise DataError(f"klines: expected an array, was {type(reply).__name__}", remedy=_REMEDY)
    if not reply:
        return np.empty(0, np.int64), np.empty((len(cells), 0), np.float64)
    try:
        stamps = np.array([int(row[0]) for row in reply], dtype=np.int64) * NS_PER_MS
        table = np.array([[float(row[i]) for i in cells] for row in reply], dtype=np.float64)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise DataError(
            f"klines: expected arrays of numbers, was otherwise: {error}", remedy=_REMEDY
        ) from None
    if not np.isfinite(table).all():
        raise DataError("klines: expected finite numbers, was otherwise", remedy=_REMEDY)
    order, first = np.unique(stamps, return_index=True)
    return order, np.ascontiguousarray(table[first].T)
