"""Everything one running testnet holds: market, clocks, exchange, keys, limits, faults.

Here belongs putting the parts together. HTTP does not.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hean_live.local_testnet.clock import MarketClock, WallClock
from hean_live.local_testnet.fault_schedule import FaultSchedule
from hean_live.local_testnet.faults import FaultList
from hean_live.local_testnet.latency import Latency
from hean_live.local_testnet.limits import RateLimits
from hean_live.local_testnet.markets.base import Market, TickMarket
from models.simulation.exchange.engine import Exchange

CATCH_UP_NS = 10_000_000_000


def monotonic_ms() -> int:
    """Real time that never goes back, for rolling windows."""
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class KeyPair:
    """API key and secret the server accepts, and whether the key may withdraw."""

    api_key: str
    api_secret: str = field(repr=False)
    can_withdraw: bool = False


def derive_keys(seed: int, *, can_withdraw: bool = False) -> KeyPair:
    """Key pair of a local testnet: the same for the same seed, so that a restart keeps clients working.

    It guards nothing: the server listens on loopback only.
    """
    digest = hashlib.sha256(f"hean local testnet {seed}".encode()).hexdigest()
    return KeyPair(f"local{digest[:13]}", digest[13:49], can_withdraw)


@dataclass
class Venue:
    """One running testnet.

    Attributes
    ----------
    schedule : FaultSchedule or None
        Faults drawn from a seed, beside those listed.
    latency_in, latency_out : Latency
        Of requests and messages to the venue, and of replies and messages from it.
    maintenance_until_ms : int
        Real time (`monotonic_ms`) until which the venue is down; `maintenance_status` is what it answers meanwhile.
    on_step : callable or None
        Told the market time after every step, so that streams follow a market that remembers only a minute.

    """

    market: Market
    clock: MarketClock
    exchange: Exchange
    keys: KeyPair
    wall: WallClock = field(default_factory=WallClock)
    limits: RateLimits = field(default_factory=lambda: RateLimits(monotonic_ms))
    faults: FaultList = field(default_factory=FaultList)
    schedule: FaultSchedule | None = None
    latency_in: Latency = field(default_factory=Latency)
    latency_out: Latency = field(default_factory=Latency)
    maintenance_until_ms: int = 0
    maintenance_status: int = 503
    on_step: Callable[[int], None] | None = None

    def catch_up(self) -> None:
        """Bring the exchange to the market clock; whatever was due on the way happens now, in its order."""
        target = self.clock.now_ns()
        while self.exchange.now_ns < target:
            self.step(target)

    def step(self, target_ns: int) -> None:
        """Bring the exchange towards a market time, a tick market by ten seconds at most: it remembers one minute."""
        if isinstance(self.market, TickMarket):
            target_ns = min(target_ns, self.exchange.now_ns + CATCH_UP_NS)
            self.market.advance(target_ns)
        self.exchange.advance(target_ns)
        if self.on_step is not None:
            self.on_step(self.exchange.now_ns)

    @property
    def in_maintenance(self) -> bool:
        """Whether the venue is down."""
        return monotonic_ms() < self.maintenance_until_ms
