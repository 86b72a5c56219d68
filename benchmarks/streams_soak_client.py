"""Parts of the soak's client: a recorder that counts by topic, and what it asks of the testnet and of the machine."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import requests

from hean_live.market.service import MarketStreams
from hean_live.recorder.recorder import Recorder, RecorderRules
from hean_live.settings import LiveSettings, load_settings
from hean_live.venues.streams.topics import topic_of

_BOOK = re.compile(rb'"type":"(\w+)".{0,200000}?"u":(\d+)', re.DOTALL)


def settings_of(url: str, symbols: tuple[str, ...], folder: Path) -> LiveSettings:
    """Return an executor's settings for the soak."""
    return load_settings(home=folder, environment="local", order_url=url, symbols=symbols, streams=True)


class CountedRecorder(Recorder):
    """Records into a folder of at most a quarter of a gigabyte, and follows the sequence of every order book."""

    def __init__(self, settings: LiveSettings) -> None:
        rules = RecorderRules(
            rotate_s=60, rotate_bytes=32 << 20, keep_bytes=256 << 20, least_free_bytes=64 << 20
        )
        super().__init__(settings.home / "tape", settings.symbols, rules, lambda _code, _words: None)
        self.by_kind: Counter[str] = Counter()
        self.breaks = 0
        self._last: dict[str, int] = {}

    def write(self, payload: bytes, received_ns: int) -> None:
        """Count a message and keep it."""
        super().write(payload, received_ns)
        topic = topic_of(payload)
        kind = topic.partition(".")[0]
        self.by_kind[kind] += 1
        if kind == "orderbook":
            self._follow(topic, payload)

    def _follow(self, topic: str, payload: bytes) -> None:
        found = _BOOK.search(payload)
        if found is None:
            self.breaks += 1
            return
        update = int(found[2])
        if found[1] == b"delta" and update != self._last.get(topic, -1) + 1:
            self.breaks += 1
        self._last[topic] = update


def set_speed(url: str, speed: float) -> None:
    """Set the speed of the testnet's clock."""
    requests.post(f"{url}/testnet/clock", json={"speed": speed}, timeout=60).raise_for_status()


def until_at_rest(url: str, market: MarketStreams) -> int:
    """Stop the market, wait until nothing comes any more, and return how many messages were made in all."""
    set_speed(url, 0)
    before = -1
    while market.stream.counts.data != before:
        before = market.stream.counts.data
        time.sleep(3.0)
    return int(requests.get(f"{url}/testnet/state", timeout=60).json()["stream_messages"])


def rss_mb() -> float:
    """Return this process' resident memory, MB."""
    for row in Path("/proc/self/status").read_text().splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) / 1024.0
    raise SystemExit("this process has no VmRSS")
