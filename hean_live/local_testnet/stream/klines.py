"""Kline messages: the open bar as it changes, at most once a second, and each bar once more when it is closed.

The message that closes a bar also carries the one that opens, as recorded. Here belongs the message; bars are the market's.
"""

from __future__ import annotations

from hean_live.local_testnet.markets.base import BarKind, Market
from hean_live.local_testnet.stream.frames import Outgoing, compact, outgoing
from models.simulation.bars import INTERVAL_MINUTES, MINUTE_MS, Bars, bar_start
from models.simulation.listing import Listing

_DAY_AND_MORE = ("D", "W", "M")


class KlineTopic:
    """One symbol's bars of one interval and what its subscribers were told last.

    Parameters
    ----------
    market : Market
    category : str
    listing : Listing
    interval : str
        Venue's spelling.

    """

    def __init__(self, market: Market, category: str, listing: Listing, interval: str) -> None:
        self._market = market
        self._kind = BarKind.SPOT if category == "spot" else BarKind.PERP
        self._listing = listing
        self._interval = interval
        self._topic = f"kline.{interval}.{listing.symbol}"
        self._told: dict[str, object] = {}

    def change(self, now_ms: int) -> Outgoing | None:
        """Return what the newest bars are, None where nothing changed since the last message."""
        bars = self._market.bars(self._kind, self._listing.symbol, self._interval, 0, now_ms, 2, now_ms)
        if not len(bars):
            return None
        told_start = self._told.get("start")
        rows = [self._row(bars, i, now_ms) for i in range(len(bars))]
        newest = rows[-1]
        closed = [row for row in rows[:-1] if row["start"] == told_start]
        if not closed and newest == self._told:
            return None
        self._told = newest
        data = [row | {"timestamp": now_ms} for row in (*closed, newest)]
        return outgoing(
            self._topic, compact({"topic": self._topic, "data": data, "ts": now_ms, "type": "snapshot"})
        )

    def _row(self, bars: Bars, i: int, now_ms: int) -> dict[str, object]:
        start = int(bars.ts_ms[i])
        end = self._end(start)
        volume = 0.0 if bars.volume is None else float(bars.volume[i])
        turnover = 0.0 if bars.turnover is None else float(bars.turnover[i])
        places = self._listing.price_decimals
        return {
            "start": start,
            "end": end - 1,
            "interval": self._interval,
            "open": _plain(float(bars.open[i]), places),
            "close": _plain(float(bars.close[i]), places),
            "high": _plain(float(bars.high[i]), places),
            "low": _plain(float(bars.low[i]), places),
            "volume": _plain(volume, self._listing.qty_decimals),
            "turnover": _plain(turnover, 4),
            "confirm": end <= now_ms,
        }

    def _end(self, start: int) -> int:
        if self._interval in _DAY_AND_MORE:
            # A day into the longest bar of its kind lies in the next one; its own start is where this one ends.
            beyond = start + INTERVAL_MINUTES[self._interval] * MINUTE_MS
            return bar_start(beyond, self._interval)
        return start + INTERVAL_MINUTES[self._interval] * MINUTE_MS


def _plain(value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
