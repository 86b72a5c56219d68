"""When shadow trades are opened, followed and closed, and how large they are. Changes only the state given.

Prices and results of a shadow trade are in `shadow.py`.
"""

from __future__ import annotations

from decimal import Decimal

from hean_live.app.gates import size_request
from hean_live.app.rules import EngineRules
from hean_live.app.shadow import close_shadow, follow_shadow, open_shadow
from hean_live.app.snapshot import Command, Note, Snapshot
from hean_live.app.state import Signal, SymbolState
from models.portfolio.sizing import SizerZero, size_position


def step_shadow(state: SymbolState, snapshot: Snapshot, rules: EngineRules) -> list[Command]:
    """Open, follow or close the shadow of one symbol; `state` is changed in place."""
    signal = state.signal
    if signal is not None and state.shadow is None:
        return _open(state, signal, snapshot, rules)
    shadow = state.shadow
    ticker = None if shadow is None else snapshot.tickers.get(shadow.signal.symbol)
    if shadow is None or ticker is None:
        return []
    follow_shadow(shadow, ticker, snapshot.now_ns)
    due = snapshot.now_ns >= shadow.signal.exit_ns
    if due and shadow.mark is not None and close_shadow(shadow, ticker, snapshot.now_ns):
        state.unbooked_shadows.append(shadow)
        state.shadow = None
    return []


def _open(state: SymbolState, signal: Signal, snapshot: Snapshot, rules: EngineRules) -> list[Command]:
    ticker = snapshot.tickers.get(signal.symbol)
    instrument = snapshot.instruments.get(signal.symbol)
    price = None if ticker is None else (ticker.ask1_price if signal.side > 0 else ticker.bid1_price)
    if ticker is None or instrument is None or not price:
        return []
    equity = snapshot.books.equity_usd if snapshot.books else rules.shadow_equity_usd
    if equity <= 0:
        equity = rules.shadow_equity_usd
    size = size_position(size_request(equity, Decimal(str(price)), instrument, rules.gates))
    qty = size.unrounded_qty if isinstance(size, SizerZero) else size.qty
    fee = snapshot.taker_fees.get(signal.symbol, rules.default_taker_fee)
    state.shadow = open_shadow(signal, ticker, qty, fee, snapshot.now_ns)
    body = {"side": signal.side, "qty": str(qty), "price": price, "taker_fee": str(fee)}
    return [Note("shadow_open", signal.symbol, body)]
