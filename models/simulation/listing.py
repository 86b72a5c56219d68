"""What a venue says about a listed contract: steps, limits, caps.

Here belongs the static description a simulated venue serves and checks orders against. Prices and rates of a moment do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

CONTINUOUS = "ContinuousTrading"
Status = Literal["Unlisted", "PreLaunch", "Trading", "Closed"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a pre-listing, from `start_ms` until `end_ms` (None: open), named as the venue names it."""

    name: str
    start_ms: int
    end_ms: int | None


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
    phases : tuple of Phase
        Of a pre-listing, one after the other; empty for a contract that trades from its launch.
    delisted_ms : int or None
        When its trading ended, ms UTC; None while no end is known.

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
    phases: tuple[Phase, ...] = ()
    delisted_ms: int | None = None

    @property
    def trades_from_ms(self) -> int:
        """When trades, books and bars begin: the launch, or the continuous phase of a pre-listing."""
        return next((phase.start_ms for phase in self.phases if phase.name == CONTINUOUS), self.launch_ms)

    def trades_at(self, now_ms: int) -> bool:
        """Whether the contract can be traded continuously at `now_ms`."""
        return self.trades_from_ms <= now_ms and (self.delisted_ms is None or now_ms < self.delisted_ms)

    def status(self, now_ms: int) -> Status:
        """Return the venue's word for the contract at `now_ms`; ``Unlisted`` before it says anything."""
        if now_ms < self.launch_ms:
            return "Unlisted"
        if self.delisted_ms is not None and now_ms >= self.delisted_ms:
            return "Closed"
        ends = self.phases[-1].end_ms if self.phases else 0
        return "PreLaunch" if ends is None or now_ms < ends else "Trading"

    def phase(self, now_ms: int) -> str:
        """Return the pre-listing phase at `now_ms`, ``NotStarted`` before the first, ``Finished`` after the last."""
        for phase in self.phases:
            if now_ms < phase.start_ms:
                return "NotStarted"
            if phase.end_ms is None or now_ms < phase.end_ms:
                return phase.name
        return "Finished" if self.phases else ""

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
