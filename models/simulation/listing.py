"""What a venue says about a listed contract: steps, limits, caps.

Here belongs the static description a simulated venue serves and checks orders against. Prices and rates of a moment do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Listing:
    """One listed symbol of a simulated venue.

    Decimal fields keep the venue's own spelling (``Decimal("0.10")`` prints ``0.10``), because the number of decimals of a
    price or a quantity on the wire is that of its step.

    Attributes
    ----------
    symbol, base_coin : str
        For example ``BTCUSDT`` and ``BTC``; quoted and settled in USDT.
    tick_size, qty_step, min_order_qty : Decimal
        Price step in USD, quantity step and minimum in base coin.
    max_order_qty, max_market_qty : Decimal
        Largest limit and market order, base coin.
    min_notional_usd : Decimal
        Smallest order value.
    max_leverage : Decimal
        Largest leverage of a position.
    interval_h : int
        Regular funding interval in hours.
    funding_cap : Decimal
        Symmetric cap of one interval's funding rate, fraction.
    index_decimals : int
        Decimals of index and mark prices.
    launch_ms : int
        When the symbol was listed, ms UTC.

    """

    symbol: str
    base_coin: str
    tick_size: Decimal
    qty_step: Decimal
    min_order_qty: Decimal
    max_order_qty: Decimal
    max_market_qty: Decimal
    min_notional_usd: Decimal
    max_leverage: Decimal
    interval_h: int
    funding_cap: Decimal
    index_decimals: int
    launch_ms: int

    @property
    def price_decimals(self) -> int:
        """Decimals of a trade price on the wire."""
        return decimals_of(self.tick_size)

    @property
    def qty_decimals(self) -> int:
        """Decimals of a quantity on the wire."""
        return decimals_of(self.qty_step)


def decimals_of(step: Decimal) -> int:
    """Count the decimals a step is written with: ``0.10`` has 2, ``1`` has 0."""
    exponent = step.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
