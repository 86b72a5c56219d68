"""The executor's journal (X5): what was decided, sent and filled, durable before the wire.

When a method returns outside a transaction, its row survives a power cut. Readers in other processes never block the
writer. Amounts are kept as text so that no digit is lost. One process writes.

An order about to be sent is first written to `intents.py`'s file, a tenth of a commit, and put into the tables with the
next statement of any kind, so that nobody who reads here misses it; after a crash, at the next opening.

Here belongs storage only: typed writes and reads. What the rows mean, and when they are written, belongs to the order
manager and the engine; the file, its steps and `meta` are `journal_file.py`'s.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hean_live.execution.intents import LONGEST, SLOTS, IntentFile
from hean_live.execution.journal_file import JournalError, JournalFile, unusable
from hean_live.execution.records import ACTIVE_STATES, FillRow, OrderRow, RetryRow, TradeRow
from hean_live.execution.rows import fill_row, fill_values, order_row, order_values, trade_values

__all__ = ["Journal", "JournalError"]

_ORDER_COLUMNS = (
    "client_id, venue_id, strategy, symbol, side, order_type, qty, price, reduce_only, leg, decision_ns, state,"
    " filled_qty, avg_price, reason, mode, created_ns, updated_ns"
)
_ID: Final = "journal_id"
_THROUGH: Final = "intents_through"
"""Number of the newest intent that is in the tables, written in the same step."""


@dataclass(frozen=True)
class _Intent:
    number: int
    at_ns: int
    wall_ns: int
    row: OrderRow


class Journal(JournalFile):
    """Typed access to one journal; parameters and errors as of `JournalFile`."""

    def __init__(self, path: Path, *, fsync: bool = True) -> None:
        self._waiting: list[_Intent] = []
        self._active: dict[str, OrderRow] | None = None
        super().__init__(path, fsync=fsync)
        journal_id = self.meta(_ID)
        if journal_id is None:
            journal_id = uuid.uuid4().hex
            self.set_meta(_ID, journal_id)
        try:
            intents = path.with_name(path.name + "-intents")
            self._intents = IntentFile(intents, bytes.fromhex(journal_id), fsync=fsync)
        except (OSError, ValueError) as error:
            raise unusable(path, error) from error
        waiting = self._unwritten()
        self._number = max([self._through(), *(own.number for own in waiting)])
        if waiting:
            self._write_intents(waiting)

    def close(self) -> None:
        """Close the files; the journal cannot be used afterwards. What waits is put in when it is opened next."""
        self._intents.close()
        super().close()

    # --- events

    def event(self, kind: str, body: Mapping[str, object], *, strategy: str = "", symbol: str = "") -> None:
        """Append an event; `body` must be JSON without NaN."""
        text = json.dumps(body, sort_keys=True, allow_nan=False, default=str)
        self._execute(
            "INSERT INTO events(at_ns, wall_ns, kind, strategy, symbol, body) VALUES (?, ?, ?, ?, ?, ?)",
            (self._at_ns, self._wall_ns, kind, strategy, symbol, text),
        )

    def events(self, kind: str) -> list[dict[str, object]]:
        """Return the bodies of all events of one kind, oldest first, with ``strategy``, ``symbol``, ``at_ns`` added."""
        query = "SELECT body, strategy, symbol, at_ns FROM events WHERE kind = ? ORDER BY seq"
        rows = self._execute(query, (kind,))
        return [
            {**json.loads(body), "strategy": strategy, "symbol": symbol, "at_ns": at_ns}
            for body, strategy, symbol, at_ns in rows
        ]

    # --- orders

    def intend(self, order: OrderRow) -> OrderRow:
        """Keep an order that is about to be sent; returns it stamped. As durable as `put_order`, and much quicker."""
        row = self._stamped(order)
        text = json.dumps([self._at_ns, self._wall_ns, *order_values(row)]).encode()
        full = len(self._waiting) >= SLOTS // 2
        if full or len(text) > LONGEST or self._db.in_transaction:
            return self.put_order(order)
        try:
            self._intents.write(self._number + 1, text)
        except OSError as error:
            raise unusable(self.path, error) from error
        self._number += 1
        self._waiting.append(_Intent(self._number, self._at_ns, self._wall_ns, row))
        self._remember(row)
        return row

    def put_order(self, order: OrderRow) -> OrderRow:
        """Insert or replace one order, with an ``order_state`` event in the same step; returns it stamped."""
        row = self._stamped(order)
        with self.transaction():
            self._write_order(row)
        self._remember(row)
        return row

    def _stamped(self, order: OrderRow) -> OrderRow:
        return replace(order, created_ns=order.created_ns or self._at_ns, updated_ns=self._at_ns)

    def _write_order(self, row: OrderRow) -> None:
        self._execute(
            f"INSERT OR REPLACE INTO orders({_ORDER_COLUMNS}) VALUES ({','.join('?' * 18)})",
            order_values(row),
        )
        body = {
            "client_id": row.client_id,
            "state": row.state,
            "leg": row.leg,
            "filled_qty": str(row.filled_qty),
            "reason": row.reason,
        }
        self.event("order_state", body, strategy=row.strategy, symbol=row.symbol)

    def order(self, client_id: str) -> OrderRow | None:
        """Return one order by its client id, or None."""
        found = self._orders("client_id = ?", (client_id,))
        return found[0] if found else None

    def active_orders(self) -> list[OrderRow]:
        """Return every order that may still fill, doubtful ones included, oldest first; kept in memory."""
        if self._active is None:
            marks = ",".join("?" * len(ACTIVE_STATES))
            rows = self._orders(f"state IN ({marks})", ACTIVE_STATES)
            self._active = {row.client_id: row for row in rows}
        return sorted(self._active.values(), key=lambda row: row.created_ns)

    def orders_of(self, symbol: str, decision_ns: int | None = None) -> list[OrderRow]:
        """Return the orders of a symbol, of one decision or of all, oldest first."""
        if decision_ns is None:
            return self._orders("symbol = ?", (symbol,))
        return self._orders("symbol = ? AND decision_ns = ?", (symbol, decision_ns))

    def order_by_venue_id(self, venue_id: str) -> OrderRow | None:
        """Return one order by the venue's id, or None."""
        found = self._orders("venue_id = ?", (venue_id,))
        return found[0] if found else None

    def symbols_with_orders(self) -> list[str]:
        """Return every symbol that ever had an order of ours."""
        return [str(row[0]) for row in self._execute("SELECT DISTINCT symbol FROM orders ORDER BY symbol")]

    def _orders(self, where: str, values: Sequence[object]) -> list[OrderRow]:
        query = f"SELECT {_ORDER_COLUMNS} FROM orders WHERE {where} ORDER BY created_ns, rowid"
        return [order_row(row) for row in self._execute(query, values)]

    # --- fills, trades, equity, forecasts

    def add_fill(self, fill: FillRow) -> bool:
        """Keep a fill; returns False if its execution id is known already."""
        cursor = self._execute(
            f"INSERT OR IGNORE INTO fills VALUES ({','.join('?' * 11)})", fill_values(fill)
        )
        return cursor.rowcount == 1

    def has_fill(self, exec_id: str) -> bool:
        """Return whether this execution has been kept."""
        return self._execute("SELECT 1 FROM fills WHERE exec_id = ?", (exec_id,)).fetchone() is not None

    def fill_ns(self, exec_id: str) -> int | None:
        """Return the time of a kept execution, ns UTC, None if it is not kept."""
        row = self._execute("SELECT at_ns FROM fills WHERE exec_id = ?", (exec_id,)).fetchone()
        return None if row is None else int(row[0])

    def fills_of(self, symbol: str) -> list[FillRow]:
        """Return all fills of a symbol in time order."""
        rows = self._execute("SELECT * FROM fills WHERE symbol = ? ORDER BY at_ns, exec_id", (symbol,))
        return [fill_row(row) for row in rows]

    def newest_fill(self) -> int:
        """Return the number of the newest fill kept, 0 without; numbers only grow."""
        return int(self._execute("SELECT coalesce(max(rowid), 0) FROM fills").fetchone()[0])

    def add_trade(self, trade: TradeRow) -> None:
        """Keep a round trip; the same id again changes nothing."""
        self._execute(f"INSERT OR IGNORE INTO trades VALUES ({','.join('?' * 18)})", trade_values(trade))

    # --- words of the venue that could not be booked

    def keep_retry(self, key: str, kind: str, symbol: str, body: str, error: str) -> bool:
        """Keep a word of the venue to be tried again; returns False if it was kept already (its count grows)."""
        known = self._execute("SELECT 1 FROM retries WHERE key = ?", (key,)).fetchone() is not None
        self._execute(
            "INSERT INTO retries VALUES (?, ?, ?, ?, 1, ?, ?, ?) ON CONFLICT(key) DO UPDATE SET"
            " attempts = attempts + 1, error = excluded.error, last_ns = excluded.last_ns",
            (key, kind, symbol, body, error, self._at_ns, self._at_ns),
        )
        return not known

    def drop_retry(self, key: str) -> None:
        """Forget a word that has been booked."""
        self._execute("DELETE FROM retries WHERE key = ?", (key,))

    def retries(self) -> list[RetryRow]:
        """Return every word still to be booked, oldest first."""
        return [RetryRow(*row) for row in self._execute("SELECT * FROM retries ORDER BY first_ns, rowid")]

    def count(self, table: str, where: str = "1") -> int:
        """Return the number of rows of one of the journal's tables."""
        if table not in ("events", "orders", "fills", "trades", "equity", "forecasts", "retries"):
            raise ValueError(f"table should be one of the journal's, was {table!r}")
        return int(self._execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])

    def add_equity(self, equity_usd: float, available_usd: float) -> None:
        """Keep the account's equity at the stamped market time."""
        self._execute(
            "INSERT OR REPLACE INTO equity VALUES (?, ?, ?)", (self._at_ns, equity_usd, available_usd)
        )

    def add_forecast(
        self,
        symbol: str,
        settlement_ns: int,
        horizon_min: int,
        made_at_ns: int,
        model_version: str,
        values: tuple[float, float, float, float],
    ) -> None:
        """Keep a forecast; `values` are predicted, q05, q50, q95 as fractions."""
        self._execute(
            "INSERT OR REPLACE INTO forecasts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (symbol, settlement_ns, horizon_min, made_at_ns, model_version, *values),
        )

    # --- intents

    def _execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        if self._waiting and query != "BEGIN IMMEDIATE":  # what begins here takes them into its own step
            waiting, self._waiting = self._waiting, []
            self._write_intents(waiting)
        return super()._execute(query, values)

    def _write_intents(self, waiting: Sequence[_Intent]) -> None:
        stamp = self._at_ns, self._wall_ns
        with self.transaction():
            through = self._through()
            try:
                for own in waiting:
                    if own.number > through:  # another process that opened the journal may have been quicker
                        self.stamp(own.at_ns, own.wall_ns)
                        self._write_order(own.row)
            finally:
                self.stamp(*stamp)
            self.set_meta(_THROUGH, str(waiting[-1].number))

    def _unwritten(self) -> list[_Intent]:
        """Return the intents that are not in the tables."""
        found = []
        for number, text in self._intents.after(self._through()):
            at_ns, wall_ns, *columns = json.loads(text)
            found.append(_Intent(number, at_ns, wall_ns, order_row(tuple(columns))))
        return found

    def _through(self) -> int:
        # Past `_execute`: what waits is not to be written because somebody asks what waits.
        row = super()._execute("SELECT value FROM meta WHERE key = ?", (_THROUGH,)).fetchone()
        return 0 if row is None else int(row[0])

    def _remember(self, row: OrderRow) -> None:
        if self._active is not None:
            self._active.pop(row.client_id, None)
            if row.is_active:
                self._active[row.client_id] = row

    def _rolled_back(self) -> None:
        self._active = None
        self._waiting = self._unwritten()
