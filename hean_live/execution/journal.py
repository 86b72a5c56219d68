"""The executor's journal (X5): what was decided, sent and filled, durable before the wire.

WAL with ``synchronous=FULL``: when a method returns outside a transaction, its row survives a power cut.
Readers in other processes never block the writer. Amounts are kept as text so that no digit is lost. One
process writes.

Here belongs storage only: the schema, typed writes and reads. What the rows mean, and when they are written,
belongs to the order manager and the engine.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hean_live.execution.records import ACTIVE_STATES, FillRow, OrderRow, RetryRow, TradeRow
from hean_live.execution.rows import fill_row, fill_values, order_row, order_values, trade_values
from hean_live.execution.schema import DDL, SCHEMA_VERSION
from models.errors import StopTrading

_ORDER_COLUMNS = (
    "client_id, venue_id, strategy, symbol, side, order_type, qty, price, reduce_only, leg, decision_ns, state,"
    " filled_qty, avg_price, reason, mode, created_ns, updated_ns"
)


class JournalError(StopTrading):
    """The journal cannot be read or written: without it no order may be sent."""


class Journal:
    """Typed access to one journal file.

    Parameters
    ----------
    path : Path
        Created with its schema if absent.

    Raises
    ------
    JournalError
        If the file is no journal, of another schema, or cannot be written.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at_ns = 0
        self._wall_ns = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(DDL)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(path, error) from error
        found = self.meta("schema_version")
        if found is None:
            self.set_meta("schema_version", SCHEMA_VERSION)
        elif found != SCHEMA_VERSION:
            self._db.close()
            raise JournalError(
                f"{path}: schema version should be {SCHEMA_VERSION}, was {found}",
                remedy="move the file away, or run the release that wrote it",
            )

    def close(self) -> None:
        """Close the file; the journal cannot be used afterwards."""
        self._db.close()

    def stamp(self, at_ns: int, wall_ns: int) -> None:
        """Set the market and wall time, ns UTC, that the next rows carry."""
        self._at_ns = at_ns
        self._wall_ns = wall_ns

    @property
    def at_ns(self) -> int:
        """Market time of the last stamp, ns UTC; 0 before the first."""
        return self._at_ns

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all writes inside one durable step; a nested transaction joins the outer one."""
        if self._db.in_transaction:
            yield
            return
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # on a full disk SQLite has rolled back by itself
                self._db.execute("ROLLBACK")
            raise
        self._execute("COMMIT")

    # --- meta

    def meta(self, key: str) -> str | None:
        """Return the value kept under `key`, or None."""
        row = self._execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep `value` under `key`."""
        self._execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (key, value))

    def delete_meta(self, key: str) -> None:
        """Forget `key`."""
        self._execute("DELETE FROM meta WHERE key = ?", (key,))

    # --- events

    def event(self, kind: str, body: Mapping[str, object], *, strategy: str = "", symbol: str = "") -> None:
        """Append an event; `body` must be JSON without NaN."""
        text = json.dumps(body, sort_keys=True, allow_nan=False, default=str)
        self._execute(
            "INSERT INTO events(at_ns, wall_ns, kind, strategy, symbol, body) VALUES (?, ?, ?, ?, ?, ?)",
            (self._at_ns, self._wall_ns, kind, strategy, symbol, text),
        )

    def events(self, kind: str) -> list[dict[str, object]]:
        """Return the bodies of all events of one kind, oldest first, with ``symbol`` and ``at_ns`` added."""
        rows = self._execute("SELECT body, symbol, at_ns FROM events WHERE kind = ? ORDER BY seq", (kind,))
        return [{**json.loads(body), "symbol": symbol, "at_ns": at_ns} for body, symbol, at_ns in rows]

    # --- orders

    def put_order(self, order: OrderRow) -> OrderRow:
        """Insert or replace one order, with an ``order_state`` event in the same step; returns it stamped."""
        row = replace(order, created_ns=order.created_ns or self._at_ns, updated_ns=self._at_ns)
        with self.transaction():
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
        return row

    def order(self, client_id: str) -> OrderRow | None:
        """Return one order by its client id, or None."""
        found = self._orders("client_id = ?", (client_id,))
        return found[0] if found else None

    def active_orders(self) -> list[OrderRow]:
        """Return every order that may still fill, doubtful ones included."""
        marks = ",".join("?" * len(ACTIVE_STATES))
        return self._orders(f"state IN ({marks})", ACTIVE_STATES)

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

    def _execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(query, values)
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error


def _unusable(path: Path, error: Exception) -> JournalError:
    return JournalError(
        f"{path}: the journal should be readable and writable, was not: {error}",
        remedy="free disk space and check the file's rights; if it is damaged, move it away and start again:"
        " positions are read from the venue",
    )
