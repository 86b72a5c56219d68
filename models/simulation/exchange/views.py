"""Positions and wallet as they are shown: values at the mark price, margins, liquidation price.

Here belong the records and how they follow from an account; what they look like on a wire does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from models.simulation.exchange.account import Position
from models.simulation.exchange.margins import RiskTier


@dataclass(frozen=True, slots=True)
class PositionView:
    """One position at one instant.

    Attributes
    ----------
    position : Position
        A copy.
    mark : Decimal
    tier : RiskTier
    initial_margin_usd, maintenance_usd : Decimal
    liquidation_price : Decimal or None
        None where no mark price would liquidate it.
    take_profit, stop_loss : Decimal or None
        Trigger prices of the stops of the whole position.
    trailing : Decimal
        Distance of the trailing stop, zero without one.
    status : str
        ``Normal``, or ``Liq`` while the venue takes it over.

    """

    position: Position
    mark: Decimal
    tier: RiskTier
    initial_margin_usd: Decimal
    maintenance_usd: Decimal
    liquidation_price: Decimal | None
    take_profit: Decimal | None
    stop_loss: Decimal | None
    trailing: Decimal
    status: str


@dataclass(frozen=True, slots=True)
class WalletView:
    """The unified account at one instant, USD."""

    at_start_usd: Decimal
    wallet_usd: Decimal
    unrealised_usd: Decimal
    position_margin_usd: Decimal
    order_margin_usd: Decimal
    maintenance_usd: Decimal

    @property
    def equity_usd(self) -> Decimal:
        """Wallet and unrealised profit."""
        return self.wallet_usd + self.unrealised_usd
