"""Public histories that are not bars: funding, open interest, account ratio, each with its own rules for a lone time and pages.

* funding/history: a lone ``startTime`` is an error; at most 200 rows, no cursor.
* open-interest: a lone ``startTime`` is ignored, so the answer is anchored at the present; both ends inclusive; cursor.
* account-ratio: like open-interest, up to 500 rows.
"""

from __future__ import annotations

from collections.abc import Callable

from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.markets.base import Series
from hean_live.local_testnet.query import FAR_FUTURE_MS, Query
from hean_live.local_testnet.venue import Venue
from models.simulation.bars import MINUTE_MS
from models.simulation.listing import Listing

PERIOD_MS = {
    "5min": 5 * MINUTE_MS,
    "15min": 15 * MINUTE_MS,
    "30min": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
}
Fetch = Callable[[str, int, int, int, int, int], Series]


def funding(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/funding/history``."""
    category, listing = _listed(venue, query)
    if query.integer("startTime") is not None and query.integer("endTime") is None:
        raise Refused(PARAMETER_ERROR, "Time is invalid")
    start_ms, end_ms = query.span("startTime", "endTime")
    times, rates = venue.market.funding(listing.symbol, start_ms, end_ms, query.limit(200, 200), now_ms)
    shape = f'{{"symbol":"{listing.symbol}","fundingRate":"%s","fundingRateTimestamp":"%d"}}'
    rows = [shape % (rate_text(rate), ts) for ts, rate in _newest_first((times, rates))]
    return b'{"category":"%b","list":[%b]}' % (category.encode(), ",".join(rows).encode())


def open_interest(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/open-interest``."""
    category, listing = _listed(venue, query)
    step_ms = PERIOD_MS[query.choice("intervalTime", tuple(PERIOD_MS))]
    series, cursor = _page(
        query, query.limit(50, 200), step_ms, listing.symbol, now_ms, venue.market.open_interest
    )
    shape = '{"openInterest":"%s","singleOpenInterest":"%s","timestamp":"%d"}'
    rows = [shape % (amount_text(both), amount_text(both / 2.0), ts) for ts, both in _newest_first(series)]
    return b'{"symbol":"%b","category":"%b","list":[%b],"nextPageCursor":"%b"}' % (
        listing.symbol.encode(), category.encode(), ",".join(rows).encode(), cursor.encode(),
    )  # fmt: skip


def account_ratio(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/account-ratio``."""
    _, listing = _listed(venue, query)
    step_ms = PERIOD_MS[query.choice("period", tuple(PERIOD_MS))]
    series, cursor = _page(
        query, query.limit(50, 500), step_ms, listing.symbol, now_ms, venue.market.long_ratio
    )
    rows = []
    for ts, value in _newest_first(series):
        long_share = round(value * 10_000)
        rows.append(
            f'{{"symbol":"{listing.symbol}","buyRatio":"{long_share / 10_000:.4f}",'
            f'"sellRatio":"{(10_000 - long_share) / 10_000:.4f}","timestamp":"{ts}"}}'
        )
    return b'{"list":[%b],"nextPageCursor":"%b"}' % (",".join(rows).encode(), cursor.encode())


def rate_text(rate: float) -> str:
    """Rate as the venue writes it: up to 8 decimals, no zeros at the end."""
    return f"{rate:.8f}".rstrip("0").rstrip(".") if rate else "0"


def amount_text(amount: float) -> str:
    """Write an amount with up to 8 decimals, no zeros at the end."""
    return f"{amount:.8f}".rstrip("0").rstrip(".")


def _listed(venue: Venue, query: Query) -> tuple[str, Listing]:
    category = query.category()
    listing = venue.market.listings(category).get(query.required("symbol"))
    if listing is None or category != "linear":
        raise Refused(PARAMETER_ERROR, "params error: symbol invalid")
    return category, listing


def _page(
    query: Query, limit: int, step_ms: int, symbol: str, now_ms: int, fetch: Fetch
) -> tuple[Series, str]:
    """One page, anchored at its end, and the cursor to the next: percent-encoded, as the venue gives it."""
    cursor = query.cursor()
    lone_start = query.integer("endTime") is None and cursor is None
    start_ms, end_ms = query.span("startTime", "endTime")
    if lone_start:
        start_ms, end_ms = 0, FAR_FUTURE_MS
    if cursor is not None:
        if not cursor.get("lasttime", "").isdigit():
            raise Refused(PARAMETER_ERROR, "params error: cursor invalid")
        end_ms = min(end_ms, int(cursor["lasttime"]) * 1000 - 1)
    times, values = fetch(symbol, step_ms, start_ms, end_ms, limit, now_ms)
    if len(times) < limit:
        return (times, values), ""
    oldest_s = int(times[0]) // 1000
    return (times, values), f"lastid%3D{oldest_s // 60}%26lasttime%3D{oldest_s}"


def _newest_first(series: Series) -> list[tuple[int, float]]:
    times, values = series
    return list(zip(times[::-1].tolist(), values[::-1].tolist(), strict=True))
