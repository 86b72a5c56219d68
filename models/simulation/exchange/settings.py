"""What an account sets apart from orders: leverage, position mode, stops of a position.

Here belong the checks of these requests and their effect. Orders are `desk`'s business.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from models.simulation.exchange import checks, margins, stops
from models.simulation.exchange.account import Position
from models.simulation.exchange.orders import ZERO, OrderRequest, Rejection
from models.simulation.exchange.state import ExchangeState


class AccountSettings(ExchangeState):
    """An account whose settings can be changed; see `ExchangeState` for its parameters and attributes."""

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set the leverage of a symbol.

        Raises
        ------
        Rejection
            110043 where it already is that, 110013 beyond the listing or the position's risk limit, 110012 where the margin it
            asks for is not there.

        """
        listing = self.listing(symbol)
        positions = self.account.of_symbol(symbol)
        values = [abs(position.qty) * self.mark(symbol) for position in positions if position.qty]
        highest = min(
            (margins.tier_of(listing, value).max_leverage for value in values), default=listing.max_leverage
        )
        if not 1 <= leverage <= highest:
            raise Rejection(
                110013, f"cannot set leverage [{leverage}] gt maxLeverage [{highest}] by risk limit"
            )
        if positions[0].leverage == leverage:
            raise Rejection(110043, "leverage not modified")
        more = sum((value / leverage - value / positions[0].leverage for value in values), ZERO)
        if more > 0 and more > self.available_usd():
            raise Rejection(110012, "insufficient available balance")
        for position in positions:
            position.leverage = leverage
        self._tell_positions(symbol)
        self.log.wallet()
        self.publish()

    def switch_mode(self, symbols: Collection[str], *, hedged: bool) -> None:
        """Switch symbols to hedge mode or to one-way mode.

        Raises
        ------
        Rejection
            110025 where all are in that mode already, 110024 with a position, 110028 with an open order.

        """
        changing = [symbol for symbol in symbols if (symbol in self.hedged) != hedged]
        if not changing:
            raise Rejection(110025, "Position mode is not modified")
        for symbol in changing:
            if any(position.qty for position in self.account.of_symbol(symbol)):
                raise Rejection(110024, "You have an existing position, so position mode cannot be switched")
            if self.open_orders(symbol):
                raise Rejection(110028, "You have existing open orders, so position mode cannot be switched")
        for symbol in changing:
            (self.hedged.add if hedged else self.hedged.discard)(symbol)

    def set_stops(self, symbol: str, wanted: OrderRequest) -> None:
        """Set stop loss, take profit and trailing stop of an open position.

        Parameters
        ----------
        symbol : str
        wanted : OrderRequest
            Its stops, `tpsl_mode`, `trailing` and `position_idx` count; in ``Partial`` mode also `qty`, the size they are for.
            Zero removes, None leaves.

        Raises
        ------
        Rejection
            10001 for wrong terms or without a position, 34040 where nothing would change.

        """
        listing = self.listing(symbol)
        checks.check_mode(wanted, hedged=symbol in self.hedged)
        checks.check_stop_terms(wanted)
        position = self._position_of(wanted)
        if not position.qty:
            raise Rejection(10001, "can not set tp/sl/ts for zero position")
        last = self.last_price(symbol)
        priced = replace(
            wanted,
            side=position.side,
            stop_loss=wanted.stop_loss or None,
            take_profit=wanted.take_profit or None,
        )
        checks.check_price(priced, listing)
        checks.check_stops(priced, last)
        if wanted.tpsl_mode == "Partial":
            changed = self._add_parts(position, priced)
        else:
            changed = stops.replace_whole(self, position, wanted)
        if wanted.trailing is not None:
            if wanted.trailing % listing.tick_size or wanted.trailing >= last:
                raise Rejection(10001, "TrailingStop invalid")
            active = wanted.active_price or None
            changed = stops.set_trailing(self, position, wanted.trailing, active) or changed
        if not changed:
            raise Rejection(34040, "not modified")
        self.log.position(symbol, position.index)
        self.publish()

    def _add_parts(self, position: Position, wanted: OrderRequest) -> bool:
        if wanted.stop_loss is None and wanted.take_profit is None:
            return False
        listing = self.listing(position.symbol)
        if not 0 < wanted.qty <= abs(position.qty) or wanted.qty % listing.qty_step:
            raise Rejection(10001, "tp/sl size invalid")
        stops.check_room(self, position.symbol, position.index)
        return bool(stops.add_parts(self, position, wanted, wanted.qty))

    def _tell_positions(self, symbol: str) -> None:
        for position in self.positions_of(symbol):
            self.log.position(symbol, position.index)
