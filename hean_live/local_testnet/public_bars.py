"""Public kline endpoints: both ends of the range inclusive, newest first, newest kept, the open bar included.

Here belong the four kline paths. Their time parameters are ``start`` and ``end``; others are ignored.
"""

from __future__ import annotations

from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.markets.base import BarKind
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.venue import Venue
from models.simulation.bars import INTERVAL_MINUTES, Bars
from models.simulation.listing import Listing

PREMIUM_DECIMALS = 6
DEFAULT_LIMIT, MAX_LIMIT = 200, 1000


def kline(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/kline``: trades of a perpetual (default) or of spot."""
    category = query.category("linear")
    return _bars(venue, query, now_ms, BarKind.SPOT if category == "spot" else BarKind.PERP)


def mark_kline(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/mark-price-kline``."""
    return _bars(venue, query, now_ms, BarKind.MARK)


def index_kline(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/index-price-kline``."""
    return _bars(venue, query, now_ms, BarKind.INDEX)


def premium_kline(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/premium-index-price-kline``."""
    return _bars(venue, query, now_ms, BarKind.PREMIUM)


def _bars(venue: Venue, query: Query, now_ms: int, kind: BarKind) -> bytes:
    category = query.category("linear")
    symbol = query.required("symbol")
    interval = query.choice("interval", tuple(INTERVAL_MINUTES))
    listing = venue.market.listings(category).get(symbol)
    if listing is None or (category == "spot" and kind is not BarKind.SPOT):
        raise Refused(PARAMETER_ERROR, "Not supported symbols")
    start_ms, end_ms = query.span("start", "end")
    limit = query.limit(DEFAULT_LIMIT, MAX_LIMIT)
    bars = venue.market.bars(kind, symbol, interval, start_ms, end_ms, limit, now_ms)
    rows = rows_of(bars, listing, kind)
    return b'{"category":"%b","symbol":"%b","list":[%b]}' % (category.encode(), symbol.encode(), rows)


def rows_of(bars: Bars, listing: Listing, kind: BarKind) -> bytes:
    """JSON rows of bars, newest first: seven strings with volume and turnover, five without."""
    prices = {
        BarKind.PERP: listing.price_decimals,
        BarKind.SPOT: listing.price_decimals,
        BarKind.MARK: listing.index_decimals,
        BarKind.INDEX: listing.index_decimals,
        BarKind.PREMIUM: PREMIUM_DECIMALS,
    }[kind]
    shape = f'["%d","%.{prices}f","%.{prices}f","%.{prices}f","%.{prices}f"'
    columns = [bars.ts_ms, bars.open, bars.high, bars.low, bars.close]
    if bars.volume is not None and bars.turnover is not None:
        shape += f',"%.{listing.qty_decimals}f","%.4f"'
        columns += [bars.volume, bars.turnover]
    shape += "]"
    newest_first = zip(*(column[::-1].tolist() for column in columns), strict=True)
    return ",".join([shape % row for row in newest_first]).encode()
