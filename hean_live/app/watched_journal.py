"""The journal with someone looking on: every event, trade and forecast kept is told as it is written.

What is told may be rolled back with its transaction; then the disk has failed, and trading ends. What does not belong here: what
is made of it (`monitor.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from hean_live.execution.journal import Journal
from hean_live.execution.records import OrderRow, TradeRow


class Watcher(Protocol):
    """What is told; must not raise, nor write to the journal."""

    def on_event(self, kind: str, strategy: str, symbol: str, body: Mapping[str, object]) -> None:
        """Take note of an event."""

    def on_intent(self) -> None:
        """Take note of an order that is durable and about to be sent."""

    def on_trade(self, trade: TradeRow) -> None:
        """Take note of a closed trade, each once."""

    def on_forecast(self, symbol: str, settlement_ns: int, horizon_min: int, predicted: float) -> None:
        """Take note of a forecast of a settlement's rate, a fraction."""


class WatchedJournal(Journal):
    """A journal that tells a watcher.

    Parameters
    ----------
    path : Path
    watcher : Watcher

    """

    def __init__(self, path: Path, watcher: Watcher) -> None:
        super().__init__(path)
        self._watcher = watcher

    def event(self, kind: str, body: Mapping[str, object], *, strategy: str = "", symbol: str = "") -> None:
        """Append an event and tell."""
        super().event(kind, body, strategy=strategy, symbol=symbol)
        self._watcher.on_event(kind, strategy, symbol, body)

    def intend(self, order: OrderRow) -> OrderRow:
        """Keep an order that is about to be sent and tell, here: its event comes when it is in the tables, after the wire."""
        row = super().intend(order)
        self._watcher.on_intent()
        return row

    def add_trade(self, trade: TradeRow) -> None:
        """Keep a round trip and tell, unless it was kept already."""
        before = self._db.total_changes
        super().add_trade(trade)
        if self._db.total_changes > before:
            self._watcher.on_trade(trade)

    def add_forecast(
        self,
        symbol: str,
        settlement_ns: int,
        horizon_min: int,
        made_at_ns: int,
        model_version: str,
        values: tuple[float, float, float, float],
    ) -> None:
        """Keep a forecast and tell."""
        super().add_forecast(symbol, settlement_ns, horizon_min, made_at_ns, model_version, values)
        self._watcher.on_forecast(symbol, settlement_ns, horizon_min, values[0])
