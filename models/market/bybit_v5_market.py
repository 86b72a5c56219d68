"""Parsers of Bybit v5 public market replies into columns (NumPy) and small records. Pure.

History parsers return columns sorted by time, one row per instant, whatever order the venue used. Times are
int64 ns UTC, rates fractions, prices in quote units. Source: the venue's v5 documentation, `docs/v5/market`.
What does not belong here: fetching, pages, storage, and deciding which rows are final.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.market.bybit_v5 import (
    NS_PER_MS,
    Payload,
    as_payload,
    flag,
    integer,
    list_of,
    nanoseconds,
    optional_integer,
    optional_nanoseconds,
    optional_real,
    optional_text,
    real,
    rows_of,
    side_sign,
    text,
)

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]


class FundingHistory(NamedTuple):
    """Settled funding: `ts` the settlement instant (ns), `funding_rate` the rate paid (fraction)."""

    ts: Int64s
    funding_rate: Float64s


class OpenInterest(NamedTuple):
    """Open interest at instants `ts` (ns) in base coins, both sides summed as the venue reports it."""

    ts: Int64s
    open_interest: Float64s


class AccountRatio(NamedTuple):
    """Share of accounts net long and net short over the period that starts at `ts` (ns)."""

    ts: Int64s
    buy_ratio: Float64s
    sell_ratio: Float64s


class Klines(NamedTuple):
    """Trade bars; `ts` is the open of the bar (ns), `volume` in base, `turnover` in quote units."""

    ts: Int64s
    open: Float64s
    high: Float64s
    low: Float64s
    close: Float64s
    volume: Float64s
    turnover: Float64s


class IndexKlines(NamedTuple):
    """Bars without volume: mark, index (prices) or premium index (fractions); `ts` is the open of the bar."""

    ts: Int64s
    open: Float64s
    high: Float64s
    low: Float64s
    close: Float64s


@dataclass(frozen=True)
class Ticker:
    """One symbol's current market; None where the venue gives no value.

    `funding_rate` is the *running estimate* for `next_funding_ns`, not a settled rate; `funding_cap` is
    symmetric, for one settlement; `open_interest` in base coins, both sides summed.
    """

    symbol: str
    last_price: float
    mark_price: float | None
    index_price: float | None
    bid1_price: float | None
    bid1_size: float | None
    ask1_price: float | None
    ask1_size: float | None
    funding_rate: float | None
    next_funding_ns: int | None
    funding_interval_h: int | None
    funding_cap: float | None
    open_interest: float | None


class RecentTrades(NamedTuple):
    """Public trades sorted by time; `side` is the taker's (+1 buy, -1 sell)."""

    ts: Int64s
    price: Float64s
    size: Float64s
    side: npt.NDArray[np.int8]
    seq: Int64s
    is_block: npt.NDArray[np.bool_]
    exec_id: list[str]


@dataclass(frozen=True)
class OrderBook:
    """A book snapshot: `bids` best first (falling), `asks` best first (rising), each of shape (levels, 2)."""

    symbol: str
    bids: Float64s
    asks: Float64s
    ts_ns: int
    engine_ns: int | None
    update_id: int
    seq: int


def parse_funding_history(result: object, symbol: str) -> FundingHistory:
    """Parse one page of `/v5/market/funding/history`; raises DataError naming field and symbol."""
    fields = ("fundingRateTimestamp", "fundingRate")
    ts, values = _history(result, fields, f"funding/history of {symbol}", symbol)
    return FundingHistory(ts, values[0])


def parse_open_interest(result: object, symbol: str) -> OpenInterest:
    """Parse one page of `/v5/market/open-interest`; raises DataError naming field and symbol."""
    ts, values = _history(result, ("timestamp", "openInterest"), f"open-interest of {symbol}", symbol)
    return OpenInterest(ts, values[0])


def parse_account_ratio(result: object, symbol: str) -> AccountRatio:
    """Parse one page of `/v5/market/account-ratio`; raises DataError naming field and symbol."""
    fields = ("timestamp", "buyRatio", "sellRatio")
    ts, values = _history(result, fields, f"account-ratio of {symbol}", symbol)
    return AccountRatio(ts, values[0], values[1])


def parse_klines(result: object, symbol: str) -> Klines:
    """Parse `/v5/market/kline` (rows of seven values); raises DataError naming the column and symbol."""
    ts, v = _bars(result, Klines._fields, f"kline of {symbol}", symbol)
    return Klines(ts, v[0], v[1], v[2], v[3], v[4], v[5])


def parse_index_klines(result: object, symbol: str) -> IndexKlines:
    """Parse a mark-, index- or premium-index-price-kline page (rows of five values)."""
    ts, v = _bars(result, IndexKlines._fields, f"price kline of {symbol}", symbol)
    return IndexKlines(ts, v[0], v[1], v[2], v[3])


def parse_tickers(result: object) -> list[Ticker]:
    """Parse `/v5/market/tickers` for linear contracts; raises DataError naming field and symbol."""
    return [parse_ticker(row) for row in rows_of(result, "tickers")]


