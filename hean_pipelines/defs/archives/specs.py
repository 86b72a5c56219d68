"""Which dataset comes from which published file. A table; fetching and storing are `ingest.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hean_pipelines.resources.lake_schemas import DATASETS, Dataset
from hean_pipelines.settings import PipelineSettings
from hean_pipelines.sources import archive_tables as tables

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Archive:
    """One dataset of published files.

    Attributes
    ----------
    dataset : Dataset
    url : callable
        ``(symbol, day)`` to the address of the file that holds the day.
    parse : callable
        ``(path, symbol)`` to the dataset's rows.
    batches : callable or None
        The same rows in batches, of files too large to be held; such a file is stored while it is read.
    period : str
        What one file covers, ``day`` or ``month``.
    checksum : str
        What is added to the address of a file to get that of its checksum; empty where none is published.
    first_day : date or None
        Before it the venue published nothing.
    last_day : date or None
        After it no more.

    """

    dataset: Dataset
    url: Callable[[str, date], str]
    parse: Callable[[Path, str], pl.DataFrame]
    batches: Callable[[Path, str], Iterator[pl.DataFrame]] | None = None
    period: Literal["day", "month"] = "day"
    checksum: str = ""
    first_day: date | None = None
    last_day: date | None = None


def archive_specs(settings: PipelineSettings) -> tuple[Archive, ...]:
    """Return every published history of the settings' venues."""
    bybit, binance = settings.bybit_archive_url, settings.binance_archive_url

    def futures(kind: str, name: str, period: str = "daily") -> Callable[[str, date], str]:
        def url(symbol: str, day: date) -> str:
            stamp = f"{day:%Y-%m}" if period == "monthly" else f"{day:%Y-%m-%d}"
            return f"{binance}/data/futures/um/{period}/{kind.format(S=symbol)}/{symbol}-{name}-{stamp}.zip"

        return url

    def spot(symbol: str, day: date) -> str:
        return f"{binance}/data/spot/daily/klines/{symbol}/5m/{symbol}-5m-{day:%Y-%m-%d}.zip"

    def bars(name: str, url: Callable[[str, date], str], bar_s: int, *, traded: bool) -> Archive:
        parse = partial(tables.binance_klines, bar_s=bar_s, traded=traded)
        return Archive(DATASETS[name], url, parse, checksum=".CHECKSUM")

    return (
        Archive(
            DATASETS["raw_bybit__trades"],
            lambda symbol, day: f"{bybit}/trading/{symbol}/{symbol}{day:%Y-%m-%d}.csv.gz",
            tables.bybit_trades,
            tables.bybit_trade_batches,
        ),
        Archive(
            DATASETS["raw_binance__agg_trades"],
            futures("aggTrades/{S}", "aggTrades"),
            tables.binance_agg_trades,
            tables.binance_agg_trade_batches,
            checksum=".CHECKSUM",
        ),
        Archive(
            DATASETS["raw_binance__5m_metrics"],
            futures("metrics/{S}", "metrics"),
            tables.binance_metrics,
            checksum=".CHECKSUM",
        ),
        Archive(
            DATASETS["raw_binance__book_depth_bands"],
            futures("bookDepth/{S}", "bookDepth"),
            tables.binance_book_depth,
            checksum=".CHECKSUM",
        ),
        bars("raw_binance__5m_perp_klines", futures("klines/{S}/5m", "5m"), 300, traded=True),
        bars("raw_binance__5m_spot_klines", spot, 300, traded=True),
        bars(
            "raw_binance__1m_premium_index_klines",
            futures("premiumIndexKlines/{S}/1m", "1m"),
            60,
            traded=False,
        ),
        bars("raw_binance__1m_mark_klines", futures("markPriceKlines/{S}/1m", "1m"), 60, traded=False),
        Archive(
            DATASETS["raw_binance__settlement_funding"],
            futures("fundingRate/{S}", "fundingRate", "monthly"),
            tables.binance_funding,
            period="month",
            checksum=".CHECKSUM",
        ),
    )
