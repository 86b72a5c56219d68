"""Ticker messages: linear ones as a snapshot and then what changed, spot ones whole whenever something did.

Price and size of a side go together, as on recorded messages. Here belongs the message; the numbers are the market's quote.
"""

from __future__ import annotations

from hean_live.local_testnet.public_now import linear_ticker, spot_ticker
from hean_live.local_testnet.stream.frames import Outgoing, compact, outgoing
from models.simulation.listing import Listing
from models.simulation.quotes import Quote

_LINEAR = (
    "symbol", "tickDirection", "price24hPcnt", "lastPrice", "prevPrice24h", "highPrice24h", "lowPrice24h", "prevPrice1h",
    "markPrice", "indexPrice", "openInterest", "openInterestValue", "turnover24h", "volume24h", "fundingIntervalHour",
    "fundingCap", "singleOpenInterest", "singleOpenInterestValue", "nextFundingTime", "fundingRate", "bid1Price", "bid1Size",
    "ask1Price", "ask1Size", "preOpenPrice", "preQty", "curPreListingPhase",
)  # fmt: skip
_SPOT = (
    "symbol", "lastPrice", "highPrice24h", "lowPrice24h", "prevPrice24h", "volume24h", "turnover24h", "price24hPcnt",
    "usdIndexPrice",
)  # fmt: skip
_PAIRS = (("bid1Price", "bid1Size"), ("ask1Price", "ask1Size"))
_DIRECTIONS = {1: "PlusTick", -1: "MinusTick", 0: "ZeroPlusTick"}


class TickerTopic:
    """One symbol's ticker and what its subscribers were told last.

    Parameters
    ----------
    category : str
    listing : Listing

    """

    def __init__(self, category: str, listing: Listing) -> None:
        self._category = category
        self._listing = listing
        self._topic = f"tickers.{listing.symbol}"
        self._told: dict[str, object] = {}

    def snapshot(self, quote: Quote, direction: int, sequence: int, now_ms: int) -> Outgoing:
        """Return the whole ticker as last told; the first one begins to tell."""
        if not self._told:
            self._told = self._fields(quote, direction, now_ms)
        return self._message("snapshot", self._told, sequence, now_ms)

    def change(self, quote: Quote, direction: int, sequence: int, now_ms: int) -> Outgoing | None:
        """Return what changed since the last message, None where nothing did."""
        fields = self._fields(quote, direction, now_ms)
        changed = {name: value for name, value in fields.items() if self._told.get(name) != value}
        self._told = fields
        if not changed:
            return None
        if self._category == "spot":
            return self._message("snapshot", fields, sequence, now_ms)
        for pair in _PAIRS:
            if any(name in changed for name in pair):
                changed |= {name: fields[name] for name in pair}
        told = {"symbol": self._listing.symbol} | {name: changed[name] for name in _LINEAR if name in changed}
        return self._message("delta", told, sequence, now_ms)

    def _fields(self, quote: Quote, direction: int, now_ms: int) -> dict[str, object]:
        spot = self._category == "spot"
        row = spot_ticker(self._listing, quote) if spot else linear_ticker(self._listing, quote, now_ms)
        row["tickDirection"] = _DIRECTIONS[direction]
        row["volume24h"] = f"{quote.volume_24h:.4f}"
        return {name: str(row[name]) for name in (_SPOT if spot else _LINEAR)}

    def _message(self, kind: str, data: dict[str, object], sequence: int, now_ms: int) -> Outgoing:
        head: dict[str, object] = {"topic": self._topic}
        if self._category == "spot":
            body = head | {"ts": now_ms, "type": kind, "cs": sequence, "data": data}
        else:
            body = head | {"type": kind, "data": data, "cs": sequence, "ts": now_ms}
        return outgoing(self._topic, compact(body))
