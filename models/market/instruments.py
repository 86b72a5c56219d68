"""What the venue says a contract is: steps, minima, leverage, funding interval and caps. Parsers only.

Source: Bybit v5 `/v5/market/instruments-info`. Rounding and sizing belong to `models.portfolio`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from models.market.bybit_v5 import (
    Payload,
    as_payload,
    decimal,
    integer,
    nanoseconds,
    optional_decimal,
    optional_integer,
    optional_text,
    rows_of,
    text,
)


@dataclass(frozen=True)
class Instrument:
    """One linear perpetual as the venue describes it at one moment.

    Attributes
    ----------
    symbol, status, base_coin, quote_coin, settle_coin : str
        Names as the venue writes them; `status` is Trading, PreLaunch, Delivering or Closed.
    tick_size, qty_step, min_order_qty, max_order_qty : Decimal
        Price step in quote units, quantity step and bounds in base units.
    min_notional_usd : Decimal
        Least order value in quote units (0 where the venue sets none).
    max_leverage : Decimal
        Highest leverage of the lowest risk tier.
    price_scale : int
        Decimal places of prices.
    funding_interval_min : int
        Minutes between settlements *now*; it changes without notice, history needs its own differences.
    upper_funding_rate, lower_funding_rate : Decimal or None
        Caps of one settlement's rate as fractions; None where the venue gives none.
    launch_ns : int
        Launch time, nanoseconds UTC.

    """

    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    settle_coin: str
    tick_size: Decimal
    qty_step: Decimal
    min_order_qty: Decimal
    max_order_qty: Decimal
    min_notional_usd: Decimal
    max_leverage: Decimal
    price_scale: int
    funding_interval_min: int
    upper_funding_rate: Decimal | None
    lower_funding_rate: Decimal | None
    launch_ns: int


def parse_instruments(result: object) -> list[Instrument]:
    """Parse the `result` of instruments-info for linear perpetuals (one page; the caller follows the cursor).

    Contracts with an expiry (LinearFutures) are left out: they pay no funding.

    Raises
    ------
    DataError
        If a required field is missing; names field and symbol.

    """
    rows = rows_of(result, "instruments-info")
    perpetuals = [row for row in rows if row.get("contractType", "LinearPerpetual") == "LinearPerpetual"]
    return [parse_instrument(row) for row in perpetuals]


def parse_instrument(row: Payload) -> Instrument:
    """Parse one item of instruments-info; raises DataError naming the missing field and the symbol."""
    symbol = text(row, "symbol", "instruments-info")
    where = f"instruments-info of {symbol}"
    prices = as_payload(row.get("priceFilter"), f"{where}, priceFilter")
    lots = as_payload(row.get("lotSizeFilter"), f"{where}, lotSizeFilter")
    leverage = as_payload(row.get("leverageFilter"), f"{where}, leverageFilter")
    return Instrument(
        symbol=symbol,
        status=text(row, "status", where),
        base_coin=text(row, "baseCoin", where),
        quote_coin=text(row, "quoteCoin", where),
        settle_coin=optional_text(row, "settleCoin"),
        tick_size=decimal(prices, "tickSize", where),
        qty_step=decimal(lots, "qtyStep", where),
        min_order_qty=decimal(lots, "minOrderQty", where),
        max_order_qty=decimal(lots, "maxOrderQty", where),
        min_notional_usd=optional_decimal(lots, "minNotionalValue", where) or Decimal(0),
        max_leverage=decimal(leverage, "maxLeverage", where),
        price_scale=optional_integer(row, "priceScale", where) or 0,
        funding_interval_min=integer(row, "fundingInterval", where),
        upper_funding_rate=optional_decimal(row, "upperFundingRate", where),
        lower_funding_rate=optional_decimal(row, "lowerFundingRate", where),
        launch_ns=nanoseconds(row, "launchTime", where),
    )
