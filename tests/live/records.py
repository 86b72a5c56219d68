"""Records of the venue and rows of the journal for tests of the books: one symbol, one decision, prices around 100."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from hean_live.execution.client_id import client_order_id
from hean_live.execution.records import OPEN, OrderRow
from models.market.trading_records import Execution, Order, OrderStatus, Position

SYMBOL = "BTCUSDT"
DECISION_NS = 1_748_793_600 * 1_000_000_000
ENTRY_ID = client_order_id("S1", SYMBOL, DECISION_NS, "e0")


def order(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "symbol": SYMBOL,
        "order_id": "v1",
        "client_id": ENTRY_ID,
        "side": 1,
        "order_type": "Limit",
        "time_in_force": "PostOnly",
        "status": OrderStatus.NEW,
        "qty": D(2),
        "price": D(100),
        "filled_qty": D(0),
        "leaves_qty": D(2),
        "avg_price": None,
        "trigger_price": None,
        "stop_order_type": "",
        "reduce_only": False,
        "position_idx": 0,
        "reject_reason": "",
        "cancel_type": "",
        "fees": {},
        "created_ns": DECISION_NS,
        "updated_ns": DECISION_NS,
    }
    return Order(**{**fields, **changes})


def execution(**changes: Any) -> Execution:
    fields: dict[str, Any] = {
        "exec_id": "x1",
        "order_id": "v1",
        "client_id": ENTRY_ID,
        "symbol": SYMBOL,
        "side": 1,
        "price": D(100),
        "qty": D(1),
        "fee": D("0.1"),
        "fee_currency": "USDT",
        "is_maker": True,
        "kind": "trade",
        "closed_qty": D(0),
        "at_ns": DECISION_NS + 5,
    }
    return Execution(**{**fields, **changes})


def position(**changes: Any) -> Position:
    fields: dict[str, Any] = {
        "symbol": SYMBOL,
        "side": 1,
        "size": D(1),
        "avg_price": D(100),
        "mark_price": D(100),
        "liq_price": None,
        "leverage": D(3),
        "unrealised_pnl": None,
        "cum_realised_pnl": None,
        "take_profit": None,
        "stop_loss": None,
        "position_idx": 0,
        "status": "Normal",
        "updated_ns": DECISION_NS + 5,
    }
    return Position(**{**fields, **changes})


def order_row(**changes: Any) -> OrderRow:
    fields: dict[str, Any] = {
        "client_id": ENTRY_ID,
        "strategy": "S1",
        "symbol": SYMBOL,
        "side": 1,
        "order_type": "Limit/PostOnly",
        "qty": D(2),
        "price": D(100),
        "reduce_only": False,
        "leg": "entry",
        "decision_ns": DECISION_NS,
        "state": OPEN,
        "venue_id": "v1",
    }
    return OrderRow(**{**fields, **changes})
