"""What is in published files: each kind of file to the rows of its dataset.

Units and sides are those of the lake: ns, fractions, the taker's side. A file that is not what its kind promises is refused with
what was found. What does not belong here: where files come from, and whether their rows make sense (`archive_checks.py`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

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
_TEXT = {
    _BYBIT_TRADES: {"symbol", "side", "trdMatchID"},
    _METRICS: {"symbol", "create_time"},
    _DEPTH: {"timestamp"},
    _AGG_TRADES: set[str](),
    _KLINES: set[str](),
    _FUNDING: set[str](),
}
_UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_YEAR_2015_S, _YEAR_2100_S = 1_420_070_400, 4_102_444_800

Parse = Callable[[Path, str], "pl.DataFrame"]


def bybit_trades(path: Path, symbol: str) -> pl.DataFrame:
    """Return the trades of a Bybit daily file, in the file's order.

    Times are float seconds with at most six decimals; rounded to microseconds they are exact. Side is the taker's.

    Raises
    ------
    DataError
        When columns, symbol or side are not as documented.

    """
    import polars as pl

    frame = _read(path, _BYBIT_TRADES, ["timestamp", "symbol", "side", "size", "price", "trdMatchID"])
    _only(frame, "symbol", symbol, path)
    _among(frame, "side", ("Buy", "Sell"), path)
    ts = (pl.col("timestamp") * 1e6).round().cast(pl.Int64) * 1000
    return frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        trade_id=pl.col("trdMatchID"),
        side=pl.when(pl.col("side") == "Buy").then(1).otherwise(-1).cast(pl.Int64),
        price=pl.col("price").cast(pl.Float64),
        size=pl.col("size").cast(pl.Float64),
        available_at=ts,
    )


def binance_agg_trades(path: Path, symbol: str) -> pl.DataFrame:
    """Return the aggregated trades of a Binance file; ``is_buyer_maker`` true is a taker's sale."""
    import polars as pl

    frame = _read(path, _AGG_TRADES, ["agg_trade_id", "price", "quantity", "transact_time", "is_buyer_maker"])
    frame = _as_bool(frame, "is_buyer_maker", path)
    ts = pl.col("transact_time") * _unit(frame, "transact_time", path)
    return frame.select(
        ts=ts,
        symbol=pl.lit(symbol),
        trade_id=pl.col("agg_trade_id").cast(pl.String),
        side=pl.when(pl.col("is_buyer_maker")).then(-1).otherwise(1).cast(pl.Int64),
        price=pl.col("price").cast(pl.Float64),
        size=pl.col("quantity").cast(pl.Float64),
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
    """Return the wanted columns of a CSV file that may lack its header, or have columns added at the end."""
    import polars as pl

    content, header = _member(path), documented.split()
    try:
        first = pl.read_csv(content, has_header=False, n_rows=1, infer_schema=False).row(0)
        has_header = str(first[0]).strip().strip('"') == header[0]
        names = [str(name).strip() for name in first] if has_header else header[: len(first)]
        missing = [name for name in wanted if name not in names]
        if missing:
            raise DataError(
                f"{path.name}: expected columns {', '.join(wanted)}, was {', '.join(map(str, first))[:200]}",
                remedy="the venue may have changed its format: compare the file with its documentation",
            )
        text = _TEXT[documented] & set(wanted)
        return pl.read_csv(
            content,
            has_header=has_header,
            new_columns=None if has_header else names,
            columns=[names.index(name) for name in wanted] if not has_header else wanted,
            schema_overrides=dict.fromkeys(text, pl.String),
            infer_schema_length=10_000,
        ).select(wanted)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{path.name}: expected a table of {', '.join(header)}, was unreadable: {str(error)[:200]}",
            remedy="delete the file and fetch it again",
        ) from None


def _member(path: Path) -> Path | bytes:
    """Return what Polars can read: it decompresses gzip itself, a zip's only member is unpacked."""
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    if not is_zip:
        return path
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) != 1:
                raise DataError(f"{path.name}: expected an archive of one file, was {len(members)}")
            return archive.read(members[0])
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{path.name}: expected a zip archive, was damaged: {error}",
            remedy="delete it and fetch it again",
        ) from None


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
    found = frame.get_column(column).unique().head(3).to_list()
    if frame.height and found != [symbol]:
        raise DataError(f"{path.name}: expected rows of {symbol} only, was {', '.join(map(str, found))}")


def _among(frame: pl.DataFrame, column: str, values: tuple[str, ...], path: Path) -> None:
    odd = set(frame.get_column(column).unique().to_list()) - set(values)
    if odd:
        raise DataError(
            f"{path.name}: expected {column} to be {' or '.join(values)}, was {sorted(map(str, odd))[:3]}"
        )


def _as_bool(frame: pl.DataFrame, column: str, path: Path) -> pl.DataFrame:
    import polars as pl

    if frame.schema[column] == pl.Boolean:
        return frame
    text = frame.get_column(column).cast(pl.String).str.to_lowercase()
    odd = set(text.unique().to_list()) - {"true", "false"}
    if odd:
        raise DataError(
            f"{path.name}: expected {column} to be true or false, was {sorted(map(str, odd))[:3]}"
        )
    return frame.with_columns((text == "true").alias(column))