def parse_ticker(row: Payload) -> Ticker:
    """Parse one full ticker (a stream's delta must be merged before)."""
    symbol = text(row, "symbol", "tickers")
    where = f"tickers of {symbol}"
    return Ticker(
        symbol=symbol,
        last_price=real(row, "lastPrice", where),
        mark_price=optional_real(row, "markPrice", where),
        index_price=optional_real(row, "indexPrice", where),
        bid1_price=optional_real(row, "bid1Price", where),
        bid1_size=optional_real(row, "bid1Size", where),
        ask1_price=optional_real(row, "ask1Price", where),
        ask1_size=optional_real(row, "ask1Size", where),
        funding_rate=optional_real(row, "fundingRate", where),
        next_funding_ns=optional_nanoseconds(row, "nextFundingTime", where),
        funding_interval_h=optional_integer(row, "fundingIntervalHour", where),
        funding_cap=optional_real(row, "fundingCap", where),
        open_interest=optional_real(row, "openInterest", where),
    )


def parse_recent_trades(result: object, symbol: str) -> RecentTrades:
    """Parse `/v5/market/recent-trade`; several trades may share one instant, so only the order is changed."""
    where = f"recent-trade of {symbol}"
    rows = rows_of(result, where)
    _require_symbol(rows, symbol, where)
    ts = np.array([nanoseconds(row, "time", where) for row in rows], dtype=np.int64)
    seq = np.array([optional_integer(row, "seq", where) or 0 for row in rows], dtype=np.int64)
    order = np.lexsort((np.arange(len(rows))[::-1], seq, ts))  # ties keep the venue's order, newest first
    ids = [text(row, "execId", where) for row in rows]
    return RecentTrades(
        ts=ts[order],
        price=np.array([real(row, "price", where) for row in rows], dtype=np.float64)[order],
        size=np.array([real(row, "size", where) for row in rows], dtype=np.float64)[order],
        side=np.array([side_sign(row, "side", where) for row in rows], dtype=np.int8)[order],
        seq=seq[order],
        is_block=np.array([flag(row, "isBlockTrade") for row in rows], dtype=np.bool_)[order],
        exec_id=[ids[i] for i in order],
    )


def parse_order_book(result: object) -> OrderBook:
    """Parse `/v5/market/orderbook`; raises DataError on a malformed level."""
    row = as_payload(result, "orderbook")
    symbol = text(row, "s", "orderbook")
    where = f"orderbook of {symbol}"
    bids, asks = (_numbers(list_of(row, where, field), ("price", "size"), where) for field in ("b", "a"))
    return OrderBook(
        symbol=symbol,
        bids=bids[np.argsort(-bids[:, 0], kind="stable")],
        asks=asks[np.argsort(asks[:, 0], kind="stable")],
        ts_ns=nanoseconds(row, "ts", where),
        engine_ns=optional_nanoseconds(row, "cts", where),
        update_id=integer(row, "u", where),
        seq=optional_integer(row, "seq", where) or 0,
    )


def _bars(result: object, fields: tuple[str, ...], where: str, symbol: str) -> tuple[Int64s, Float64s]:
    _require_symbol([as_payload(result, where)], symbol, where)
    return _ascending(_numbers(list_of(result, where), fields, where))


def _history(result: object, fields: tuple[str, ...], where: str, symbol: str) -> tuple[Int64s, Float64s]:
    rows = rows_of(result, where)
    _require_symbol(rows, symbol, where)
    return _ascending(_numbers([[row.get(field) for field in fields] for row in rows], fields, where))


def _ascending(table: Float64s) -> tuple[Int64s, Float64s]:
    """Split a table whose first column is a ms stamp into sorted ns stamps and one row per value column."""
    # A millisecond stamp is below 2**53, so float64 holds it exactly.
    stamps, first = np.unique(table[:, 0].astype(np.int64) * NS_PER_MS, return_index=True)
    return stamps, np.ascontiguousarray(table[first, 1:].T)


def _numbers(rows: Sequence[object], fields: tuple[str, ...], where: str) -> Float64s:
    if not rows:
        return np.empty((0, len(fields)), dtype=np.float64)
    cells: list[object] = []
    for row in rows:
        if not isinstance(row, list | tuple) or len(row) != len(fields):
            raise DataError(f"{where}: expected rows of {len(fields)} values {list(fields)}, was {row!r}")
        cells.extend(row)
    try:
        flat = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))  # type: ignore[arg-type]
        fine = bool(np.isfinite(flat).all())
    except (TypeError, ValueError):
        fine = False
    if not fine:
        at = next(i for i, cell in enumerate(cells) if not _is_number(cell))
        raise DataError(
            f"{where}: required field '{fields[at % len(fields)]}' must be a number, was {cells[at]!r}",
            remedy="compare the reply with the venue's v5 documentation; the format may have changed",
        )
    return flat.reshape(len(rows), len(fields))


def _is_number(cell: object) -> bool:
    try:
        return bool(np.isfinite(float(cell)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _require_symbol(rows: list[Payload], symbol: str, where: str) -> None:
    for row in rows:
        told = optional_text(row, "symbol")
        if told and told != symbol:
            raise DataError(f"{where}: expected {symbol}, was {told!r}", remedy="check the symbol's spelling")
