"""Positions and wallet of one account, in Decimal, so that every cent can be accounted for.

Here belongs bookkeeping. At every moment ``wallet = equity at the start + realised − fees + funding``; once all
positions are flat, ``realised`` is exactly what was sold for minus what was bought for. Matching does not belong
here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from models.simulation.exchange.orders import ZERO

CENT = Decimal("0.00000001")
DEFAULT_LEVERAGE = Decimal(10)


def to_cents(amount: Decimal) -> Decimal:
    """Round a USD amount to the eight decimals the venue keeps."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(slots=True)
class Position:
    """One-way position of a symbol.

    Attributes
    ----------
    qty : Decimal
        Signed base-coin quantity.
    cost_usd : Decimal
        What the open quantity was entered for; kept instead of an average price, which would have to be rounded.
    leverage : Decimal
    realised_usd : Decimal
        Profit of the symbol so far, fees and funding included.
    current_realised_usd : Decimal
        The same since the position was last opened.
    created_ns, updated_ns : int

    """

    symbol: str
    qty: Decimal = ZERO
    cost_usd: Decimal = ZERO
    leverage: Decimal = DEFAULT_LEVERAGE
    realised_usd: Decimal = ZERO
    current_realised_usd: Decimal = ZERO
    created_ns: int = 0
    updated_ns: int = 0

    @property
    def side(self) -> int:
        """+1 long, -1 short, 0 flat."""
        return (self.qty > 0) - (self.qty < 0)

    @property
    def average_price(self) -> Decimal:
        """Mean entry price; zero when flat."""
        return self.cost_usd / abs(self.qty) if self.qty else ZERO

    def unrealised_usd(self, mark: Decimal) -> Decimal:
        """Profit if closed at the mark price."""
        return self.qty * mark - self.side * self.cost_usd

    def initial_margin_usd(self, mark: Decimal) -> Decimal:
        """Margin the position holds: its value at the mark price over the leverage."""
        return abs(self.qty) * mark / self.leverage

    def trade(self, side: int, qty: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
        """Change the position by a fill.

        Parameters
        ----------
        side : int
            +1 bought, -1 sold.
        qty, price : Decimal

        Returns
        -------
        (Decimal, Decimal)
            Realised profit before fees, and the quantity that was closed.

        """
        closed = min(qty, abs(self.qty)) if self.side * side < 0 else ZERO
        realised = ZERO
        if closed:
            whole = closed == abs(self.qty)
            removed = self.cost_usd if whole else to_cents(self.cost_usd * closed / abs(self.qty))
            realised = (closed * price - removed) * self.side
            self.cost_usd -= removed
            self.qty += side * closed
        opened = qty - closed
        if opened:
            self.qty += side * opened
            self.cost_usd += opened * price
        return realised, closed


@dataclass(slots=True)
class Account:
    """Wallet and positions of one USDT account.

    Attributes
    ----------
    equity_at_start_usd : Decimal
    realised_usd, fees_usd, funding_usd : Decimal
        Running sums; fees are positive when paid, funding is positive when received.
    positions : dict of str to Position
        Every symbol that was ever touched.

    """

    equity_at_start_usd: Decimal
    realised_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO
    funding_usd: Decimal = ZERO
    positions: dict[str, Position] = field(default_factory=dict)

    @property
    def wallet_usd(self) -> Decimal:
        """Cash of the account."""
        return self.equity_at_start_usd + self.realised_usd - self.fees_usd + self.funding_usd

    def position(self, symbol: str) -> Position:
        """Position of a symbol, flat where there was none."""
        return self.positions.setdefault(symbol, Position(symbol))

    def book_fill(
        self, symbol: str, side: int, qty: Decimal, price: Decimal, fee_usd: Decimal, at_ns: int
    ) -> Decimal:
        """Book one fill; returns the quantity it closed."""
        position = self.position(symbol)
        before = position.side
        realised, closed = position.trade(side, qty, price)
        if before == 0 or (position.side and position.side != before):
            position.created_ns = at_ns
            position.current_realised_usd = ZERO
        position.updated_ns = at_ns
        self.realised_usd += realised
        self.fees_usd += fee_usd
        position.realised_usd += realised - fee_usd
        position.current_realised_usd += realised - fee_usd
        return closed

    def book_funding(self, symbol: str, received_usd: Decimal, at_ns: int) -> None:
        """Book one funding payment; negative when paid."""
        position = self.position(symbol)
        self.funding_usd += received_usd
        position.realised_usd += received_usd
        position.current_realised_usd += received_usd
        position.updated_ns = at_ns
