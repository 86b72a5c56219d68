"""Between the journal's columns and its typed records; amounts are text in the file. No storage here."""

from __future__ import annotations

from decimal import Decimal

from hean_live.execution.records import FillRow, OrderRow, TradeRow
from models.errors import DataError


def order_values(row: OrderRow) -> tuple[object, ...]:
    """Return the columns of an order in the order of the table."""
    return (
        row.client_id,
        row.venue_id,
        row.strategy,
        row.symbol,
        row.side,
        row.order_type,
        str(row.qty),
        None if row.price is None else str(row.price),
        int(row.reduce_only),
        row.leg,
        row.decision_ns,
        row.state,
        str(row.filled_qty),
        None if row.avg_price is None else str(row.avg_price),
        row.reason,
        row.mode,
        row.created_ns,
        row.updated_ns,
    )


def order_row(row: tuple[object, ...]) -> OrderRow:
    """Read an order back."""
    (client_id, venue_id, strategy, symbol, side, order_type, qty, price, reduce_only, leg, decision_ns) = (
        row[:11]
    )
    (state, filled_qty, avg_price, reason, mode, created_ns, updated_ns) = row[11:]
    return OrderRow(
        client_id=str(client_id),
        venue_id=str(venue_id or ""),
        strategy=str(strategy),
        symbol=str(symbol),
        side=_int(side),
        order_type=str(order_type),
        qty=Decimal(str(qty)),
        price=None if price is None else Decimal(str(price)),
        reduce_only=bool(reduce_only),
        leg=str(leg),
        decision_ns=_int(decision_ns),
        state=str(state),
        filled_qty=Decimal(str(filled_qty)),
        avg_price=None if avg_price is None else Decimal(str(avg_price)),
        reason=str(reason or ""),
        mode=str(mode),
        created_ns=_int(created_ns),
        updated_ns=_int(updated_ns),
    )


def fill_row(row: tuple[object, ...]) -> FillRow:
    """Read a fill back."""
    exec_id, client_id, venue_id, symbol, side, qty, price, fee_usd, is_maker, kind, at_ns = row
    return FillRow(
        str(exec_id),
        str(client_id),
        str(venue_id),
        str(symbol),
        _int(side),
        Decimal(str(qty)),
        Decimal(str(price)),
        Decimal(str(fee_usd)),
        bool(is_maker),
        str(kind),
        _int(at_ns),
    )


def fill_values(fill: FillRow) -> tuple[object, ...]:
    """Return the columns of a fill in the order of the table."""
    return (
        fill.exec_id,
        fill.client_id,
        fill.venue_id,
        fill.symbol,
        fill.side,
        str(fill.qty),
        str(fill.price),
        str(fill.fee_usd),
        int(fill.is_maker),
        fill.kind,
        fill.at_ns,
    )


def trade_values(trade: TradeRow) -> tuple[object, ...]:
    """Return the columns of a trade in the order of the table."""
    return (
        trade.trade_id,
        trade.strategy,
        trade.symbol,
        trade.regime,
        trade.mode,
        trade.side,
        str(trade.qty),
        trade.entry_ns,
        str(trade.entry_price),
        trade.exit_ns,
        str(trade.exit_price),
        trade.fees_usd,
        trade.funding_usd,
        trade.pnl_usd,
        trade.pnl_bps,
        trade.predicted,
        trade.realised_rate,
        trade.model_version,
    )


def _int(value: object) -> int:
    if isinstance(value, int):
        return value
    raise DataError(f"journal: a whole number was expected, was {value!r}")
