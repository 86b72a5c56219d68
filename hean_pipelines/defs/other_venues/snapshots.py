"""What other venues say right now, stamped with when it was seen; days other than today get nothing. No Dagster here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any

from hean_pipelines.defs.market_data.ingest import Report, day_of
from hean_pipelines.defs.other_venues import clients
from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.settings import PipelineSettings
from models.errors import DataError
from models.market.symbols import contract_of

Row = Mapping[str, str | int | float | None]
Taken = tuple[int, list[tuple[str, Row]], dict[str, str]]
"""When it was seen (ns), rows by the venue's symbol, and symbols left out with the reason."""


@dataclass(frozen=True)
class Snapshot:
    """A dataset of the present, who is asked, and what for."""

    dataset: str
    open: Callable[[PipelineSettings], AbstractContextManager[Any]]
    take: Callable[[Any, Sequence[str]], Taken]


def ingest_venue_snapshot(
    spec: Snapshot, client: Any, lake: Lake, symbols: Sequence[str], first: date, last: date
) -> Report:
    """Take one snapshot of `symbols` (Bybit's names) and add it to its day, if that day lies in `first` … `last`."""
    import polars as pl

    started = time.perf_counter()
    seen_at, rows, absent = spec.take(client, symbols)
    report = Report(spec.dataset, venue_now_ns=seen_at, skipped=absent)
    day, dataset = day_of(seen_at), DATASETS[spec.dataset]
    if first <= day <= last:
        schema = schema_of(dataset)
        for symbol in dict.fromkeys(name for name, _ in rows):
            stamped = [
                {**row, "seen_at": seen_at, "symbol": symbol, "available_at": seen_at}
                for name, row in rows
                if name == symbol
            ]
            new = pl.DataFrame(stamped, schema=schema)
            old = lake.read_partition(spec.dataset, symbol, day)
            both = pl.concat([old, new]).unique(dataset.key, keep="first").sort(dataset.key)
            lake.write_partition(spec.dataset, symbol, day, both)
            report.rows[symbol] = both.height
            report.days_written += 1
    traffic = client.http.traffic
    report.requests, report.retries, report.network_s = traffic.requests, traffic.retries, traffic.network_s
    report.seconds = time.perf_counter() - started
    return report


def _binance_premium(client: Any, symbols: Sequence[str]) -> Taken:
    names, absent = clients.names_on("binance", symbols, [row.symbol for row in client.instruments()[1]])
    seen_at, rates = client.running_funding(names.values())
    rows: list[tuple[str, Row]] = [
        (
            rate.symbol,
            {
                "funding_rate": rate.funding_rate,
                "funding_ts": rate.next_funding_ns,
                "next_funding_ts": None,
                "upper_funding_rate": None,
                "lower_funding_rate": None,
                "mark_price": rate.mark_price,
                "index_price": rate.index_price,
            },
        )
        for rate in rates
    ]
    return seen_at, rows, absent


def _binance_instruments(client: Any, symbols: Sequence[str]) -> Taken:
    seen_at, contracts = client.instruments()
    names, absent = clients.names_on("binance", symbols, [row.symbol for row in contracts])
    rows: list[tuple[str, Row]] = [
        (
            row.symbol,
            {
                "status": row.status,
                "base_coin": row.base_coin,
                "quote_coin": row.quote_coin,
                "settle_coin": row.margin_coin,
                "contract_value": 1.0,
                "is_inverse": 0,
                "tick_size": float(row.tick_size),
                "qty_step": float(row.qty_step),
                "min_order_qty": float(row.min_order_qty),
                "funding_interval_min": None
                if row.funding_interval_h is None
                else 60 * row.funding_interval_h,
                "upper_funding_rate": row.upper_funding_rate,
                "lower_funding_rate": row.lower_funding_rate,
                "launch_ts": row.launch_ns,
            },
        )
        for row in contracts
        if row.symbol in set(names.values())
    ]
    return seen_at, rows, absent


def _okx_funding(client: Any, symbols: Sequence[str]) -> Taken:
    names, absent = clients.names_on("okx", symbols, [row.symbol for row in client.instruments()])
    rates = client.running_funding(names.values())
    rows: list[tuple[str, Row]] = [
        (
            rate.symbol,
            {
                "funding_rate": rate.funding_rate,
                "funding_ts": rate.funding_ns,
                "next_funding_ts": rate.next_funding_ns,
                "upper_funding_rate": rate.upper_funding_rate,
                "lower_funding_rate": rate.lower_funding_rate,
                "mark_price": None,
                "index_price": None,
            },
        )
        for rate in rates
    ]
    return client.market_time_ns(""), rows, absent


