"""What is in published files: each kind of file to the rows of its dataset.

Units and sides are those of the lake: ns, fractions, the taker's side. A file that is not what its kind promises is refused with
what was found. What does not belong here: how a file is unpacked (`archive_csv.py`), where files come from, whether their rows
make sense (`hean_pipelines/defs/archives/findings.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.sources.archive_csv import Kind, read_table, table_batches
from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl

_BYBIT_TRADES = (
    "timestamp symbol side size price tickDirection trdMatchID grossValue homeNotional foreignNotional"
)
_AGG_TRADES = "agg_trade_id price quantity first_trade_id last_trade_id transact_time is_buyer_maker"
_KLINES = "open_time open high low close volume close_time quote_volume count taker_buy_volume taker_buy_quote_volume ignore"
_METRICS = (
    "create_time symbol sum_open_interest sum_open_interest_value count_toptrader_long_short_ratio "
    "sum_toptrader_long_short_ratio count_long_short_ratio sum_taker_long_short_vol_ratio"
)
_DEPTH = "timestamp percentage depth notional"
_FUNDING = "calc_time funding_interval_hours last_funding_rate"
_KINDS: dict[str, dict[str, Kind]] = {
    _BYBIT_TRADES: {
        "timestamp": "f64",
        "symbol": "str",
        "side": "str",
        "size": "f64",
        "price": "f64",
        "trdMatchID": "str",
    },
    _METRICS: {"symbol": "str", "create_time": "str"},
    _DEPTH: {"timestamp": "str", "percentage": "f64", "depth": "f64", "notional": "f64"},
    _AGG_TRADES: {
        "agg_trade_id": "str",
        "price": "f64",
        "quantity": "f64",
        "transact_time": "i64",
        "is_buyer_maker": "str",
    },
    _KLINES: {},
    _FUNDING: {},
}
BATCH_ROWS = 250_000
_UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_YEAR_2015_S, _YEAR_2100_S = 1_420_070_400, 4_102_444_800

Parse = Callable[[Path, str], "pl.DataFrame"]
Batches = Callable[[Path, str], "Iterator[pl.DataFrame]"]


def bybit_trades(path: Path, symbol: str) -> pl.DataFrame:
    """Return the trades of a Bybit daily file, in the file's order.

    Times are float seconds with at most six decimals; rounded to microseconds they are exact. Side is the taker's.

    Raises
    ------
    DataError
        When columns, symbol or side are not as documented.

    """
    return _bybit_rows(_read(path, _BYBIT_TRADES, list(_KINDS[_BYBIT_TRADES])), path, symbol)


def bybit_trade_batches(path: Path, symbol: str) -> Iterator[pl.DataFrame]:
    """Yield the same trades in batches of `BATCH_ROWS`."""
    kinds = _KINDS[_BYBIT_TRADES]
    for frame in table_batches(path, _BYBIT_TRADES, kinds, list(kinds), BATCH_ROWS):
        yield _bybit_rows(frame, path, symbol)


def _bybit_rows(frame: pl.DataFrame, path: Path, symbol: str) -> pl.DataFrame:
    import polars as pl

    _only(frame, "symbol", symbol, path)
    _among(frame, "side", ("Buy", "Sell"), path)
    ts = (pl.col("timestamp") * 1e6).round().cast(pl.Int64) * 1000
    return frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        trade_id=pl.col("trdMatchID"),
        side=pl.when(pl.col("side") == "Buy").then(1).otherwise(-1).cast(pl.Int64),
        price=pl.col("price"),
        size=pl.col("size"),
        available_at=ts,
    )


def binance_agg_trades(path: Path, symbol: str) -> pl.DataFrame:
    """Return the aggregated trades of a Binance file; ``is_buyer_maker`` true is a taker's sale."""
    return _agg_rows(_read(path, _AGG_TRADES, list(_KINDS[_AGG_TRADES])), path, symbol)


def binance_agg_trade_batches(path: Path, symbol: str) -> Iterator[pl.DataFrame]:
    """Yield the same trades in batches of `BATCH_ROWS`."""
    kinds = _KINDS[_AGG_TRADES]
    for frame in table_batches(path, _AGG_TRADES, kinds, list(kinds), BATCH_ROWS):
        yield _agg_rows(frame, path, symbol)


def _agg_rows(frame: pl.DataFrame, path: Path, symbol: str) -> pl.DataFrame:
    import polars as pl

    _among(frame, "is_buyer_maker", ("true", "false", "True", "False"), path)
    ts = pl.col("transact_time") * _unit(frame, "transact_time", path)
    return frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        trade_id=pl.col("agg_trade_id"),
        side=pl.when(pl.col("is_buyer_maker").str.to_lowercase() == "true")
        .then(-1)
        .otherwise(1)
        .cast(pl.Int64),
        price=pl.col("price"),
        size=pl.col("quantity"),
        available_at=ts,
    )


