"""Add what the venue says right now (contracts, tickers) to the day's snapshots. No Dagster here.

A snapshot exists only for the moment it was taken: days other than the venue's today get nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from hean_pipelines.defs.market_data.ingest import Report, day_of
from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.sources.bybit import BybitPublicClient
from models.market.bybit_v5_market import Ticker
from models.market.instruments import Instrument

Row = dict[str, str | int | float | None]


def ingest_snapshot(
    dataset: str,
    client: BybitPublicClient,
    lake: Lake,
    symbols: Sequence[str],
    first: date,
    last: date,
) -> Report:
    """Take one snapshot and add it to its day, if that day lies in `first` … `last`.

    Two snapshots at the same venue time are one row: with the venue's clock stopped the file does not change.
    A symbol the venue does not know is reported as skipped.
    """
    import polars as pl

    started = time.perf_counter()
    before = (client.http.traffic.requests, client.http.traffic.retries, client.http.traffic.network_s)
    seen_at, rows = _TAKERS[dataset](client, symbols)
    report = Report(dataset, venue_now_ns=seen_at)
    day = day_of(seen_at)
    schema = schema_of(DATASETS[dataset])
    for symbol in symbols:
        row = rows.get(symbol)
        if row is None:
            report.skipped[symbol] = f"{symbol}: expected a linear contract the venue lists, was unknown"
        elif first <= day <= last:
            stamped = row | {"seen_at": seen_at, "symbol": symbol, "available_at": seen_at}
            new = pl.DataFrame([stamped], schema=schema)
            old = lake.read_partition(dataset, symbol, day)
            both = pl.concat([old, new]).unique(("symbol", "seen_at"), keep="first").sort("seen_at")
            lake.write_partition(dataset, symbol, day, both)
            report.rows[symbol] = both.height
            report.days_written += 1
    traffic = client.http.traffic
    report.requests, report.retries = traffic.requests - before[0], traffic.retries - before[1]
    report.network_s = traffic.network_s - before[2]
    report.seconds = time.perf_counter() - started
    return report


def instrument_row(contract: Instrument) -> Row:
    """Return a contract as a row of the instruments snapshot."""
    return {
        "status": contract.status,
        "base_coin": contract.base_coin,
        "quote_coin": contract.quote_coin,
        "settle_coin": contract.settle_coin,
        "tick_size": float(contract.tick_size),
        "qty_step": float(contract.qty_step),
        "min_order_qty": float(contract.min_order_qty),
        "max_order_qty": float(contract.max_order_qty),
        "min_notional_usd": float(contract.min_notional_usd),
        "max_leverage": float(contract.max_leverage),
        "price_scale": contract.price_scale,
        "funding_interval_min": contract.funding_interval_min,
        "upper_funding_rate": _real(contract.upper_funding_rate),
        "lower_funding_rate": _real(contract.lower_funding_rate),
        "launch_ts": contract.launch_ns,
    }


def ticker_row(ticker: Ticker) -> Row:
    """Return a ticker as a row of the tickers snapshot."""
    return {
        "last_price": ticker.last_price,
        "mark_price": ticker.mark_price,
        "index_price": ticker.index_price,
        "bid1_price": ticker.bid1_price,
        "ask1_price": ticker.ask1_price,
        "funding_rate": ticker.funding_rate,
        "next_funding_ts": ticker.next_funding_ns,
        "funding_interval_h": ticker.funding_interval_h,
        "funding_cap": ticker.funding_cap,
        "open_interest": ticker.open_interest,
    }


def _take_instruments(client: BybitPublicClient, symbols: Iterable[str]) -> tuple[int, dict[str, Row]]:
    seen_at, contracts = client.instruments(symbols)
    return seen_at, {contract.symbol: instrument_row(contract) for contract in contracts}


def _take_tickers(client: BybitPublicClient, symbols: Iterable[str]) -> tuple[int, dict[str, Row]]:
    seen_at, tickers = client.tickers(symbols)
    return seen_at, {ticker.symbol: ticker_row(ticker) for ticker in tickers}


def _take_mids(client: BybitPublicClient, symbols: Iterable[str]) -> tuple[int, dict[str, Row]]:
    wanted = list(symbols)
    seen_at, perps = client.tickers(wanted)
    spot_seen_at, spot = client.spot_quotes(wanted)
    # Seen when both were: what a row says was not known before.
    return max(seen_at, spot_seen_at), {
        ticker.symbol: {
            "bid1_price": ticker.bid1_price,
            "ask1_price": ticker.ask1_price,
            "spot_seen_at": spot_seen_at if ticker.symbol in spot else None,
            "spot_bid1_price": spot[ticker.symbol][0] if ticker.symbol in spot else None,
            "spot_ask1_price": spot[ticker.symbol][1] if ticker.symbol in spot else None,
        }
        for ticker in perps
    }


def _real(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


Taker = Callable[[BybitPublicClient, Iterable[str]], tuple[int, dict[str, Row]]]
_TAKERS: dict[str, Taker] = {
    "raw_bybit__snapshot_instruments": _take_instruments,
    "raw_bybit__snapshot_tickers": _take_tickers,
    "raw_bybit__snapshot_mids": _take_mids,
}
