"""What signed endpoints share: scopes of symbols, time windows, pages, and replies that are more than a result.

Here belongs nothing that reads or changes an account.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.rows import Row
from hean_live.local_testnet.venue import Venue
from models.simulation.bars import DAY_MS
from models.simulation.listing import Listing

WEEK_MS = 7 * DAY_MS
TOO_MANY_VISITS = (10006, "Too many visits. Exceeded the API Rate Limit.")


class Numbered(Protocol):
    """A record with the number of its order in time."""

    @property
    def sequence(self) -> int:
        """Number, rising in time."""


Record = TypeVar("Record", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Reply:
    """Result with what else its envelope says."""

    result: Row
    ext: Row = field(default_factory=dict)
    ret_code: int = 0
    ret_msg: str = "OK"

    @property
    def rows(self) -> list[Row]:
        """Rows of a result that is a list."""
        rows = self.result["list"]
        return rows if isinstance(rows, list) else []


def listed(venue: Venue, symbol: str) -> Listing:
    """Return listing of a perpetual the account may trade."""
    listing = venue.market.listing(symbol)
    if listing is None:
        raise Refused(PARAMETER_ERROR, "params error: symbol invalid")
    return listing


def scope(venue: Venue, symbol: str, base_coin: str, settle_coin: str) -> set[str]:
    """Symbols a request is about; one of the three must be given."""
    if symbol:
        return {listed(venue, symbol).symbol}
    listings = venue.market.listings("linear")
    if base_coin:
        return {name for name, listing in listings.items() if listing.base_coin == base_coin}
    if settle_coin:
        return set(listings) if settle_coin == "USDT" else set()
    raise Refused(PARAMETER_ERROR, "params error: symbol, baseCoin or settleCoin is required")


def is_linear(query: Query) -> bool:
    """Whether the account can have anything in the category asked for; in the venue's others it has nothing."""
    return query.category() == "linear"


def nothing(query: Query) -> Row:
    """Empty page of a category the account has nothing in."""
    return {"category": query.category(), "list": [], "nextPageCursor": ""}


def window(query: Query, now_ms: int, default_ms: int = WEEK_MS) -> tuple[int, int]:
    """Time range of a history: `default_ms` back without a start, never longer than seven days."""
    start, end = query.integer("startTime"), query.integer("endTime")
    if start is None:
        end_ms = now_ms if end is None else end
        return end_ms - default_ms, end_ms
    end_ms = start + WEEK_MS if end is None else end
    if not 0 <= end_ms - start <= WEEK_MS:
        raise Refused(PARAMETER_ERROR, "The time range between startTime and endTime cannot exceed 7 days")
    return start, end_ms


def page_of(
    records: Sequence[Record], query: Query, default: int, maximum: int, cursor_of: Callable[[Record], str]
) -> tuple[list[Record], str]:
    """One page, newest first, and the cursor to the next; the cursor holds the sequence of the page's last record."""
    limit = query.limit(default, maximum)
    ordered = sorted(records, key=lambda record: -record.sequence)
    cursor = query.text("cursor")
    if cursor:
        number = re.search(r"\d+", cursor)
        if number is None:
            raise Refused(PARAMETER_ERROR, "params error: cursor invalid")
        ordered = [record for record in ordered if record.sequence < int(number.group())]
    page = ordered[:limit]
    return page, cursor_of(page[-1]) if len(ordered) > limit else ""
