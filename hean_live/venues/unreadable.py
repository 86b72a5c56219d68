"""Rows of a listing that cannot be read, kept apart from those that can: one strange row must not hide the others.

A row whose symbol cannot be read either is told of nothing in particular: the listing fails as a whole then. What an
unreadable row forbids is decided by whoever asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.errors import DataError
from models.market.bybit_v5 import Payload, optional_text
from models.market.bybit_v5_trading import parse_execution
from models.market.trading_records import Execution

T = TypeVar("T")


@dataclass(frozen=True)
class UnreadableRow:
    """One row: its symbol, its client id and execution id where they can be read, its text, and what is wrong."""

    symbol: str
    client_id: str
    exec_id: str
    body: str
    error: str


class PartlyUnreadable(DataError):
    """A complete listing some of whose rows could not be read.

    Attributes
    ----------
    rows : list
        The records that could be read.
    unreadable : list of UnreadableRow

    """

    def __init__(self, rows: list[Any], unreadable: list[UnreadableRow]) -> None:
        words = "; ".join(f"{row.symbol}: {row.error}" for row in unreadable)
        super().__init__(f"a listing should be readable row by row, was not: {words}")
        self.rows = rows
        self.unreadable = unreadable


class RowReader(Generic[T]):
    """Reads rows one by one and remembers those it cannot.

    Parameters
    ----------
    parse : callable
        Makes a record of a row, or raises `DataError`.

    """

    def __init__(self, parse: Callable[[Payload], T]) -> None:
        self._parse = parse
        self._unreadable: list[UnreadableRow] = []

    def read(self, rows: Iterable[Payload]) -> list[T]:
        """Return the records of the rows that can be read; raises `DataError` for one without a symbol."""
        found: list[T] = []
        for row in rows:
            try:
                found.append(self._parse(row))
            except DataError as error:
                symbol = optional_text(row, "symbol")
                if not symbol:
                    raise
                ids = optional_text(row, "orderLinkId"), optional_text(row, "execId")
                self._unreadable.append(UnreadableRow(symbol, *ids, json.dumps(row), str(error)))
        return found

    def whole(self, found: list[T]) -> list[T]:
        """Return a complete listing; raises `PartlyUnreadable` with it where rows could not be read."""
        if self._unreadable:
            raise PartlyUnreadable(found, self._unreadable)
        return found


def readable(ask: Callable[[], list[T]]) -> tuple[list[T], list[UnreadableRow]]:
    """Ask for a listing; returns what could be read of it, and what could not."""
    try:
        return ask(), []
    except PartlyUnreadable as error:
        return error.rows, error.unreadable


def read_execution_row(text: str) -> Execution:
    """Try again to read the text of a row of executions; raises `DataError` if it still cannot be."""
    try:
        return parse_execution(json.loads(text))
    except ValueError as error:
        raise DataError(f"a kept row of executions should be JSON, was not: {error}") from error
