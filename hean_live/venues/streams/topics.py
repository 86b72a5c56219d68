"""Topics of the public linear socket: their names, how long each may be silent, and how many fit into a request.

Source: the venue's v5 documentation. What does not belong here: the connection, what messages contain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_ARGS: Final = 21_000
"""Characters of topics a connection may have in all, by the venue's rule."""
_PER_REQUEST: Final = 10
_TOPIC: Final = re.compile(rb'"topic"\s*:\s*"([^"\\]{1,64})"')


@dataclass(frozen=True)
class Silence:
    """Seconds a topic may be silent before it is asked for again; 0 for as long as it likes.

    Liquidations are rare, and trades are on a thin market: that the socket as a whole is heard is watched apart.
    """

    book_s: float = 15.0
    ticker_s: float = 30.0
    trades_s: float = 0.0


def market_topics(symbols: Sequence[str], depth: int, silence: Silence) -> dict[str, float]:
    """Return every public topic of some symbols with its limit of silence in seconds."""
    limits: dict[str, float] = {}
    for symbol in symbols:
        limits[f"orderbook.{depth}.{symbol}"] = silence.book_s
        limits[f"publicTrade.{symbol}"] = silence.trades_s
        limits[f"tickers.{symbol}"] = silence.ticker_s
        limits[f"allLiquidation.{symbol}"] = 0.0
    return limits


def ticker_topics(symbols: Sequence[str], silence: Silence) -> dict[str, float]:
    """Return the ticker topics of some symbols."""
    return {f"tickers.{symbol}": silence.ticker_s for symbol in symbols}


def topic_of(payload: bytes) -> str:
    """Return the topic of a message wherever it stands, an empty string for one without."""
    found = _TOPIC.search(payload)
    return found[1].decode("ascii", "replace") if found else ""


def requests(
    op: str, topics: Mapping[str, object] | Sequence[str], prefix: str
) -> Iterator[tuple[str, bytes]]:
    """Yield requests to subscribe or unsubscribe, each with its id, a few topics each.

    A refused topic makes the venue refuse its whole request, so requests are small.
    """
    names = list(topics)
    for number, start in enumerate(range(0, len(names), _PER_REQUEST)):
        request_id = f"{prefix}-{number}"
        body = {"op": op, "req_id": request_id, "args": names[start : start + _PER_REQUEST]}
        yield request_id, json.dumps(body).encode()
