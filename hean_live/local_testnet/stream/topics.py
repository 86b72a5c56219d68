"""Names of public topics, read the way the venue reads them.

Here belongs what a topic is and how one is refused; what is pushed on it does not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from models.simulation.bars import INTERVAL_MINUTES
from models.simulation.ticks.feed_record import DEPTHS, LIQUIDATIONS, TRADES

SPOT_ARGS = 10
"""Most topics in one request on the spot socket."""
ARGS_LENGTH = 21_000
"""Most characters of topics on one connection."""


class TopicRefused(Exception):
    """Topic the venue does not know; the text is its own."""


@dataclass(frozen=True)
class Topic:
    """One public topic.

    `slot` is the feed's, -1 for topics that no feed pushes; `interval` is a kline's, else empty.
    """

    name: str
    kind: str
    symbol: str
    slot: int = -1
    interval: str = ""


def parse_topic(name: str, category: str, symbols: Collection[str]) -> Topic:
    """Read a topic's name.

    Parameters
    ----------
    name : str
        For example ``orderbook.50.BTCUSDT``.
    category : str
        ``linear`` or ``spot``: which socket it was asked for on.
    symbols : collection of str
        Listed in the category.

    Raises
    ------
    TopicRefused
        No such topic, or no such symbol.

    """
    kind, *rest = name.split(".")
    symbol = rest[-1] if rest else ""
    detail = rest[0] if len(rest) == 2 else ""
    topic = None
    if kind == "orderbook" and detail in {str(depth) for depth in DEPTHS}:
        topic = Topic(name, kind, symbol, slot=DEPTHS.index(int(detail)))
    elif kind == "publicTrade" and len(rest) == 1:
        topic = Topic(name, kind, symbol, slot=TRADES)
    elif kind == "allLiquidation" and len(rest) == 1 and category == "linear":
        topic = Topic(name, kind, symbol, slot=LIQUIDATIONS)
    elif kind == "tickers" and len(rest) == 1:
        topic = Topic(name, kind, symbol)
    elif kind == "kline" and detail in INTERVAL_MINUTES:
        topic = Topic(name, kind, symbol, interval=detail)
    if topic is None or (symbol not in symbols and category != "spot"):
        raise TopicRefused(f"error:handler not found,topic:{name}")
    if symbol not in symbols:
        raise TopicRefused(f"Invalid symbol :[{name}]")
    return topic
