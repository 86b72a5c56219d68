"""What moved the wallet, from Bybit's ``account/transaction-log``. Pure.

Trades, funding and liquidations are in the log as they are among the executions; transfers, bonuses, interest and refunds are in
the log alone. Source: the venue's v5 documentation, account/transaction-log. Asking for it is not done here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from models.market.bybit_v5 import Payload, decimal, nanoseconds, optional_text, rows_of, text

_TRADING: Final = frozenset({"TRADE", "SETTLEMENT", "LIQUIDATION", "ADL", "DELIVERY"})


@dataclass(frozen=True)
class WalletChange:
    """One row of the log: `change` of the balance of `coin`, positive when it grew; `trade_id` is the execution's, if any."""

    kind: str
    category: str
    coin: str
    symbol: str
    change: Decimal
    trade_id: str
    at_ns: int

    @property
    def is_trading(self) -> bool:
        """Whether an execution on linear contracts tells of it too."""
        return self.category == "linear" and self.kind in _TRADING


def parse_wallet_changes(result: object) -> list[WalletChange]:
    """Parse one page of the log, newest first as sent; raises DataError naming the field."""
    return [_change(row) for row in rows_of(result, "transaction log")]


def _change(row: Payload) -> WalletChange:
    where = f"transaction log, {optional_text(row, 'type')} of {optional_text(row, 'symbol') or 'no symbol'}"
    return WalletChange(
        kind=text(row, "type", where),
        category=optional_text(row, "category"),
        coin=text(row, "currency", where),
        symbol=optional_text(row, "symbol"),
        change=decimal(row, "change", where),
        trade_id=optional_text(row, "tradeId"),
        at_ns=nanoseconds(row, "transactionTime", where),
    )
