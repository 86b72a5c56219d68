"""Round trips from fills: prices, fees, funding and result of a live trade. Storage is the journal's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hean_live.execution.fills import FUNDING, TRADE
from hean_live.execution.records import FillRow, OrderRow, TradeRow


@dataclass(frozen=True)
class TradeContext:
    """What the fills do not say: the decision behind them and the rate that was settled (None if unknown)."""

    strategy: str
    symbol: str
    decision_ns: int
    regime: str
    predicted: float
    realised_rate: float | None
    model_version: str


def build_live_trade(
    context: TradeContext, orders: Sequence[OrderRow], fills: Sequence[FillRow]
) -> TradeRow | None:
    """Add up the fills of one decision.

    Parameters
    ----------
    context : TradeContext
    orders : sequence of OrderRow
        All orders of the decision.
    fills : sequence of FillRow
        Fills of the symbol; those of other decisions are left out, funding is taken from between entry and
        exit.

    Returns
    -------
    TradeRow or None
        None if nothing was filled, or the fills do not close what they opened.

    """
    # Two strategies may decide in the same second.
    key = (context.decision_ns, context.strategy)
    legs = {order.client_id: order.leg for order in orders if (order.decision_ns, order.strategy) == key}
    ours = [fill for fill in fills if fill.kind == TRADE and fill.client_id in legs]
    side = next((fill.side for fill in ours if legs[fill.client_id] == "entry"), 0)
    if not side:
        return None
    # By side, not by leg: where both sides are quoted, an entry may close what another opened.
    entries = [fill for fill in ours if fill.side == side]
    exits = [fill for fill in ours if fill.side != side]
    qty = _total(entries)
    if _total(exits) != qty:
        return None
    entry_ns, exit_ns = entries[0].at_ns, exits[-1].at_ns
    funding = sum(
        (-fill.fee_usd for fill in fills if fill.kind == FUNDING and entry_ns <= fill.at_ns <= exit_ns),
        Decimal(0),
    )
    entry_price, exit_price = _average(entries), _average(exits)
    fees = sum((fill.fee_usd for fill in ours), Decimal(0))
    pnl = side * qty * (exit_price - entry_price) - fees + funding
    return TradeRow(
        trade_id=f"live-{context.strategy}-{context.symbol}-{context.decision_ns}",
        strategy=context.strategy,
        symbol=context.symbol,
        regime=context.regime,
        mode="live",
        side=side,
        qty=qty,
        entry_ns=entry_ns,
        entry_price=entry_price,
        exit_ns=exit_ns,
        exit_price=exit_price,
        fees_usd=float(fees),
        funding_usd=float(funding),
        pnl_usd=float(pnl),
        pnl_bps=float(pnl / (qty * entry_price) * 10_000),
        predicted=context.predicted,
        realised_rate=context.realised_rate,
        model_version=context.model_version,
    )


def both_legs(first: TradeRow, second: TradeRow) -> TradeRow:
    """Return a pair's trade: the first leg's with the money of both, as its shadow is told.

    Basis points are of half the value traded in both markets.
    """
    pnl = first.pnl_usd + second.pnl_usd
    traded = sum(float(leg.qty * (leg.entry_price + leg.exit_price)) for leg in (first, second))
    return replace(
        first,
        entry_ns=min(first.entry_ns, second.entry_ns),
        exit_ns=max(first.exit_ns, second.exit_ns),
        fees_usd=first.fees_usd + second.fees_usd,
        funding_usd=first.funding_usd + second.funding_usd,
        pnl_usd=pnl,
        pnl_bps=1e4 * pnl / (0.5 * traded),
    )


def _total(fills: Sequence[FillRow]) -> Decimal:
    return sum((fill.qty for fill in fills), Decimal(0))


def _average(fills: Sequence[FillRow]) -> Decimal:
    return sum((fill.qty * fill.price for fill in fills), Decimal(0)) / _total(fills)
