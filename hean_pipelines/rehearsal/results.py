"""What the rehearsal's journal and registry say in the end. Reading only; nothing is computed anew."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

JOURNAL = "journal.sqlite"
REGISTRY = "mlflow.db"


def ask(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query on a SQLite file that another process may be writing; none where it is not made yet."""
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(query, values).fetchall()
    return []


def count(home: Path, query: str, *values: object) -> int:
    """Return the one number a query on the journal gives, 0 where there is none."""
    rows = ask(home / JOURNAL, query, *values)
    return int(rows[0][0]) if rows else 0


def traded(home: Path) -> dict[str, Any]:
    """Return trades by mode and strategy, orders, fills, blocks by gate, and errors by code."""
    journal = home / JOURNAL
    trades: dict[str, dict[str, int]] = {"live": {}, "shadow": {}}
    for mode, strategy, number in ask(
        journal, "SELECT mode, strategy, count(*) FROM trades GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        trades.setdefault(str(mode), {})[str(strategy)] = int(number)
    return {
        "trades": trades,
        "orders": count(home, "SELECT count(*) FROM orders"),
        "fills": count(home, "SELECT count(*) FROM fills WHERE kind = 'trade'"),
        "fills_by_hand": count(home, "SELECT count(*) FROM fills WHERE kind = 'foreign'"),
        "funding_payments": count(home, "SELECT count(*) FROM fills WHERE kind = 'funding'"),
        "signals": count(home, "SELECT count(*) FROM events WHERE kind IN ('signal', 'bank_signal')"),
        "blocks": _by(journal, "block", "$.reason"),
        "errors": _by(journal, "error", "$.code"),
    }


def learned(home: Path) -> dict[str, int]:
    """Return the newest version of everything in the registry, by name; models, matrices and policies alike."""
    query = "SELECT name, max(version) FROM model_versions GROUP BY name ORDER BY name"
    return {str(name): int(version) for name, version in ask(home / REGISTRY, query)}


def table(result: dict[str, Any]) -> Table:
    """Return the table the rehearsal ends with."""
    from rich.table import Table

    rows = Table(title="the rehearsal", show_header=False)
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for name, value in result.items():
        rows.add_row(name, _shown(value))
    return rows


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(map(_shown, value))
    return str(value)


def _by(journal: Path, kind: str, field: str) -> dict[str, int]:
    query = "SELECT json_extract(body, ?), count(*) FROM events WHERE kind = ? GROUP BY 1 ORDER BY 2 DESC, 1"
    return {str(name): int(number) for name, number in ask(journal, query, field, kind)}
