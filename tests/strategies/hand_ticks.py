"""Hand-made ticks and a small desk that carries intents out, for tests of strategies on one or two markets."""

from __future__ import annotations

import numpy as np

from models.market.outlook import new_outlook
from models.market.record import new_market
from models.strategies.intent import CANCEL, EXIT, MARKET_ORDER, PLACE

S = 1_000_000_000
H = 3600 * S
DAY = 24 * H
NOW = 1_700_006_400 * S
"""A settlement at 00:00 UTC."""


def market(at_ns=NOW, mid=100.0, spread_bps=1.0, valid=1, **others):
    row = new_market()
    at(row, at_ns, mid, spread_bps, valid)
    for name, value in others.items():
        row[name] = value
    return row


def at(row, at_ns, mid, spread_bps=1.0, valid=1):
    """Move a market to a tick."""
    row.tick_at_ns, row.valid = at_ns, valid
    row.mid = mid if valid else np.nan
    row.spread_bps = spread_bps
    row.best_bid, row.best_ask = mid * (1.0 - 0.5e-4 * spread_bps), mid * (1.0 + 0.5e-4 * spread_bps)
    return row


def outlook(**known):
    row = new_outlook()
    for name, value in known.items():
        row[name] = value
    return row


class Desk:
    """Orders go out at a tick and arrive before the next: market orders fill at its touch, quotes when it is reached.

    The second leg fills at the given touch once it was wanted for a tick.
    """

    def __init__(self, step, params, state, capital=10_000.0, fee=0.0, leg_fee=0.0, quote=None):
        self.step, self.params, self.state = step, params, state
        self.capital, self.fee, self.leg_fee, self.quote = capital, fee, leg_fee, quote
        self.orders = []
        self.cash = 0.0
        self.turnover = 0.0
        self.pending_ns = 0
        self.intents = []

    def _fill(self, quantity, price, fee):
        state = self.state
        if state.position * quantity >= 0.0 or abs(quantity) > abs(state.position):
            state.entry_price = price
        state.position += quantity
        if abs(state.position) < 1e-12:
            state.position, state.entry_price = 0.0, np.nan
        self.cash -= quantity * price + abs(quantity) * price * fee
        self.turnover += abs(quantity) * price

    def _arrive(self, row):
        rest = []
        for kind, side, price, quantity in self.orders:
            touch = row.best_ask if side > 0 else row.best_bid
            if kind == MARKET_ORDER:
                self._fill(side * quantity, touch, self.fee)
            elif side * (price - touch) >= 0.0:
                self._fill(side * quantity, price, self.fee)
            else:
                rest.append((kind, side, price, quantity))
        self.orders = rest

    def _leg(self, row, seen):
        state, now = self.state, row.tick_at_ns
        difference = state.leg_wanted - state.leg_position
        bid, ask, at_ns = self.quote(seen)
        if difference == 0.0:
            self.pending_ns = 0
        elif self.pending_ns == 0:
            self.pending_ns = now
        elif at_ns == now:
            price = ask if difference > 0.0 else bid
            state.leg_position = state.leg_wanted
            self.cash -= difference * price + abs(difference) * price * self.leg_fee
            self.pending_ns = 0

    def tick(self, row, seen):
        """Let one tick pass and return what the strategy wanted."""
        state = self.state
        if row.valid:
            self._arrive(row)
        state.open_orders = len(self.orders)
        if self.quote is not None:
            state.leg_pending_s = 1e-9 * (row.tick_at_ns - self.pending_ns) if self.pending_ns else 0.0
        intent = self.step(row, seen, self.params, state)
        self.intents.append(intent)
        if self.quote is not None:
            self._leg(row, seen)
        if intent.action in (CANCEL, EXIT):
            self.orders = []
        if intent.action == PLACE and row.valid:
            price = row.mid if intent.kind == MARKET_ORDER else intent.price
            quantity = intent.share * self.capital / price
            if intent.reduce_only:
                quantity = abs(state.position)
            self.orders.append((intent.kind, intent.side, price, quantity))
        if intent.action == EXIT and row.valid and state.position != 0.0:
            side = -1 if state.position > 0.0 else 1
            self.orders.append((MARKET_ORDER, side, row.mid, abs(state.position)))
        return intent

    @property
    def reasons(self):
        return [intent.reason for intent in self.intents]
