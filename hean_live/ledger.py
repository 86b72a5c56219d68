"""`hean ledger`: the journal's sums held against the venue's wallet, or against the wallet as the journal last saw it.

Reads only: the journal is opened so that nothing can be written, and the executor may be running. The sums are
`hean_live.execution.ledger`'s, printing the command's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hean_live.execution.ledger import (
    LAST_KEY,
    START_KEY,
    Ledger,
    Mark,
    Verdict,
    add_up,
    cash_of,
    from_text,
    held_of,
    ids_since,
    judge,
)
from hean_live.execution.records import FillRow
from hean_live.execution.rows import fill_row
from hean_live.venues.bybit import BybitVenue
from models.errors import ConfigError, DataError

NS_PER_MS = 1_000_000
_MARGIN_MS = 60_000


@dataclass(frozen=True)
class Kept:
    """What the journal knows: the account at the first and at the last reconciliation, and the fills after the first.

    `numbers` are those of the fills, as `Mark.fills` counts them.
    """

    start: Mark
    last: Mark
    fills: tuple[FillRow, ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Account:
    """A ledger, the cash it is held against and since when that is known (ns UTC), and the verdict."""

    ledger: Ledger
    cash_usd: str
    at_ns: int
    verdict: Verdict


def read_journal(path: Path) -> Kept:
    """Read what the ledger is made of.

    Raises
    ------
    ConfigError
        If there is no journal.
    DataError
        If it is none, or no reconciliation has succeeded so far.

    """
    if not path.is_file():
        raise ConfigError(f"{path}: a journal was expected, was absent", remedy="give the executor's --home")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as db:
            db.execute("BEGIN")  # one state of the file for everything
            texts = dict(
                db.execute(
                    "SELECT key, value FROM meta WHERE key IN (?, ?)", (START_KEY, LAST_KEY)
                ).fetchall()
            )
            if len(texts) < 2:
                raise DataError(
                    f"{path}: the account at a first reconciliation was expected, was absent",
                    remedy="run the executor until it has reconciled once",
                )
            start, last = from_text(texts[START_KEY]), from_text(texts[LAST_KEY])
            rows = db.execute(
                "SELECT rowid, * FROM fills WHERE rowid > ? ORDER BY rowid", (start.fills,)
            ).fetchall()
    except sqlite3.Error as error:
        raise DataError(f"{path}: a journal was expected, was not readable: {error}") from error
    return Kept(start, last, tuple(fill_row(row[1:]) for row in rows), tuple(int(row[0]) for row in rows))


def from_journal(kept: Kept) -> Account:
    """Hold the ledger against the wallet as it was at the journal's last reconciliation.

    A fill that happened while that was made may be in the wallet and not yet in the journal.
    """
    known = [fill for number, fill in zip(kept.numbers, kept.fills, strict=True) if number <= kept.last.fills]
    ledger = add_up(kept.start, known)
    verdict = judge(ledger, kept.last.cash_usd, kept.last.held)
    return Account(ledger, str(kept.last.cash_usd), kept.last.at_ns, verdict)


def from_venue(kept: Kept, venue: BybitVenue, now_ns: int) -> Account:
    """Hold the ledger against the venue.

    Parameters
    ----------
    kept : Kept
    venue : BybitVenue
    now_ns : int
        The venue's market time.

    Raises
    ------
    HeanError
        When the venue cannot be asked.

    """
    # A span of the venue's may be asked for a little into its future, which has nothing.
    start_ms, end_ms = kept.start.at_ns // NS_PER_MS, now_ns // NS_PER_MS + _MARGIN_MS
    executions = venue.executions_between(start_ms, end_ms)
    ledger = add_up(kept.start, kept.fills, venue.wallet_changes(start_ms, end_ms))
    ids = (_ids(kept.fills), ids_since(kept.start, executions))
    cash = cash_of(venue.wallet())
    return Account(ledger, str(cash), now_ns, judge(ledger, cash, held_of(venue.positions()), ids))


def _ids(fills: Sequence[FillRow]) -> list[str]:
    return [fill.exec_id for fill in fills]
