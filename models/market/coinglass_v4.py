"""Parsers of CoinGlass v4 replies. Pure.

What CoinGlass gives is stamped by whoever asked with the moment it was seen; nothing here has a past that may be trusted. Source:
CoinGlass' API documentation, v4. What does not belong here: fetching, keys, storage.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import DataError
from models.market.bybit_v5 import Payload, as_payload, nanoseconds, optional_text, real, rows_of, text


@dataclass(frozen=True)
class LongShort:
    """Share of accounts long and short, percent, over the period that begins at `ts_ns`."""

    ts_ns: int
    long_pct: float
    short_pct: float


@dataclass(frozen=True)
class TakerVolume:
    """What takers bought and sold on an exchange, USD."""

    exchange: str
    buy_usd: float
    sell_usd: float


@dataclass(frozen=True)
class HeatmapCell:
    """Value of liquidations a model expects at a price, USD; `bucket_ns` is the column's time."""

    bucket_ns: int
    price: float
    usd: float


def data_of(reply: object, where: str) -> object:
    """Return the data of a reply.

    Raises
    ------
    DataError
        When its code is not ``"0"``: the message is CoinGlass' own.

    """
    envelope = as_payload(reply, where)
    code = optional_text(envelope, "code")
    if code == "0":
        return envelope.get("data")
    raise DataError(
        f"{where}: expected code 0, was {code or 'absent'} ({optional_text(envelope, 'msg')[:160]})",
        remedy="the plan of the key may not include this endpoint or interval",
    )


def parse_long_short(reply: object) -> list[LongShort]:
    """Parse `global-long-short-account-ratio/history`."""
    where = "global-long-short-account-ratio"
    return [
        LongShort(
            nanoseconds(row, "time", where),
            real(row, "global_account_long_percent", where),
            real(row, "global_account_short_percent", where),
        )
        for row in rows_of({"data": data_of(reply, where)}, where, "data")
    ]


def parse_taker_volume(reply: object) -> list[TakerVolume]:
    """Parse `taker-buy-sell-volume/exchange-list`; the total comes first, as exchange ``All``."""
    where = "taker-buy-sell-volume"
    data = as_payload(data_of(reply, where), where)
    rows: list[Payload] = [{**data, "exchange": "All"}, *rows_of(data, where, "exchange_list")]
    return [
        TakerVolume(
            text(row, "exchange", where), real(row, "buy_vol_usd", where), real(row, "sell_vol_usd", where)
        )
        for row in rows
    ]


def parse_heatmap(reply: object) -> list[HeatmapCell]:
    """Parse a liquidation heatmap: indices into a price axis and into candles become prices and times."""
    where = "liquidation heatmap"
    data = as_payload(data_of(reply, where), where)
    axis, cells, candles = (
        data.get(name) for name in ("y_axis", "liquidation_leverage_data", "price_candlesticks")
    )
    if not (isinstance(axis, list) and isinstance(cells, list) and isinstance(candles, list)):
        raise DataError(
            f"{where}: expected y_axis, liquidation_leverage_data and price_candlesticks, was otherwise"
        )
    try:
        return [
            HeatmapCell(int(candles[int(x)][0]) * 1_000_000_000, float(axis[int(y)]), float(usd))
            for x, y, usd in cells
        ]
    except (TypeError, ValueError, IndexError) as error:
        raise DataError(f"{where}: expected indices into its own axes, was otherwise: {error}") from None
