"""Shadow trades: every signal's paper twin at touch prices with taker fees and the realised funding. Pure.

A shadow is opened whether or not the live order is allowed, so that what a gate cost or saved can be
measured.
"""

from __future__ import annotations

from decimal import Decimal

from hean_live.app.state import Shadow, Signal
from hean_live.execution.records import TradeRow
from models.market.bybit_v5_market import Ticker


def open_shadow(
    signal: Signal, ticker: Ticker, qty: Decimal, fee_rate: Decimal, now_ns: int
) -> Shadow | None:
    """Open at the touch: a buyer pays the ask.

    Parameters
    ----------
    signal : Signal
    ticker : Ticker
    qty : Decimal
        Base units; may be finer than the lot step where the account is too small for a lot.
    fee_rate : Decimal
        Taker fee, fraction.
    now_ns : int

    Returns
    -------
    Shadow or None
        None while the venue shows no price on that side.

    """
    price = ticker.ask1_price if signal.side > 0 else ticker.bid1_price
    if not price:
        return None
    return Shadow(signal, qty, now_ns, Decimal(str(price)), fee_rate)


def follow_shadow(shadow: Shadow, ticker: Ticker, now_ns: int) -> None:
    """Note the mark price once the settlement has passed; changes the shadow in place."""
    if shadow.mark is None and now_ns >= shadow.signal.settlement_ns and ticker.mark_price:
        shadow.mark = Decimal(str(ticker.mark_price))


def close_shadow(shadow: Shadow, ticker: Ticker, now_ns: int) -> bool:
    """Close at the touch; returns False, changing nothing, while the venue shows no price on that side."""
    price = ticker.bid1_price if shadow.signal.side > 0 else ticker.ask1_price
    if not price:
        return False
    shadow.exit_price = Decimal(str(price))
    shadow.exit_ns = now_ns
    return True


def shadow_trade(shadow: Shadow, realised_rate: float) -> TradeRow:
    """Add a closed shadow up.

    Parameters
    ----------
    shadow : Shadow
        Closed, with its mark price known.
    realised_rate : float
        The rate settled, fraction; a positive one is paid by longs.

    Returns
    -------
    TradeRow

    Raises
    ------
    ValueError
        If the shadow is still open.

    """
    if shadow.exit_price is None or shadow.mark is None:
        raise ValueError(f"shadow of {shadow.signal.symbol} should be closed, was open")
    signal = shadow.signal
    fees = shadow.qty * (shadow.entry_price + shadow.exit_price) * shadow.fee_rate
    funding = -signal.side * shadow.qty * shadow.mark * Decimal(repr(realised_rate))
    gross = signal.side * shadow.qty * (shadow.exit_price - shadow.entry_price)
    pnl = gross - fees + funding
    return TradeRow(
        trade_id=f"shadow-{signal.strategy}-{signal.symbol}-{signal.settlement_ns}",
        strategy=signal.strategy,
        symbol=signal.symbol,
        regime=signal.regime,
        mode="shadow",
        side=signal.side,
        qty=shadow.qty,
        entry_ns=shadow.entry_ns,
        entry_price=shadow.entry_price,
        exit_ns=shadow.exit_ns,
        exit_price=shadow.exit_price,
        fees_usd=float(fees),
        funding_usd=float(funding),
        pnl_usd=float(pnl),
        pnl_bps=float(pnl / (shadow.qty * shadow.entry_price) * 10_000),
        predicted=signal.predicted,
        realised_rate=realised_rate,
        model_version=signal.model_version,
    )
