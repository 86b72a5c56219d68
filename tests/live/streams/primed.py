"""A past for market state: messages as the venue writes them, received before a test begins.

Trends, toxicity and sigma look back on an hour and more, which no test can wait for. The messages go through the sink the
socket's go through, before the socket opens.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt
import pytest

from hean_live.app.streams import Streams

SYMBOL = "BTCUSDT"
NS = 1_000_000_000
EVERY_NS = 12 * NS
"""The finer periods of the Hurst exponent."""
BUCKET_USD = 50_000.0

Message = tuple[int, str, bytes]
_numbers = count()


@dataclass(frozen=True)
class Past:
    """Messages in order: when received, topic, text."""

    messages: tuple[Message, ...]

    @classmethod
    def of_prices(
        cls, mids: npt.ArrayLike, *, spread: float, until_ns: int = 0, buys: Sequence[float] = ()
    ) -> Past:
        """Books with these mids every 12 s, the last one at `until_ns`; then a bucket of trades per share of buys."""
        prices = np.asarray(mids, dtype=np.float64)
        end_ns = (until_ns or time.time_ns()) // EVERY_NS * EVERY_NS
        first_ns = end_ns - len(prices) * EVERY_NS
        found = [
            _book(first_ns + (k + 1) * EVERY_NS - NS // 2, k, float(mid), spread)
            for k, mid in enumerate(prices)
        ]
        at_ns = found[-1][0]
        for k, share in enumerate(buys):
            found.append(_trades(at_ns, k, float(prices[-1]), share))
        return cls(tuple(found))


def prime(monkeypatch: pytest.MonkeyPatch, past: Past) -> None:
    """Let the streams of an executor begin with a past."""
    start = Streams.start

    def primed(streams: Streams) -> None:
        for at_ns, topic, payload in past.messages:
            streams.market.hub.on_data(topic, payload, at_ns)
        start(streams)

    monkeypatch.setattr(Streams, "start", primed)


def tell(streams: Streams, past: Past) -> None:
    """Let the venue say the trades of a past now."""
    hub = streams.market.hub
    for _, topic, payload in past.messages:
        if topic.startswith("publicTrade"):
            streams.thread.call(hub.on_data, topic, payload, time.time_ns())


def _book(at_ns: int, number: int, mid: float, spread: float) -> Message:
    topic, half = f"orderbook.50.{SYMBOL}", spread / 2
    bids = [[f"{mid - half - k / 2:.1f}", "5"] for k in range(5)]
    asks = [[f"{mid + half + k / 2:.1f}", "5"] for k in range(5)]
    data = {"s": SYMBOL, "b": bids, "a": asks, "u": number + 2, "seq": number + 2}
    at_ms = at_ns // 1_000_000
    return (
        at_ns,
        topic,
        json.dumps({"topic": topic, "type": "snapshot", "ts": at_ms, "data": data, "cts": at_ms}).encode(),
    )


def _trades(at_ns: int, number: int, price: float, share: float) -> Message:
    topic, at_ms = f"publicTrade.{SYMBOL}", at_ns // 1_000_000
    rows = [
        {
            "T": at_ms,
            "s": SYMBOL,
            "S": side,
            "v": f"{part * BUCKET_USD / price:.6f}",
            "p": f"{price:.1f}",
            "i": f"past-{next(_numbers)}",
            "BT": False,
            "seq": number,
        }
        for side, part in (("Buy", share), ("Sell", 1.0 - share))
        if part > 0.0
    ]
    return at_ns, topic, json.dumps({"topic": topic, "type": "snapshot", "ts": at_ms, "data": rows}).encode()
