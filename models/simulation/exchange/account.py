"""Positions and wallet of one account, in Decimal, so that every cent can be accounted for.

Here belongs bookkeeping. At every moment ``wallet = equity at the start + realised − fees + funding``; once all
positions are flat, ``realised`` is exactly what was sold for minus what was bought for. Matching does not belong
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from models.simulation.exchange.orders import LONG_SIDE, ONE_WAY, SHORT_SIDE, ZERO, Order

CENT = Decimal("0.00000001")
DEFAULT_LEVERAGE = Decimal(10)


def to_cents(amount: Decimal) -> Decimal:
    """Round a USD amount to the eight decimals the venue keeps."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(slots=True)
class Position:
    """Position of a symbol in one-way mode, or one side of it in hedge mode.

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
    index : int
        0 one-way, 1 long side, 2 short side.
    open_fees_usd : Decimal
        Fees paid for opening what is open.
    sequence : int
        Sequence of the last fill or payment.

    """

    symbol: str
    qty: Decimal = ZERO
    cost_usd: Decimal = ZERO
    leverage: Decimal = DEFAULT_LEVERAGE
    realised_usd: Decimal = ZERO
    current_realised_usd: Decimal = ZERO
    created_ns: int = 0
    updated_ns: int = 0
    index: int = ONE_WAY
    open_fees_usd: Decimal = ZERO
    sequence: int = 0

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


@dataclass(frozen=True, slots=True)
class Booking:
    """What one fill did to its position.

    Attributes
    ----------
    closed_qty, realised_usd : Decimal
        What it closed, and the profit of that before fees.
    entry_usd : Decimal
        What the closed part was entered for.
    open_fee_usd, close_fee_usd : Decimal
        Fees once paid for opening the closed part, and the part of this fill's fee that is for closing.

    """

    closed_qty: Decimal
    realised_usd: Decimal
    entry_usd: Decimal
    open_fee_usd: Decimal
    close_fee_usd: Decimal


@dataclass(slots=True)
class ClosedPnl:
    """What one order closed of a position so far; `pnl_usd` is after the fees of opening and closing."""

    order: Order
    side: int
    leverage: Decimal
    created_ns: int
    sequence: int
    kind: str = "Trade"
    qty: Decimal = ZERO
    entry_usd: Decimal = ZERO
    exit_usd: Decimal = ZERO
    pnl_usd: Decimal = ZERO
    open_fee_usd: Decimal = ZERO
    close_fee_usd: Decimal = ZERO
    fills: int = 0
    updated_ns: int = 0

    def add(self, booking: Booking, price: Decimal, at_ns: int) -> None:
        """Add what one fill closed at `price`."""
        self.qty += booking.closed_qty
        self.entry_usd += booking.entry_usd
        self.exit_usd += booking.closed_qty * price
        self.open_fee_usd += booking.open_fee_usd
        self.close_fee_usd += booking.close_fee_usd
        self.pnl_usd += booking.realised_usd - booking.open_fee_usd - booking.close_fee_usd
        self.fills += 1
        self.updated_ns = at_ns


@dataclass(slots=True)
class Account:
    """Wallet and positions of one USDT account.

    Attributes
    ----------
    equity_at_start_usd : Decimal
    realised_usd, fees_usd, funding_usd : Decimal
        Running sums; fees are positive when paid, funding is positive when received.
    positions : dict of str to Position
        One-way position of every symbol that was ever touched.
    sides : dict of (str, int) to Position
        Sides of hedged positions, by symbol and position index.

    """

    equity_at_start_usd: Decimal
    realised_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO
    funding_usd: Decimal = ZERO
    positions: dict[str, Position] = field(default_factory=dict)
    sides: dict[tuple[str, int], Position] = field(default_factory=dict)

    @property
    def wallet_usd(self) -> Decimal:
        """Cash of the account."""
        return self.equity_at_start_usd + self.realised_usd - self.fees_usd + self.funding_usd

    def position(self, symbol: str, index: int = ONE_WAY) -> Position:
        """Position of a symbol, flat where there was none."""
        if index == ONE_WAY:
            return self.positions.setdefault(symbol, Position(symbol))
        return self.sides.setdefault((symbol, index), Position(symbol, index=index))

    def of_symbol(self, symbol: str) -> tuple[Position, Position, Position]:
        """One-way position and both sides of a symbol."""
        return (
            self.position(symbol),
            self.position(symbol, LONG_SIDE),
            self.position(symbol, SHORT_SIDE),
        )

    def held(self) -> Iterator[Position]:
        """Every position that is not flat."""
        for positions in (self.positions, self.sides):
            yield from (position for position in positions.values() if position.qty)

    def book_fill(
        self, position: Position, side: int, qty: Decimal, price: Decimal, fee_usd: Decimal, at_ns: int
    ) -> Booking:
        """Book one fill on a position of this account."""
        before, fees_before = position.side, position.open_fees_usd
        held = abs(position.qty)
        realised, closed = position.trade(side, qty, price)
        if before == 0 or (position.side and position.side != before):
            position.created_ns = at_ns
            position.current_realised_usd = ZERO
        position.updated_ns = at_ns
        self.realised_usd += realised
        self.fees_usd += fee_usd
        position.realised_usd += realised - fee_usd
        position.current_realised_usd += realised - fee_usd
        close_fee = fee_usd if closed == qty else to_cents(fee_usd * closed / qty)
        open_fee = fees_before if closed == held else to_cents(fees_before * closed / held) if held else ZERO
        position.open_fees_usd = fees_before - open_fee + fee_usd - close_fee
        return Booking(closed, realised, closed * price - realised * before, open_fee, close_fee)

    def book_funding(self, position: Position, received_usd: Decimal, at_ns: int) -> None:
        """Book one funding payment; negative when paid."""
        self.funding_usd += received_usd
        position.realised_usd += received_usd
        position.current_realised_usd += received_usd
        position.updated_ns = at_ns