def _okx_instruments(client: Any, symbols: Sequence[str]) -> Taken:
    contracts = client.instruments()
    names, absent = clients.names_on("okx", symbols, [row.symbol for row in contracts])
    rows: list[tuple[str, Row]] = [
        (
            row.symbol,
            {
                "status": row.status,
                "base_coin": row.base_coin,
                "quote_coin": row.quote_coin,
                "settle_coin": row.settle_coin,
                "contract_value": float(row.contract_value),
                "is_inverse": int(row.is_inverse),
                "tick_size": float(row.tick_size),
                "qty_step": float(row.lot_contracts),
                "min_order_qty": float(row.min_contracts),
                "funding_interval_min": None,
                "upper_funding_rate": None,
                "lower_funding_rate": None,
                "launch_ts": row.launch_ns,
            },
        )
        for row in contracts
        if row.symbol in set(names.values())
    ]
    return client.market_time_ns(""), rows, absent


def _okx_open_interest(client: Any, symbols: Sequence[str]) -> Taken:
    found = client.open_interest()
    names, absent = clients.names_on("okx", symbols, [row.symbol for row in found])
    wanted = set(names.values())
    rows: list[tuple[str, Row]] = [
        (row.symbol, {"contracts": row.contracts, "coins": row.coins, "usd": row.usd})
        for row in found
        if row.symbol in wanted
    ]
    return client.market_time_ns(""), rows, absent


def _coinglass_taker(client: Any, symbols: Sequence[str]) -> Taken:
    rows: list[tuple[str, Row]] = []
    absent: dict[str, str] = {}
    for symbol in symbols:
        try:
            found = client.taker_volume(contract_of("bybit", symbol).coin, "1h")
        except DataError as error:
            absent[symbol] = str(error)
            continue
        rows += [
            (
                symbol,
                {"exchange": row.exchange, "range_s": 3600, "buy_usd": row.buy_usd, "sell_usd": row.sell_usd},
            )
            for row in found
        ]
    return _now_ns(client), rows, absent


def _coinglass_long_short(client: Any, symbols: Sequence[str]) -> Taken:
    rows: list[tuple[str, Row]] = []
    absent: dict[str, str] = {}
    for symbol in symbols:
        try:
            found = client.long_short("Bybit", symbol, "4h")
        except DataError as error:
            absent[symbol] = str(error)
            continue
        # The newest alone: what CoinGlass says of earlier periods now is not what it said then.
        rows += [
            (
                symbol,
                {
                    "exchange": "Bybit",
                    "interval_s": 14_400,
                    "ts": row.ts_ns,
                    "long_pct": row.long_pct,
                    "short_pct": row.short_pct,
                },
            )
            for row in found[-1:]
        ]
    return _now_ns(client), rows, absent


def _coinglass_heatmap(client: Any, symbols: Sequence[str]) -> Taken:
    rows: list[tuple[str, Row]] = []
    absent: dict[str, str] = {}
    for symbol in symbols:
        try:
            cells = client.heatmap("Bybit", symbol, "24h")
        except DataError as error:
            absent[symbol] = str(error)
            continue
        rows += [
            (symbol, {"price": cell.price, "bucket_ts": cell.bucket_ns, "usd": cell.usd}) for cell in cells
        ]
    return _now_ns(client), rows, absent


def _now_ns(client: Any) -> int:
    # CoinGlass tells no time of its own: it is seen when we ask.
    return int(client.http.wall() * 1e9)


def venue_snapshots() -> tuple[Snapshot, ...]:
    """Return every dataset of the present that needs no key."""
    return (
        Snapshot("raw_binance__snapshot_premium_index", clients.binance, _binance_premium),
        Snapshot("raw_binance__snapshot_instruments", clients.binance, _binance_instruments),
        Snapshot("raw_okx__snapshot_funding", clients.okx, _okx_funding),
        Snapshot("raw_okx__snapshot_instruments", clients.okx, _okx_instruments),
        Snapshot("raw_okx__snapshot_open_interest", clients.okx, _okx_open_interest),
    )


def coinglass_snapshots() -> tuple[Snapshot, ...]:
    """Return CoinGlass' datasets: only with a key."""
    return (
        Snapshot("raw_coinglass__snapshot_taker_volume", clients.coinglass, _coinglass_taker),
        Snapshot("raw_coinglass__snapshot_long_short", clients.coinglass, _coinglass_long_short),
        Snapshot("raw_coinglass__snapshot_liquidation_heatmap", clients.coinglass, _coinglass_heatmap),
    )