def binance_klines(path: Path, symbol: str, bar_s: int, *, traded: bool) -> pl.DataFrame:
    """Return the bars of a Binance file; those of index prices have no volume."""
    import polars as pl

    frame = _read(
        path,
        _KLINES,
        ["open_time", "open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume"],
    )
    ts = pl.col("open_time") * _unit(frame, "open_time", path)
    volumes = {"volume": "volume", "turnover": "quote_volume", "taker_buy_volume": "taker_buy_volume"}
    return frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        **{name: pl.col(name).cast(pl.Float64) for name in ("open", "high", "low", "close")},
        **({new: pl.col(old).cast(pl.Float64) for new, old in volumes.items()} if traded else {}),
        available_at=ts + bar_s * 1_000_000_000,
    )


def binance_metrics(path: Path, symbol: str) -> pl.DataFrame:
    """Return the metrics of a day: text times in UTC, any order, blank cells empty."""
    import polars as pl

    frame = _read(path, _METRICS, _METRICS.split())
    _only(frame, "symbol", symbol, path)
    ts = _text_ns("create_time")
    values = {
        "open_interest": "sum_open_interest",
        "open_interest_usd": "sum_open_interest_value",
        "top_account_ratio": "count_toptrader_long_short_ratio",
        "top_position_ratio": "sum_toptrader_long_short_ratio",
        "account_ratio": "count_long_short_ratio",
        "taker_volume_ratio": "sum_taker_long_short_vol_ratio",
    }
    rows = frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        **{new: pl.col(old).cast(pl.Float64, strict=False) for new, old in values.items()},
        available_at=ts + 300 * 1_000_000_000,
    )
    return rows.sort("ts")


def binance_book_depth(path: Path, symbol: str) -> pl.DataFrame:
    """Return the depth bands of a day; a band's label changed from ``-5`` to ``-5.00`` and is the same band."""
    import polars as pl

    frame = _read(path, _DEPTH, _DEPTH.split())
    ts = _text_ns("timestamp")
    return frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        band_pct=pl.col("percentage").cast(pl.Float64),
        depth=pl.col("depth").cast(pl.Float64),
        notional_usd=pl.col("notional").cast(pl.Float64),
        available_at=ts,
    ).sort("ts", "band_pct")


def binance_funding(path: Path, symbol: str) -> pl.DataFrame:
    """Return the settlements of a month; times keep their jitter, and there is no mark price in the file."""
    import polars as pl

    frame = _read(path, _FUNDING, _FUNDING.split())
    ts = pl.col("calc_time") * _unit(frame, "calc_time", path)
    return frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        funding_rate=pl.col("last_funding_rate").cast(pl.Float64),
        mark_price=pl.lit(None, dtype=pl.Float64),
        interval_h=pl.col("funding_interval_hours").cast(pl.Float64),
        available_at=ts,
    ).sort("ts")


def _read(path: Path, documented: str, wanted: list[str]) -> pl.DataFrame:
    return read_table(path, documented, _KINDS[documented], wanted)


def _unit(frame: pl.DataFrame, column: str, path: Path) -> int:
    """Return nanoseconds per unit of a column of times: seconds, ms or us, told by their size."""
    if not frame.height:
        return _UNITS_NS["ms"]
    low, high = int(frame.get_column(column).min()), int(frame.get_column(column).max())  # type: ignore[arg-type]
    for unit_ns in _UNITS_NS.values():
        per_s = 1_000_000_000 // unit_ns
        if _YEAR_2015_S * per_s <= low and high < _YEAR_2100_S * per_s:
            return unit_ns
    raise DataError(
        f"{path.name}: expected times of one unit between 2015 and 2100, was {low} to {high}",
        remedy="seconds, milliseconds and microseconds must not be mixed in a file",
    )


def _text_ns(column: str) -> pl.Expr:
    import polars as pl

    return pl.col(column).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ns", strict=True).cast(pl.Int64)


def _only(frame: pl.DataFrame, column: str, symbol: str, path: Path) -> None:
    if frame.height and not (frame.get_column(column) == symbol).all(ignore_nulls=False):
        found = frame.get_column(column).unique().head(3).to_list()
        raise DataError(f"{path.name}: expected rows of {symbol} only, was {', '.join(map(str, found))}")


def _among(frame: pl.DataFrame, column: str, values: tuple[str, ...], path: Path) -> None:
    if not frame.get_column(column).is_in(values).all(ignore_nulls=False):
        odd = set(frame.get_column(column).unique().to_list()) - set(values)
        raise DataError(
            f"{path.name}: expected {column} to be {' or '.join(values)}, was {sorted(map(str, odd))[:3]}"
        )
