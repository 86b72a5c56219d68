"""The journal as a file: opening, its schema and identity, durable steps, `meta`. What its rows are is `journal.py`'s."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hean_live.execution.schema import DDL, SCHEMA_VERSION
from models.errors import StopTrading


class JournalError(StopTrading):
    """The journal cannot be read or written: without it no order may be sent."""


class JournalFile:
    """One SQLite file in WAL mode.

    Parameters
    ----------
    path : Path
        Created with its schema if absent.
    fsync : bool
        Whether a step survives a power cut when it returns (``synchronous=FULL``); a crash of the process it survives
        either way.

    Raises
    ------
    JournalError
        If the file is no journal, of another schema, or cannot be written.

    """

    def __init__(self, path: Path, *, fsync: bool = True) -> None:
        self.path = path
        self._at_ns = 0
        self._wall_ns = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={'FULL' if fsync else 'NORMAL'}")
            self._db.executescript(DDL)
        except (sqlite3.Error, OSError) as error:
            raise unusable(path, error) from error
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
            self._execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # on a full disk SQLite has rolled back by itself
                self._db.execute("ROLLBACK")
            self._rolled_back()
            raise

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

    def _rolled_back(self) -> None:
        """Forget what was remembered of a step that did not happen."""

    def _execute(self, query: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(query, values)
        except sqlite3.Error as error:
            raise unusable(self.path, error) from error


def unusable(path: Path, error: Exception) -> JournalError:
    """Return the error that stands for a file or disk that failed."""
    return JournalError(
        f"{path}: the journal should be readable and writable, was not: {error}",
        remedy="free disk space and check the file's rights; if it is damaged, move it away and start again:"
        " positions are read from the venue",
    )
